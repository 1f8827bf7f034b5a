// Nanoseconds per arrival of each process, in blocks of 256 as the simulator asks for them, and
// rows per second of the trace readers.
#include <algorithm>
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

ArrivalSpec bursts() {
  ArrivalSpec spec = spec_of(Process::kMmpp);
  spec.states = {{5e3, 0.9, {}}, {5.5e4, 0.1, {}}};
  return spec;
}
ArrivalSpec ramps() {
  ArrivalSpec up = spec_of(Process::kPoisson);
  up.end_rps = 2e4;
  up.duration_s = 0.1;
  ArrivalSpec spec = spec_of(Process::kPiecewise);
  spec.segments = {up, up};
  spec.segments[1].process = Process::kGamma;
  spec.repeat = true;
  return spec;
}
BENCHMARK_CAPTURE(run_blocks, mmpp, bursts());
BENCHMARK_CAPTURE(run_blocks, piecewise_ramps, ramps());

void parse_rows(benchmark::State& state, const std::string& text, const std::string& format) {
  for ([[maybe_unused]] auto iteration : state) {
    Faults faults;
    const Recording recording = parse_trace(text, {"bench", format, ""}, faults);
    benchmark::DoNotOptimize(&recording);
    faults.throw_if_any();
  }
  const std::int64_t rows = std::count(text.begin(), text.end(), '\n') - 1;
  state.SetItemsProcessed(rows * state.iterations());
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

// Rows of a day of minutes: 1440 counts each.
std::string function_rows(int rows) {
  std::string text = "HashOwner,HashApp,HashFunction,Trigger";
  for (int minute = 1; minute <= 1440; ++minute) text += fmt::format(",{}", minute);
  for (int row = 0; row < rows; ++row) {
    text += fmt::format("\no,a,f{},http", row);
    for (int minute = 1; minute <= 1440; ++minute) text += fmt::format(",{}", row * minute % 12);
  }
  return text + '\n';
}

BENCHMARK_CAPTURE(parse_rows, timestamps_1e6, timestamps(1'000'000), "timestamps")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(parse_rows, azure_llm_1e6, azure_rows(1'000'000), "azure_llm")
    ->Unit(benchmark::kMillisecond);

BENCHMARK_CAPTURE(parse_rows,
                  azure_functions_2019_1000_rows,
                  function_rows(1000),
                  "azure_functions_2019")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tangram

BENCHMARK_MAIN();
