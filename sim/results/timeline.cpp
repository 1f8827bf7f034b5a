// Writes events one by one: a long run has millions.
#include "sim/results/timeline.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "sim/core/atomic_file.h"
#include "sim/core/error.h"
#include "sim/core/json_reader.h"

namespace tangram {
namespace {

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

// Nanoseconds as microseconds, every digit kept. Requires: not negative.
std::string us(Duration d) {
  return fmt::format("{}.{:03}", d.count() / 1000, d.count() % 1000);
}

std::string metadata(const char* kind,
                     std::uint32_t pid,
                     std::size_t tid,
                     const std::string& name) {
  return fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", kind,
                     pid, tid, quoted(name));
}

}  // namespace

void write_timeline(const std::string& path, const RunResult& run) {
  AtomicFile target(path);
  std::ofstream file(target.temporary_path(), std::ios::binary);
  file << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  const char* separator = "\n";
  const auto put = [&](const std::string& event) {
    file << separator << event;
    separator = ",\n";
  };
  for (const PlanGpu& gpu : run.plan.gpus) {
    put(metadata("process_name", gpu.index, 0, fmt::format("GPU {} ({})", gpu.index, gpu.type)));
  }
  const auto pid_of = [&](std::size_t executor) {
    return run.plan.gpus[run.gpu_of_executor[executor]].index;
  };
  for (std::size_t e = 0; e < run.executor_names.size(); ++e) {
    put(metadata("thread_name", pid_of(e), e + 1, run.executor_names[e]));
  }
  std::vector<std::string> names;
  for (const Workload& workload : run.workloads) names.push_back(quoted(workload.name));
  for (const BatchSpan& span : run.timeline) {
    const std::string& name = names[span.workload.index()];
    put(fmt::format(
        R"({{"ph":"X","name":{},"cat":"batch","pid":{},"tid":{},"ts":{},"dur":{},"args":{{)"
        R"("workload":{},"size":{},"decided_us":{},"predicted_ms":{},)"
        R"("actual_ms":{},"alone_ms":{}}}}})",
        name, pid_of(span.executor.index()), span.executor.index() + 1, us(span.start - kStart),
        us(span.end - span.start), name, span.size, us(span.decided - kStart),
        to_ms(span.predicted), to_ms(span.end - span.start), to_ms(span.alone)));
  }
  file << "\n]}\n";
  file.close();
  if (!file) throw SystemError(path + ": cannot be written: " + std::strerror(errno));
  target.commit();
}

}  // namespace tangram
