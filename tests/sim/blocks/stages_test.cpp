// Stage dispatchers on a device whose every other cost is zero: when requests end, worked by hand.
#include <vector>

#include <gtest/gtest.h>

#include "sim/blocks/stage_server.h"
#include "tests/sim/blocks/fixture.h"

namespace tangram {
namespace {

constexpr SmLimits kLimits{1024, 16, 65536, 65536};

struct Given {
  std::uint32_t workload;
  double arrives_us;
};

// `kernels` kernels of `blocks` blocks that fill an SM each.
StageProgram program_of(int kernels, std::uint32_t blocks, double us) {
  StageProgram program;
  for (int i = 0; i < kernels; ++i) {
    program.kernels.push_back(device_kernel(kernel_of(blocks, 1024, us), kLimits, 4));
    StageInfo stage;
    stage.blocks = blocks;
    stage.need = block_need(kernel_of(blocks, 1024, us));
    stage.alone = from_ns(us * 1e3);
    program.model.stages.push_back(stage);
  }
  return program;
}

// When each request is answered, us.
std::vector<double> answers(const std::string& policy,
                            const Json& params,
                            std::uint32_t sms,
                            std::vector<StageProgram> programs,
                            const std::vector<Given>& given) {
  const PolicySpec spec = stages_of(policy, params);
  StageServer server(bare_spec(), {sms, kLimits}, std::move(programs), {StageSlot{ExecutorId(0)}},
                     find_stage_dispatcher(policy)->make(spec.params), StreamKey(1));
  std::vector<double> ends(given.size(), -1);
  std::size_t next = 0;
  while (true) {
    const TimePoint arrival = next < given.size() ? at_us(given[next].arrives_us) : kNever;
    const TimePoint now = std::min({arrival, server.next_device(), server.next_server()});
    if (now == kNever) return ends;
    if (now == server.next_device()) {
      server.advance_device(now);
    } else if (now == arrival) {
      server.submit(WorkloadId(given[next].workload), 0, 1, next, now);
      ++next;
    } else {
      server.advance_server(now);
    }
    for (const StageServer::Answer& answer : server.answers()) {
      ends[answer.user] = to_seconds(now - kStart) * 1e6;
    }
    server.clear_answers();
  }
}

using Ends = std::vector<double>;

// Workload 0 is real-time. Best effort: 3 kernels of 100 us from 0 on; real-time: one of 20 us at
// 50 us; each fills the device.
Ends preempted(const std::string& mode) {
  return answers("reef", {{"mode", mode}}, 2, {program_of(1, 2, 20), program_of(3, 2, 100)},
                 {{1, 0}, {0, 50}});
}

TEST(StagesOnTheDevice, ReefKillsWhatRunsAndRunsItAgain) {
  // 50 to 70 real-time; the first kernel, half done and killed, from 70 on again: 70 + 3 x 100.
  EXPECT_EQ(preempted("reset"), (Ends{370, 70}));
  // 2 SMs, all needed: nothing to pad.
  EXPECT_EQ(preempted("reef"), (Ends{370, 70}));
}

TEST(StagesOnTheDevice, ReefWithoutResetWaitsForTheKernelThatRuns) {
  // 0 to 100 the first kernel, 100 to 120 real-time before the one that waits, 120 to 320 the rest.
  EXPECT_EQ(preempted("wait"), (Ends{320, 120}));
}

// 4 SMs, kernels of 2 blocks and 20 us. Best effort: 3 of them from 0 on; real-time: 2 at 10 us.
Ends padded(const std::string& mode) {
  return answers("reef", {{"mode", mode}}, 4, {program_of(2, 2, 20), program_of(3, 2, 20)},
                 {{1, 0}, {0, 10}});
}

TEST(StagesOnTheDevice, ReefPadsTheKernelsOfTheRealTimeRequest) {
  // 10 to 50 real-time, then all three again: 50 + 60.
  EXPECT_EQ(padded("reset"), (Ends{110, 50}));
  // The second real-time kernel, 30 to 50, is padded with the first of the others: 50 + 40. The
  // first one is not: what was killed is not known to be over yet.
  EXPECT_EQ(padded("reef"), (Ends{90, 50}));
}

TEST(StagesOnTheDevice, OrionRunsBesideTheUrgentRequestWhatNeedsAnotherResource) {
  // Workload 0 is urgent: 2 kernels of 2 blocks and 20 us that compute, on 4 SMs; the other one has
  // 2 alike, at 5 us. Bound by memory they run beside it: 5 to 45. Else after it: 40 to 80.
  for (const bool is_memory : {true, false}) {
    StageProgram other = program_of(2, 2, 20);
    for (StageInfo& stage : other.model.stages) stage.memory_bound = is_memory;
    EXPECT_EQ(answers("orion", {{"duration_pct", 1e4}}, 4, {program_of(2, 2, 20), other},
                      {{0, 0}, {1, 5}}),
              (Ends{40, is_memory ? 45.0 : 80.0}));
  }
}

TEST(StagesOnTheDevice, SpaceTimeRunsEqualKernelsAsOne) {
  // 2 SMs, 2 kernels of one block and 10 us. The first request's first kernel: 0 to 10. Those of
  // the two others as one: 10 to 20. All three second ones as one, 3 blocks on 2 SMs: 20 to 40.
  EXPECT_EQ(
      answers("space_time", Json::object(), 2, {program_of(2, 1, 10)}, {{0, 0}, {0, 1}, {0, 2}}),
      (Ends{40, 40, 40}));
}

}  // namespace
}  // namespace tangram
