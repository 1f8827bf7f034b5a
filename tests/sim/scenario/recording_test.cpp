#include "sim/scenario/recording.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "policies/host.h"
#include "policies/registry.h"
#include "sim/core/atomic_file.h"
#include "sim/scenario/plan_of_scenario.h"

namespace tangram {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kRecordedScenario = R"({
  "schema": 1, "duration_s": 2,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}},
               {"model": "unused", "gpu": "ideal",
                "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}}],
  "cluster": {"gpus": [{"type": "ideal"}]},
  "workloads": [{"model": "unit", "slo_ms": 50,
                 "arrivals": {"process": "poisson", "rate_rps": 20}}],
  "dispatcher": {"name": "tf_serving", "params": {"max_batch": 2, "timeout_ms": 4}}})";

TimePoint at_ms(double ms) {
  return kStart + from_ms(ms);
}

// Writes a run of three requests and reads the file as text. Two make a batch, which is refused and
// runs again; the third waits for the timeout.
class Recorded : public ::testing::Test {
 protected:
  Recorded()
      : path_((std::filesystem::path(::testing::TempDir()) /
               (std::string("tangram_") +
                ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl"))
                  .string()) {
    play();
    write(log_);
  }
  ~Recorded() override { std::filesystem::remove(path_); }

  void write(const MessageLog& log) {
    std::vector<std::string> notes;
    write_recording(path_, {"by hand", "1.2.3", "abc"}, scenario_, make_plan(scenario_, notes),
                    log);
    text_ = read_file(path_);
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    std::istringstream stream(text_);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }
  static std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    return text;
  }
  // "WHERE: WHAT" of every fault in a text; none when it can be read.
  static std::vector<std::string> faults(const std::string& text,
                                         LineSums sums = LineSums::kCheck) {
    std::vector<std::string> found;
    try {
      parse_recording(text, "log", sums);
    } catch (const ConfigError& error) {
      for (const Fault& fault : error.faults()) found.push_back(fault.where + ": " + fault.what);
    }
    return found;
  }
  // The text with one replacement, which must be possible.
  std::string with(const std::string& old_text, const std::string& new_text) const {
    const std::size_t at = text_.find(old_text);
    EXPECT_NE(at, std::string::npos) << old_text << " in " << text_;
    return std::string(text_).replace(at, old_text.size(), new_text);
  }
  std::vector<std::string> faults_with(const std::string& old_text,
                                       const std::string& new_text) const {
    return faults(with(old_text, new_text), LineSums::kIgnore);
  }

  const Scenario scenario_ = parse_scenario(kRecordedScenario, "folder/short name.json", ".");
  MessageLog log_;
  std::string path_, text_;

 private:
  void play() {
    std::vector<std::string> notes;
    const Plan plan = make_plan(scenario_, notes);
    const Deployment deployment =
        deploy(plan, scenario_.workloads, scenario_.profiles, scenario_.routing);
    const auto policy =
        find_dispatcher(scenario_.dispatcher.name)->make(scenario_.dispatcher.params);
    Host host(deployment, *policy, scenario_.device.depth);
    host.record(&log_);
    EventQueue events(host.timers());
    host.start(kStart, events, 0);
    const auto arrive = [&](double ms, std::uint64_t number) {
      host.begin(at_ms(ms));
      host.arrived(WorkloadId(0), {at_ms(ms), RequestId::of(WorkloadId(0), number)}, number);
      host.decide();
    };
    arrive(1, 0);
    arrive(2, 1);
    const auto first_batch = [&] {
      for (std::uint32_t slot = 0; slot < 4; ++slot) {
        if (host.view().now() > kStart && host.batch({slot, 0}).live) {
          return BatchId{slot, host.batch({slot, 0}).generation};
        }
      }
      ADD_FAILURE() << "no batch";
      return BatchId{};
    };
    host.begin(at_ms(3));
    host.refused(first_batch(), Refusal::kLost);
    host.decide();
    host.begin(at_ms(11));
    host.finished(first_batch(), at_ms(3), at_ms(11));
    host.decide();
    arrive(20, 2);
    host.begin(at_ms(24));
    ASSERT_LE(events.next_time(), at_ms(24));
    const SlotId slot = events.top();
    events.cancel(slot);
    host.timer(TimerId(slot.value()));
    host.decide();
  }
};

TEST_F(Recorded, SaysTheSameWhenItIsReadAndWrittenAgain) {
  const RunRecording read = read_recording(path_);
  EXPECT_EQ(read.source.runtime, "by hand");
  EXPECT_EQ(read.source.version, "1.2.3");
  EXPECT_EQ(read.scenario.name, "short name");
  EXPECT_EQ(read.scenario.profiles.models(), std::vector<std::string>{"unit"});
  EXPECT_EQ(size_of(read.log), "7 instants, 6 messages, 3 decisions");
  const std::string before = text_;
  std::vector<std::string> notes;
  write_recording(path_, read.source, read.scenario, read.plan, read.log);
  EXPECT_EQ(read_file(path_), before);
  EXPECT_FALSE(replay(read).has_value());
}

TEST_F(Recorded, NamesTheLineOfTheFirstOtherDecision) {
  MessageLog changed = log_;
  changed.instants[4].messages.clear();  // the executor is never free again
  write(changed);
  const auto difference = replay(read_recording(path_));
  ASSERT_TRUE(difference.has_value());
  // Line 1 is the head, instant 6 is the timer's.
  EXPECT_EQ(difference->line, 8U);
  EXPECT_THAT(difference->what, HasSubstr("instant 6 (0.024000 s): "));
}

TEST_F(Recorded, FindsTheLineThatWasChangedLostDoubledOrMoved) {
  const std::vector<std::string> whole = lines();
  ASSERT_EQ(whole.size(), 9U);
  const auto is_at = [](int line) {
    return ElementsAre(HasSubstr("log:" + std::to_string(line) + ": not as it was written"));
  };
  std::vector<std::string> text = whole;
  text[3][10] = text[3][10] == '9' ? '8' : '9';
  EXPECT_THAT(faults(joined(text)), is_at(4));
  text = whole;
  text.erase(text.begin() + 3);
  EXPECT_THAT(faults(joined(text)), is_at(4));
  text = whole;
  text.insert(text.begin() + 3, text[3]);
  EXPECT_THAT(faults(joined(text)), is_at(5));
  text = whole;
  std::swap(text[3], text[4]);
  EXPECT_THAT(faults(joined(text)), ::testing::Contains(HasSubstr("log:4: not as it was written")));
}

// Wherever a file is cut, it is refused, and the place is in its last line or behind it.
TEST_F(Recorded, IsRefusedWhereverItIsCut) {
  for (std::size_t size = 0; size < text_.size(); ++size) {
    const std::string cut = text_.substr(0, size);
    const std::vector<std::string> found = faults(cut);
    const auto line = std::max<std::ptrdiff_t>(1, 1 + std::count(cut.begin(), cut.end(), '\n'));
    ASSERT_EQ(found.size(), 1U) << "cut after " << size;
    ASSERT_THAT(found[0], ::testing::StartsWith("log:" + std::to_string(line) + ": "));
  }
}

TEST_F(Recorded, RefusesWhatIsNoRecording) {
  EXPECT_THAT(faults(""), ElementsAre(HasSubstr("log:1: not a recording")));
  EXPECT_THAT(faults("{}\n"), ElementsAre(HasSubstr("log:1: not a recording")));
  EXPECT_THAT(faults(kRecordedScenario), ElementsAre(HasSubstr("log:1: not a recording")));
  EXPECT_THAT(faults(std::string(100, '\0')), ElementsAre(HasSubstr("log:1: not a recording")));
  EXPECT_THROW(read_recording("no such file"), ConfigError);
}

TEST_F(Recorded, HoldsEveryNumberToTheDeployment) {
  const auto one = [](const char* place, const char* what) {
    return ElementsAre(AllOf(HasSubstr(place), HasSubstr(what)));
  };
  EXPECT_THAT(faults_with(R"(["arrived",0,0)", R"(["arrived",1,0)"),
              one("log:3#/messages/0/1: ", "one of the 1 workloads"));
  EXPECT_THAT(faults_with(R"(["arrived",0,0,1000000)", R"(["arrived",0,0,1000001)"),
              one("log:3#/messages/0/3: ", "later than the instant"));
  EXPECT_THAT(faults_with(R"(["arrived",0,0)", R"(["arived",0,0)"),
              one("log:3#/messages/0/0: ", "did you mean \"arrived\""));
  EXPECT_THAT(faults_with(R"(["refused",)", R"(["refuted",)"),
              one("log:5#/messages/0/0: ", "did you mean \"refused\""));
  EXPECT_THAT(faults_with(R"(["run",0)", R"(["ran",0)"),
              one("#/decisions/0/0: ", "did you mean \"run\""));
  EXPECT_THAT(faults_with(R"({"now":2000000)", R"({"now":4611686018427387904)"),
              ::testing::Contains(HasSubstr("log:4#/now: ")));
  EXPECT_THAT(faults_with(R"("messages":[])", R"("messages":[["timer",0]])"),
              ::testing::Contains(HasSubstr("log:2#/messages: must be empty")));
  EXPECT_THAT(faults_with(R"(["arrived",0,0,)", R"(["arrived",0,)"),
              ::testing::Contains(HasSubstr("must have 5 parts, not 4")));
  EXPECT_THAT(faults_with(R"({"now":2000000)", R"({"now":900000)"),
              ::testing::Contains(HasSubstr("log:4#/now: time goes back")));
  EXPECT_THAT(faults_with(R"(["refused",)", R"(["refused",9)"),
              one("log:5#/messages/0/1: ", "batch slots"));
  EXPECT_THAT(faults_with(R"("lost"])", R"("last"])"), one("log:5#/messages/0/3: ", "lost"));
  EXPECT_THAT(faults_with(R"(["timer",0])", R"(["loaded",0,0,true,0,0])"),
              one("log:8#/messages/0/0: ", "loads no weights"));
  EXPECT_THAT(faults_with(R"(["timer",)", R"(["timer",7)"), one("log:8#/messages/0/1: ", "timers"));
  EXPECT_THAT(faults_with(R"(["run",0)", R"(["run",1)"),
              one("#/decisions/0/1: ", "one of the 1 executors"));
  EXPECT_THAT(faults_with(R"(["run",0)", R"(["run","x")"), one("#/decisions/0/1: ", "executors"));
  EXPECT_THAT(faults_with(R"("messages":)", R"("mesages":)"),
              ElementsAre(HasSubstr("log:2#: the key \"messages\" is missing"),
                          HasSubstr("unknown key \"mesages\"")));
  EXPECT_THAT(
      faults_with(R"("instants":7)", R"("instants":8)"),
      one("log:9: ", "says 8 instants, 6 messages, 3 decisions; the lines before it hold 7"));
  EXPECT_THAT(faults_with(R"("schema":1,"runtime")", R"("schema":2,"runtime")"),
              one("log:1#/schema: ", "from 1 to 1"));
  EXPECT_THAT(faults_with(R"("slo_ms":50)", R"("slo_ms":-50)"),
              one("log:1#/scenario/workloads/0/slo_ms: ", "50"));
  EXPECT_THAT(faults_with(R"({"now":2000000,)", R"({"now":2000000)"),
              ::testing::Contains(::testing::StartsWith("log:4:")));
  EXPECT_THAT(faults(text_ + lines().back() + '\n', LineSums::kIgnore),
              one("log:10: ", "follows the line that ends"));
}

TEST_F(Recorded, NeedsAtLeastTheStart) {
  const std::string empty =
      lines().front() + "\n{\"end\":true,\"instants\":0,\"messages\":0,\"decisions\":0}\n";
  EXPECT_THAT(faults(empty, LineSums::kIgnore),
              ElementsAre(HasSubstr("log:2: ends a recording without an instant")));
}

// A recording needs no other file: neither the profile nor the trace that it was made with.
TEST_F(Recorded, StandsForItself) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / "tangram_recording_alone";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "trace.csv") << "0.1\n0.2\n0.3\n";
  std::ofstream(folder / "unit.json") << R"({"model": "unit", "gpu": "ideal",
      "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}})";
  const Scenario scenario =
      parse_scenario(kRecordedScenario, "s.json", folder.string(),
                     {{"/profiles", R"(["unit.json"])"},
                      {"/workloads/0/arrivals",
                       R"({"process": "trace", "path": "trace.csv", "format": "timestamps"})"}});
  std::vector<std::string> notes;
  write_recording(path_, {"by hand", "1.2.3", "abc"}, scenario, make_plan(scenario, notes), log_);
  std::filesystem::remove_all(folder);
  const RunRecording read = read_recording(path_);
  EXPECT_FALSE(replay(read).has_value());
}

// An application that no workload uses is read all the same, and names its models.
TEST_F(Recorded, KeepsTheModelsOfUnusedApplications) {
  const Scenario scenario = parse_scenario(
      kRecordedScenario, "s.json", ".",
      {{"/profiles", R"([
          {"model": "unit", "gpu": "ideal",
           "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}},
          {"model": "other", "gpu": "ideal",
           "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}}])"},
       {"/applications", R"([{"name": "idle", "stages": [{"name": "a", "model": "other"}]}])"}});
  std::vector<std::string> notes;
  write_recording(path_, {"by hand", "1.2.3", "abc"}, scenario, make_plan(scenario, notes), log_);
  EXPECT_FALSE(replay(read_recording(path_)).has_value());
}

}  // namespace
}  // namespace tangram
