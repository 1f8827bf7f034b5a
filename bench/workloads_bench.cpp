// Nanoseconds per arrival of each process, in blocks of 256 as the simulator asks for them, and
// rows per second of the trace readers.
#include <array>
#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "workloads/arrivals.h"
#include "workloads/trace.h"

namespace tangram {
namespace {

void run_blocks(benchmark::State& state, const ArrivalSpec& spec) {
  const auto arrivals = make_arrivals(spec, RandomStream(StreamKey(1)));
  std::array<TimePoint, 256> block{};
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    count += static_cast<std::int64_t>(arrivals->next(block));
    benchmark::DoNotOptimize(block.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(count);
  state.counters["per_arrival"] = benchmark::Counter(
      static_cast<double>(count), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

ArrivalSpec spec_of(ArrivalSpec::Process process, double shape = 1, double sigma = 1) {
  ArrivalSpec spec;
  spec.process = process;
  spec.rate_rps = 1e4;
  spec.shape = shape;
  spec.sigma = sigma;
  return spec;
}

using Process = ArrivalSpec::Process;
BENCHMARK_CAPTURE(run_blocks, constant, spec_of(Process::kConstant));
BENCHMARK_CAPTURE(run_blocks, poisson, spec_of(Process::kPoisson));
BENCHMARK_CAPTURE(run_blocks, gamma_shape_4, spec_of(Process::kGamma, 4));
BENCHMARK_CAPTURE(run_blocks, gamma_shape_0_1, spec_of(Process::kGamma, 0.1));
BENCHMARK_CAPTURE(run_blocks, lognormal_sigma_2, spec_of(Process::kLognormal, 1, 2));

void parse_rows(benchmark::State& state, const std::string& text, const std::string& format) {
  std::int64_t rows = 0;
  for ([[maybe_unused]] auto iteration : state) {
    Faults faults;
    rows +=
        static_cast<std::int64_t>(parse_trace(text, {"bench", format, ""}, faults).times.size());
    faults.throw_if_any();
  }
  state.SetItemsProcessed(rows);
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}

std::string timestamps(int rows) {
  std::string text = "timestamp_s\n";
  for (int i = 0; i < rows; ++i) text += fmt::format("{}.{:09}\n", i / 100, i % 100 * 10'000'000);
  return text;
}

std::string azure_rows(int rows) {
  std::string text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  for (int i = 0; i < rows; ++i) {
    text += fmt::format("2023-11-{:02} {:02}:{:02}:{:02}.{:07},{},{}\n", 1 + i / 864'000,
                        i / 36'000 % 24, i / 600 % 60, i / 10 % 60, i % 10 * 1'000'000, i % 5000,
                        i % 700);
  }
  return text;
}

BENCHMARK_CAPTURE(parse_rows, timestamps_1e6, timestamps(1'000'000), "timestamps")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(parse_rows, azure_llm_1e6, azure_rows(1'000'000), "azure_llm")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tangram

BENCHMARK_MAIN();
