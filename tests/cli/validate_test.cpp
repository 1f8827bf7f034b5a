// tangram validate and tangram profile measure from outside, on backends that need no device. What
// is asserted is structure, never a latency.
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

#include "command.h"
#include "profiles/profile_io.h"
#include "sim/core/atomic_file.h"
#include "validate/validation.h"

namespace tangram::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kValidated = R"({
  "schema": 1, "name": "both worlds", "seed": 5, "duration_s": 0.6, "warmup_s": 0.1,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 1, "per_item_ms": 0.5, "max_batch": 8}}],
  "cluster": {"gpus": [{"type": "ideal", "count": 1}]},
  "workloads": [
    {"name": "a", "model": "unit", "slo_ms": 50, "arrivals": {"process": "poisson", "rate_rps": 100}},
    {"name": "b", "model": "unit", "slo_ms": 50, "arrivals": {"process": "gamma", "cv": 2, "rate_rps": 50}}],
  "dispatcher": {"name": "eager", "params": {"max_batch": 8}}})";

class Validate : public ::testing::Test {
 protected:
  Validate() { folder_.write("s.json", kValidated); }
  std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"validate", "s.json", "--backend", "emulated", "--out", "V.h5"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Folder folder_;
};

TEST_F(Validate, PairsEveryRequestOfBothWorlds) {
  const Outcome done = folder_.tangram(arguments({"--report", "V.html"}));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(folder_.names(), ElementsAre("V.h5", "V.html", "s.json"));
  EXPECT_THAT(done.out, HasSubstr("a, simulated"));
  const Validation validation = read_validation_file(folder_.path("V.h5"));
  EXPECT_EQ(validation.record.backend, "emulated");
  ASSERT_EQ(validation.comparison.workloads.size(), 2U);
  const ComparedWorkload& total = validation.comparison.total;
  EXPECT_GT(total.real.offered, 0);
  EXPECT_EQ(total.simulated.offered, total.real.offered);
  EXPECT_EQ(double(total.pairing.requests), total.real.offered);
  EXPECT_EQ(total.pairing.completed, total.pairing.requests);  // the run drains
  EXPECT_EQ(validation.real[0].runtime, "emulated");
  EXPECT_EQ(validation.simulated[0].runtime, "simulation");
  EXPECT_FALSE(validation.real[0].runs[0].timeline.empty());
  EXPECT_THAT(folder_.read("V.html"), HasSubstr("<svg"));
}

TEST_F(Validate, TheFileHoldsTheComparisonAsColumns) {
  ASSERT_EQ(folder_.tangram(arguments()).exit_code, 0);
  const Hdf5Reader file(folder_.path("V.h5"));
  EXPECT_THAT(file.children("/"), ElementsAre("comparison", "profiles", "real", "simulated"));
  const auto workloads = file.strings("/comparison/figures/workload");
  const auto figures = file.strings("/comparison/figures/metric");
  EXPECT_EQ(workloads.size(), 3 * metrics().size());  // a, b, total
  EXPECT_EQ(workloads.back(), "total");
  EXPECT_EQ(figures.size(), workloads.size());
  EXPECT_EQ(file.read<double>("/comparison/figures/relative_error").size(), workloads.size());
  const auto requests = file.read<double>("/comparison/pairing/requests");
  EXPECT_EQ(double(file.read<std::int64_t>("/comparison/pairs/real_ns").size()), requests.back());
}

TEST_F(Validate, RealRunsOfEarlierFilesAreComparedWithNewSimulations) {
  ASSERT_EQ(folder_.tangram(arguments({"--replications", "2"})).exit_code, 0);
  ASSERT_EQ(
      folder_
          .tangram({"validate", "s.json", "--backend", "emulated", "--out", "U.h5", "--seed", "9"})
          .exit_code,
      0);
  const Outcome done = folder_.tangram({"validate", "s.json", "--real", "V.h5", "--real", "U.h5",
                                        "--out", "W.h5", "--set", "/device/overhead_ms=3"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Validation first = read_validation_file(folder_.path("V.h5"));
  const Validation other = read_validation_file(folder_.path("U.h5"));
  const Validation again = read_validation_file(folder_.path("W.h5"));
  EXPECT_EQ(again.record.backend, "emulated");
  ASSERT_EQ(again.real.size(), 3U);
  std::vector<std::uint64_t> seeds;
  for (const StoredResult& real : again.real) seeds.push_back(real.runs[0].seed);
  EXPECT_THAT(seeds, ElementsAre(5, 6, 9));
  for (std::size_t r = 0; r < 3; ++r) {
    const StoredResult& stored = r < 2 ? first.real[r] : other.real[0];
    ASSERT_EQ(again.real[r].runs[0].requests.size(), stored.runs[0].requests.size());
    for (std::size_t i = 0; i < stored.runs[0].requests.size(); ++i) {
      ASSERT_EQ(again.real[r].runs[0].requests[i].finish, stored.runs[0].requests[i].finish);
    }
    EXPECT_EQ(again.simulated[r].runs[0].seed, seeds[r]);
  }
  EXPECT_GT(again.comparison.total.simulated.mean_ms, first.comparison.total.simulated.mean_ms + 2);
}

TEST_F(Validate, RealRunsOfAnotherScenarioAreRefused) {
  ASSERT_EQ(folder_.tangram(arguments()).exit_code, 0);
  const Outcome other = folder_.tangram({"validate", "s.json", "--real", "V.h5", "--out", "W.h5",
                                         "--set", "/workloads/0/arrivals/rate_rps=120"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("same"));
  const Outcome both = folder_.tangram(
      {"validate", "s.json", "--real", "V.h5", "--backend", "emulated", "--out", "W.h5"});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.err, HasSubstr("--backend"));
  const Outcome neither = folder_.tangram({"validate", "s.json", "--out", "W.h5"});
  EXPECT_EQ(neither.exit_code, 2);
  EXPECT_THAT(neither.err, HasSubstr("--backend or --real"));
  const Outcome no_validation =
      folder_.tangram({"validate", "s.json", "--real", "s.json", "--out", "W.h5"});
  EXPECT_EQ(no_validation.exit_code, 2);
  const std::string kept = folder_.read("V.h5");
  const Outcome onto_itself =
      folder_.tangram({"validate", "s.json", "--real", "V.h5", "--out", "V.h5"});
  EXPECT_EQ(onto_itself.exit_code, 2);
  EXPECT_THAT(onto_itself.err, HasSubstr("--out"));
  EXPECT_EQ(folder_.read("V.h5"), kept);
  EXPECT_THAT(folder_.names(), ElementsAre("V.h5", "s.json"));
}

TEST_F(Validate, BeliefsAreForDevicesThatDoNotWaitForWhatIsBelieved) {
  const std::string beliefs =
      R"(/beliefs=[{"model": "unit", "gpu": "ideal",
                    "latency": {"fixed_ms": 2, "per_item_ms": 0.5, "max_batch": 8}}])";
  const Outcome emulated = folder_.tangram(arguments({"--set", beliefs}));
  EXPECT_EQ(emulated.exit_code, 2);
  EXPECT_THAT(emulated.err, HasSubstr("leave out /beliefs"));
  ASSERT_EQ(folder_.tangram(arguments()).exit_code, 0);
  const Outcome done =
      folder_.tangram({"validate", "s.json", "--real", "V.h5", "--out", "W.h5", "--set", beliefs});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Validation validation = read_validation_file(folder_.path("W.h5"));
  for (const BatchSpan& batch : validation.simulated[0].runs[0].timeline) {
    // 2 + 0.5 n is believed, 1 + 0.5 n is true.
    EXPECT_EQ(batch.predicted - (batch.end - batch.start), from_ms(1));
  }
}

TEST_F(Validate, ItsFileCalibratesTheProfilesThatItUsed) {
  ASSERT_EQ(folder_.tangram(arguments()).exit_code, 0);
  const Outcome done = folder_.tangram({"calibrate", "V.h5", "--out", "C.h5"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("unit"));
  Faults faults;
  const std::vector<Profile> profiles = read_profile_file(folder_.path("C.h5"), faults);
  faults.throw_if_any();
  const Validation validation = read_validation_file(folder_.path("V.h5"));
  ASSERT_EQ(profiles.size(), 1U);
  // One model: its overhead is that of all batches, over the profile's 1 + 0.5 ms.
  const double added = validation.overhead.dispatch_ms + validation.overhead.execution_ms;
  EXPECT_DOUBLE_EQ(profiles[0].latency_ms({}, 1, 1).value(), 1.5 + added);
}

TEST_F(Validate, ReplicationsHaveSeedsOfTheirOwn) {
  const Outcome done = folder_.tangram(
      arguments({"--replications", "2", "--seed", "9", "--set", "/duration_s=0.3"}));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Validation validation = read_validation_file(folder_.path("V.h5"));
  ASSERT_EQ(validation.real.size(), 2U);
  EXPECT_EQ(validation.real[0].runs[0].seed, 9U);
  EXPECT_EQ(validation.simulated[1].runs[0].seed, 10U);
  EXPECT_EQ(validation.comparison.pairs.back().point, 1U);
}

TEST_F(Validate, TheEnginesFailureIsPassedOnAndNothingIsWritten) {
  const Outcome done =
      folder_.tangram({"validate", "s.json", "--backend", "emulatd", "--out", "V.h5"});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_THAT(done.err, HasSubstr("emulated"));  // the engine's own words
  EXPECT_THAT(done.err, HasSubstr("tangram-engine failed with exit code 2"));
  EXPECT_THAT(folder_.names(), ElementsAre("s.json"));
}

TEST_F(Validate, WrongInputIsToldBeforeAnythingRuns) {
  const Outcome done = folder_.tangram(arguments({"--report", "none/V.html", "--set", "/sed=1"}));
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_THAT(done.err, HasSubstr("--report none/V.html"));
  EXPECT_THAT(done.err, HasSubstr("seed"));
  EXPECT_EQ(folder_.tangram({"validate", "s.json", "--backend", "emulated"}).exit_code, 2);
  EXPECT_THAT(folder_.names(), ElementsAre("s.json"));
}

TEST_F(Validate, AClosedLoopCannotBeCompared) {
  const Outcome done = folder_.tangram(arguments(
      {"--set",
       R"(/workloads/0/arrivals={"process": "closed_loop", "clients": 2, "think_ms": 5})"}));
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_THAT(done.err, HasSubstr("s.json#/workloads/0/arrivals/process"));
}

TEST_F(Validate, AnInterruptStopsBothAndLeavesNothing) {
  const Outcome done =
      folder_.run("/usr/bin/timeout",
                  {"--preserve-status", "-s", "INT", "1", TANGRAM_COMMAND, "validate", "s.json",
                   "--backend", "emulated", "--out", "V.h5", "--set", "/duration_s=3600"});
  EXPECT_EQ(done.exit_code, 1) << done.err;
  EXPECT_THAT(done.err, HasSubstr("interrupted"));
  EXPECT_THAT(folder_.names(), ElementsAre("s.json"));
}

TEST_F(Validate, ADamagedFileIsRefused) {
  ASSERT_EQ(folder_.tangram(arguments({"--set", "/duration_s=0.2"})).exit_code, 0);
  const std::string bytes = folder_.read("V.h5");
  EXPECT_THROW(read_validation_file(folder_.path("s.json")), ConfigError);
  folder_.write("cut.h5", bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(read_validation_file(folder_.path("cut.h5")), ConfigError);
}

// The shipped scenario of two models in turns on one core, its networks replaced by waits: a
// process each in both worlds.
TEST_F(Validate, TheShippedTurnsAreTwoProcessesOnOneCore) {
  const auto shipped = [](const std::string& name) {
    std::string text =
        read_file(std::string(TANGRAM_SOURCE_DIR) + "/scenarios/quickstart-validate/" + name);
    for (const auto& [network, wait] :
         {std::pair("mobilenet_v2", "sleep-2"), std::pair("resnet18", "sleep-5")}) {
      const std::string_view old_name(network);
      for (std::size_t at = text.find(old_name); at != std::string::npos;
           at = text.find(old_name, at)) {
        text.replace(at, old_name.size(), wait);
      }
    }
    return text;
  };
  folder_.write("turns.json", shipped("turns.json"));
  folder_.write("turns.plan.json", shipped("turns.plan.json"));
  const Outcome done = folder_.tangram(
      {"validate", "turns.json", "--backend", "cpu", "--runner", "sleep", "--out", "V.h5", "--set",
       "/duration_s=0.7", "--set", "/warmup_s=0.1", "--set", "/workloads/0/arrivals/rate_rps=60",
       "--set", "/workloads/1/arrivals/rate_rps=40", "--set",
       R"(/profiles=[{"model": "sleep-2", "gpu": "cpu",
                      "latency": {"fixed_ms": 2, "per_item_ms": 0, "max_batch": 4}},
                     {"model": "sleep-5", "gpu": "cpu",
                      "latency": {"fixed_ms": 5, "per_item_ms": 0, "max_batch": 4}}])"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const Validation validation = read_validation_file(folder_.path("V.h5"));
  EXPECT_EQ(validation.real[0].executors.size(), 2U);
  EXPECT_EQ(validation.simulated[0].executors, validation.real[0].executors);
  EXPECT_THAT(validation.real[0].notes,
              ::testing::Contains(HasSubstr("is shared by 2 executors, which the kernel runs in "
                                            "turns")));
  const ComparedWorkload& total = validation.comparison.total;
  EXPECT_GT(total.real.completed, 0);
  EXPECT_EQ(double(total.pairing.completed), total.real.offered);
}

class Measure : public ::testing::Test {
 protected:
  std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"profile",    "measure", "--backend",     "cpu",
                                 "--runner",   "sleep",   "--models",      "sleep-1-1,sleep-2",
                                 "--batches",  "1,2",     "--repetitions", repetitions_,
                                 "--min-time", "0",       "--out",         "P.h5"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string repetitions_ = "5";
  Folder folder_;
};

TEST_F(Measure, WritesAProfileOfEveryPoint) {
  const Outcome done = folder_.tangram(arguments());
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(folder_.names(), ElementsAre("P.h5"));
  Faults faults;
  const std::vector<Profile> profiles = read_profile_file(folder_.path("P.h5"), faults);
  faults.throw_if_any();
  ASSERT_EQ(profiles.size(), 2U);
  EXPECT_EQ(profiles[0].gpu, "cpu");
  EXPECT_EQ(profiles[0].points.size(), 2U);
  EXPECT_EQ(profiles[0].points[0].samples_ms.size(), 5U);
  EXPECT_GE(profiles[0].points[1].latency_ms, 3);  // 1 + 2 * 1 ms is what it waits at least
  EXPECT_THAT(profiles[0].provenance.command, HasSubstr("profile measure"));
  EXPECT_FALSE(profiles[0].provenance.device.empty());
}

TEST_F(Measure, PairsBecomeCoRuns) {
  const Outcome done = folder_.tangram(
      arguments({"--shares", "50", "--pairs", "sleep-1-1+sleep-2", "--batches", "1"}));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  Faults faults;
  const std::vector<Profile> profiles = read_profile_file(folder_.path("P.h5"), faults);
  ASSERT_EQ(profiles.size(), 2U);
  ASSERT_FALSE(profiles[1].co_runs.empty());
  EXPECT_EQ(profiles[1].co_runs[0].other, "sleep-1-1");
}

TEST_F(Measure, SaysHowMuchOfTheCoreWasUsed) {
  ASSERT_EQ(folder_.tangram(arguments()).exit_code, 0);
  Faults faults;
  for (const Profile& profile : read_profile_file(folder_.path("P.h5"), faults)) {
    for (const LatencyPoint& point : profile.points) {
      ASSERT_TRUE(point.sm_occupancy.has_value());
      EXPECT_GE(*point.sm_occupancy, 0);
      EXPECT_LE(*point.sm_occupancy, 1);
      EXPECT_FALSE(point.power_w.has_value());
    }
  }
  faults.throw_if_any();
}

#ifdef TANGRAM_FAKE_DRIVER_FOLDER
// A driver that runs nothing, and an NVML whose device always draws the same.
TEST_F(Measure, ReadsAGpusCountersWhereVisitsAreLongEnough) {
  const auto measured = [&](const std::string& min_time) {
    return folder_.run("/usr/bin/env", {"LD_LIBRARY_PATH=" TANGRAM_FAKE_DRIVER_FOLDER,
                                        TANGRAM_COMMAND,
                                        "profile",
                                        "measure",
                                        "--backend",
                                        "cuda-green",
                                        "--runner",
                                        "kernels",
                                        "--model",
                                        "spin:grid=264,us=20,count=400,graph=0",
                                        "--batches",
                                        "1",
                                        "--gpu",
                                        "h200",
                                        "--repetitions",
                                        "5",
                                        "--min-time",
                                        min_time,
                                        "--out",
                                        "P.h5"});
  };
  const auto point = [&] {
    Faults faults;
    const std::vector<Profile> profiles = read_profile_file(folder_.path("P.h5"), faults);
    faults.throw_if_any();
    return profiles.at(0).points.at(0);
  };
  const Outcome counted = measured("0.5");
  ASSERT_EQ(counted.exit_code, 0) << counted.err;
  EXPECT_THAT(counted.err, Not(HasSubstr("DRAM use")));
  EXPECT_NEAR(point().dram_utilisation.value_or(0), 0.625, 1e-9);
  EXPECT_NEAR(point().sm_occupancy.value_or(0), 0.25, 1e-9);
  EXPECT_EQ(point().l2_utilisation, std::nullopt);
  const Outcome hasty = measured("0");
  ASSERT_EQ(hasty.exit_code, 0) << hasty.err;
  EXPECT_THAT(hasty.err, HasSubstr("1 of 1 points have no DRAM use and SM occupancy"));
  EXPECT_EQ(point().dram_utilisation, std::nullopt);
}
#endif

TEST_F(Measure, ListsKernelsWhereTheRunnerDoes) {
  const Outcome done = folder_.tangram(arguments({"--kernels", "8,1"}));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("sleep-1-1 batch 8: 1 kernels, together 9 ms"));
  Faults faults;
  const std::vector<Profile> profiles = read_profile_file(folder_.path("P.h5"), faults);
  faults.throw_if_any();
  EXPECT_EQ(profiles[0].kernels,
            (std::vector<Kernel>{{1, "wait", 1, 1, 0, 0, 2000}, {8, "wait", 8, 1, 0, 0, 9000}}));
  const Outcome native =
      folder_.tangram({"profile", "measure", "--backend", "cpu", "--runner", "native", "--models",
                       "mlp-8-1", "--batches", "1", "--repetitions", "5", "--min-time", "0",
                       "--kernels", "1,8", "--out", "Q.h5"});
  ASSERT_EQ(native.exit_code, 0) << native.err;
  EXPECT_THAT(native.err,
              HasSubstr("note: mlp-8-1 batch 1 has no kernel list: this runner lists no kernels"));
}

// Two runners in one measurement: a process each.
TEST_F(Measure, AHogOfAnotherRunnerLoadsTheOtherPart) {
  const Outcome done = folder_.tangram(arguments({"--shares", "50", "--hogs", "mlp-16-2", "--pairs",
                                                  "sleep-2+mlp-16-2", "--pair-batches", "1/1"}));
  ASSERT_EQ(done.exit_code, 0) << done.err;
  Faults faults;
  const std::vector<Profile> profiles = read_profile_file(folder_.path("P.h5"), faults);
  faults.throw_if_any();
  ASSERT_EQ(profiles.size(), 2U);
  EXPECT_EQ(profiles[1].provenance.framework, "sleep");
  ASSERT_EQ(profiles[1].co_runs.size(), 1U);
  EXPECT_EQ(profiles[1].co_runs[0].other, "mlp-16-2");
  EXPECT_THAT(profiles[0].co_runs, IsEmpty());
}

TEST_F(Measure, WrongInputIsToldAllAtOnce) {
  const Outcome done = folder_.tangram({"profile", "measure", "--models", "a,a", "--batches", "0",
                                        "--shares", "0", "--gpu", "cpuu", "--out", "none/P.h5"});
  EXPECT_EQ(done.exit_code, 2);
  for (const char* part : {"--models", "--batches", "--shares", "--gpu cpuu", "--out none/P.h5"}) {
    EXPECT_THAT(done.err, HasSubstr(part));
  }
  EXPECT_EQ(folder_.tangram(arguments({"--backend", "emulated"})).exit_code, 2);
  EXPECT_EQ(folder_.tangram(arguments({"--runner", "slep"})).exit_code, 2);
  EXPECT_EQ(folder_.tangram(arguments({"--pairs", "sleep-1-1"})).exit_code, 2);
  const Outcome hogs = folder_.tangram(
      arguments({"--hogs", "mlp-8-1", "--hog-runner", "nativ", "--pairs", "sleep-2+mlp-8-1"}));
  EXPECT_EQ(hogs.exit_code, 2);
  EXPECT_THAT(hogs.err, HasSubstr("--hog-runner: unknown runner"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Measure, GoesOnAfterItWasKilled) {
  repetitions_ = "300";
  const std::vector<std::string> slow = arguments();
  std::vector<std::string> killed{"-s", "KILL", "1", TANGRAM_COMMAND};
  killed.insert(killed.end(), slow.begin(), slow.end());
  EXPECT_NE(folder_.run("/usr/bin/timeout", killed).exit_code, 0);
  ASSERT_THAT(folder_.names(), ElementsAre("P.h5.journal"));
  repetitions_ = "5";
  const Outcome other = folder_.tangram(arguments());
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("journal of another measurement"));
  const Outcome done = folder_.tangram(slow);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("going on with P.h5.journal"));
  EXPECT_THAT(folder_.names(), ElementsAre("P.h5"));
}

}  // namespace
}  // namespace tangram::cli_test
