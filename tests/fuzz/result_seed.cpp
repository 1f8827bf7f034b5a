// Writes a small result with its logs: a seed for result_fuzz in today's layout.
// Usage: result_seed RESULT.h5
#include "sim/results/result_file.h"
#include "tests/sim/results/sample_run.h"

int main(int argc, char** argv) {
  using namespace tangram;
  if (argc != 2) return 2;
  RunResult run = sample_run();
  run.requests.push_back({RequestId::of(WorkloadId(0), 0), 10, 15, 20, 40, 1, 0, 0});
  run.timeline.push_back({ExecutorId(0), WorkloadId(0), 1, kStart + Duration(15),
                          kStart + Duration(20), kStart + Duration(40), Duration(18),
                          Duration(20)});
  write_result_file(argv[1], {&run, 1});
  return 0;
}
