// Writing a recording, and replaying one.
#include "sim/scenario/recording.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "policies/plan_io.h"
#include "policies/registry.h"
#include "policies/replay.h"
#include "profiles/profile_io.h"
#include "sim/core/atomic_file.h"
#include "sim/core/check.h"
#include "sim/scenario/detail/recording_format.h"

namespace tangram {
namespace {

using recording::refusal_names;

bool asks_for_trace(const Json& arrivals) {
  if (arrivals.is_array()) {
    for (const Json& part : arrivals) {
      if (asks_for_trace(part)) return true;
    }
  }
  if (!arrivals.is_object()) return false;
  if (arrivals.value("process", Json()) == "trace") return true;
  return arrivals.contains("segments") && asks_for_trace(arrivals["segments"]);
}

// The scenario with its files written out, as far as Host and dispatcher depend on them.
Json self_contained(const Scenario& scenario) {
  Json json = Json::parse(scenario.text);
  json["name"] = scenario.name;  // may be that of its file
  std::set<std::string> used;
  for (const Workload& workload : scenario.workloads) used.insert(workload.model);
  // Applications that no workload uses are read too, with the models of their stages.
  const bool all = json.contains("applications");
  Json profiles = Json::array();
  for (const Profile& profile : scenario.believed().all()) {
    if (all || used.contains(profile.model)) profiles.push_back(to_json(profile));
  }
  json["profiles"] = std::move(profiles);
  json.erase("beliefs");
  // The plan stands beside the scenario.
  json.erase("planner");
  for (Json& workload : json["workloads"]) {
    Json& arrivals = workload["arrivals"];
    if (asks_for_trace(arrivals)) arrivals = Json{{"process", "constant"}, {"rate_rps", 1}};
  }
  return json;
}

std::int64_t ns(TimePoint t) {
  return t.time_since_epoch().count();
}

// Appends JSON text, piece by piece.
class Text {
 public:
  template <typename... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }
  void operator()(const ArrivedMessage& m) {
    put(R"(["arrived",{},{},{},{}])", m.workload.value(), m.request.id.value, ns(m.request.arrival),
        m.draw);
  }
  void operator()(const FinishedMessage& m) {
    put(R"(["finished",{},{},{},{}])", m.batch.slot, m.batch.generation, ns(m.start), ns(m.end));
  }
  void operator()(const RefusedMessage& m) {
    put(R"(["refused",{},{},"{}"])", m.batch.slot, m.batch.generation,
        refusal_names()[static_cast<std::size_t>(m.why)]);
  }
  void operator()(const TimerMessage& m) { put(R"(["timer",{}])", m.timer.value()); }
  void operator()(const ExecutorMessage& m) {
    put(R"(["executor",{},{}])", m.executor.value(), m.up);
  }
  void operator()(const LoadedMessage& m) {
    put(R"(["loaded",{},{},{},{},{}])", m.executor.value(), m.model.value(), m.done, ns(m.start),
        ns(m.end));
  }
  void operator()(const DecisionRecord& d) {
    if (d.kind == CommandKind::kLoad || d.kind == CommandKind::kUnload) {
      put(R"(["{}",{},{}])", d.kind == CommandKind::kLoad ? "load" : "unload", d.executor.value(),
          d.model.value());
      return;
    }
    if (d.kind == CommandKind::kRun) {
      put(R"(["run",{},{},{},{},{},)", d.executor.value(), d.queue.value(), d.batch.slot,
          d.batch.generation, ns(d.window.earliest));
      if (d.window.latest == kNever) {
        put("null");
      } else {
        put("{}", ns(d.window.latest));
      }
    } else {
      put(R"(["drop","{}",{})", drop_reason_names()[static_cast<std::size_t>(d.reason)],
          d.queue.value());
    }
    put(",");
    list(d.requests, [this](RequestId id) { put("{}", id.value); });
    put("]");
  }
  template <typename Items, typename Put>
  void list(const Items& items, Put put_item) {
    put("[");
    bool is_first = true;
    for (const auto& item : items) {
      if (!is_first) put(",");
      is_first = false;
      put_item(item);
    }
    put("]");
  }
  // The line so far, closed by its sum; begins the next.
  std::string take(recording::LineSum& sum) {
    std::string line = std::move(text_);
    text_.clear();
    sum.add(line);
    line += fmt::format(R"(,"sum":"{:016x}"}})", sum.value());
    line += '\n';
    return line;
  }

 private:
  std::string text_;
};

void put_instant(const Instant& instant, Text& text) {
  text.put(R"({{"now":{},"messages":)", ns(instant.now));
  text.list(instant.messages, [&](const Message& message) { std::visit(text, message); });
  text.put(R"(,"decisions":)");
  text.list(instant.decisions, [&](const DecisionRecord& decision) { text(decision); });
}

}  // namespace

void write_recording(const std::string& path,
                     const RecordingSource& source,
                     const Scenario& scenario,
                     const Plan& plan,
                     const MessageLog& log) {
  errno = 0;
  AtomicFile target(path);
  std::ofstream file(target.temporary_path(), std::ios::binary);
  recording::LineSum sum;
  Text text;
  const Json head{{"format", recording::kFormat},
                  {"schema", recording::kSchema},
                  {"runtime", source.runtime},
                  {"version", source.version},
                  {"git_hash", source.git_hash},
                  {"scenario", self_contained(scenario)},
                  {"plan", to_json(plan, scenario.workloads)}};
  std::string line = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  line.pop_back();  // the closing brace follows the sum
  text.put("{}", line);
  file << text.take(sum);
  for (const Instant& instant : log.instants) {
    put_instant(instant, text);
    file << text.take(sum);
  }
  const recording::Counts counts = recording::count(log);
  text.put(R"({{"end":true,"instants":{},"messages":{},"decisions":{})", counts.instants,
           counts.messages, counts.decisions);
  file << text.take(sum);
  file.close();
  if (!file)
    throw SystemError(path + ": cannot be written: " + std::strerror(errno == 0 ? EIO : errno));
  target.commit();
}

std::optional<RecordingDifference> replay(const RunRecording& recording) {
  const PolicySpec& spec = recording.scenario.dispatcher;
  const DispatcherEntry* entry = find_dispatcher(spec.name);
  TANGRAM_CHECK(entry != nullptr, "unknown dispatcher ", spec.name);
  const std::unique_ptr<Dispatcher> dispatcher = entry->make(spec.params);
  const auto difference = find_difference(recording.log, recording.deployment, *dispatcher,
                                          recording.scenario.device.depth);
  if (!difference) return std::nullopt;
  const TimePoint now = recording.log.instants[difference->instant].now;
  return RecordingDifference{difference->instant + 2,
                             fmt::format("instant {} ({:.6f} s): {}", difference->instant,
                                         to_seconds(now - kStart), difference->what)};
}

std::string size_of(const MessageLog& log) {
  const recording::Counts counts = recording::count(log);
  return fmt::format("{} instants, {} messages, {} decisions", counts.instants, counts.messages,
                     counts.decisions);
}

}  // namespace tangram
