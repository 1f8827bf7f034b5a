// Reading a recording: the sums of its lines, then the head, then each instant against the
// deployment, so that a replay meets no id that does not exist.
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "policies/host.h"
#include "policies/plan_io.h"
#include "policies/registry.h"
#include "sim/core/atomic_file.h"
#include "sim/scenario/detail/recording_format.h"
#include "sim/scenario/recording.h"

namespace tangram {
namespace {

// Times beyond this (2.3 years) could overflow in the sums that policies make of them.
constexpr std::int64_t kLatest = std::int64_t{1} << 56;

// The line behind the head.
constexpr std::size_t kFirstInstant = 2;

// `,"sum":"0123456789abcdef"}`
constexpr std::string_view kSumKey = R"(,"sum":")";
constexpr std::size_t kSumLength = kSumKey.size() + 16 + 2;

// The sum at a line's end, or nullopt.
std::optional<std::uint64_t> stated_sum(std::string_view line) {
  if (line.size() < kSumLength) return std::nullopt;
  const std::string_view tail = line.substr(line.size() - kSumLength);
  if (!tail.starts_with(kSumKey) || !tail.ends_with("\"}")) return std::nullopt;
  std::uint64_t value = 0;
  const char* const first = tail.data() + kSumKey.size();
  const auto [end, error] = std::from_chars(first, first + 16, value, 16);
  if (error != std::errc() || end != first + 16) return std::nullopt;
  return value;
}

// One array of a line, such as ["timer",3]: its parts by number. Faults have the place
// SOURCE:LINE#/messages/3/1.
class Row {
 public:
  Row(const Json& items,
      const std::string& line,
      const char* list,
      std::size_t index,
      Faults& faults)
      : items_(items), line_(line), list_(list), index_(index), faults_(faults) {}

  std::string word(std::size_t part) const {
    return has(part) && items_[part].is_string() ? items_[part].get<std::string>() : std::string();
  }
  std::uint64_t number(std::size_t part, std::uint64_t high) const {
    if (has(part) && items_[part].is_number_unsigned()) {
      const auto value = items_[part].get<std::uint64_t>();
      if (value <= high) return value;
    }
    fault(part, fmt::format("must be an integer from 0 to {}", high));
    return 0;
  }
  // An index below `count`.
  std::uint32_t index(std::size_t part, const char* of, std::size_t count) const {
    if (has(part) && items_[part].is_number_unsigned() &&
        items_[part].get<std::uint64_t>() < count) {
      return items_[part].get<std::uint32_t>();
    }
    fault(part, fmt::format("must be the number of one of the {} {}", count, of));
    return 0;
  }
  TimePoint time(std::size_t part) const {
    return kStart + Duration(static_cast<Duration::rep>(number(part, kLatest)));
  }
  bool boolean(std::size_t part) const {
    if (has(part) && items_[part].is_boolean()) return items_[part].get<bool>();
    fault(part, "must be true or false");
    return false;
  }
  std::optional<std::size_t> name(std::size_t part,
                                  std::string_view kind,
                                  const std::vector<std::string>& known) const {
    const std::string given = word(part);
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i] == given) return i;
    }
    fault(part, unknown_name(kind, given, known));
    return std::nullopt;
  }
  // Adds a fault unless there are this many parts.
  void expect_size(std::size_t size) const {
    if (items_.size() != size) {
      faults_.add(where(), fmt::format("must have {} parts, not {}", size, items_.size()));
    }
  }
  bool has(std::size_t part) const { return items_.is_array() && part < items_.size(); }
  const Json& at(std::size_t part) const { return items_[part]; }
  void fault(std::size_t part, std::string what) const {
    faults_.add(fmt::format("{}/{}", where(), part), std::move(what));
  }

 private:
  std::string where() const { return fmt::format("{}#/{}/{}", line_, list_, index_); }

  const Json& items_;
  const std::string& line_;
  const char* list_;
  std::size_t index_;
  Faults& faults_;
};

class InstantReader {
 public:
  InstantReader(const RunRecording& recording, std::uint32_t timers, Faults& faults)
      : deployment_(recording.deployment),
        batches_(recording.deployment.executors.size() * 2 * recording.scenario.device.depth),
        timers_(timers),
        faults_(faults) {}

  Instant read(const Json& json, const std::string& line) {
    Instant instant;
    JsonNode node(json, line, faults_);
    JsonObject object(node);
    if (const auto now = object.require("now")) {
      const std::int64_t t = now->integer(0, kLatest).value_or(0);
      if (t < last_) now->fault(fmt::format("time goes back: the instant before is at {}", last_));
      last_ = std::max(last_, t);
      instant.now = kStart + Duration(t);
    }
    if (const auto list = object.require("messages")) {
      for_each(*list, "messages",
               [&](const Row& row) { instant.messages.push_back(read_message(row)); });
    }
    if (const auto list = object.require("decisions")) {
      for_each(*list, "decisions",
               [&](const Row& row) { instant.decisions.push_back(read_decision(row)); });
    }
    object.ignore("sum");
    object.finish();
    return instant;
  }

 private:
  template <typename Use>
  void for_each(const JsonNode& list, const char* name, Use use) {
    if (!list.value().is_array()) {
      list.fault("must be an array");
      return;
    }
    for (std::size_t i = 0; i < list.value().size(); ++i) {
      use(Row(list.value()[i], list.source(), name, i, faults_));
    }
  }

  BatchId batch(const Row& row, std::size_t part) const {
    return {row.index(part, "batch slots", batches_),
            static_cast<std::uint32_t>(row.number(part + 1, ~std::uint32_t{0}))};
  }
  ExecutorId executor(const Row& row, std::size_t part) const {
    return ExecutorId(row.index(part, "executors", deployment_.executors.size()));
  }
  ModelId model(const Row& row, std::size_t part) const {
    return ModelId(row.index(part, "models", deployment_.models.size()));
  }
  QueueId queue(const Row& row, std::size_t part) const {
    return QueueId(row.index(part, "queues", deployment_.queues.size()));
  }

  Message read_message(const Row& row) const {
    static const std::vector<std::string> kKinds{"finished", "refused",  "arrived",
                                                 "timer",    "executor", "loaded"};
    const std::optional<std::size_t> kind = row.name(0, "message", kKinds);
    if (!kind) return TimerMessage{};  // of no use: the file is refused
    switch (*kind) {
      case 0: {
        row.expect_size(5);
        const FinishedMessage message{batch(row, 1), row.time(3), row.time(4)};
        if (message.start > message.end) row.fault(3, "must not be later than the end");
        return message;
      }
      case 1:
        row.expect_size(4);
        return RefusedMessage{
            batch(row, 1),
            static_cast<Refusal>(row.name(3, "reason", recording::refusal_names()).value_or(0))};
      case 2: {
        row.expect_size(5);
        const WorkloadId workload(row.index(1, "workloads", deployment_.workloads.size()));
        const Request request{row.time(3), RequestId{row.number(2, ~std::uint64_t{0})}};
        if (request.arrival > kStart + Duration(last_)) {
          row.fault(3, "must not be later than the instant");
        }
        return ArrivedMessage{workload, request, row.number(4, ~std::uint64_t{0})};
      }
      case 3:
        row.expect_size(2);
        return TimerMessage{TimerId(row.index(1, "timers", timers_))};
      case 4:
        row.expect_size(3);
        return ExecutorMessage{executor(row, 1), row.boolean(2)};
      default:
        row.expect_size(6);
        if (!deployment_.weights.managed()) row.fault(0, "the scenario loads no weights in a run");
        return LoadedMessage{executor(row, 1), model(row, 2), row.boolean(3), row.time(4),
                             row.time(5)};
    }
  }

  DecisionRecord read_decision(const Row& row) const {
    static const std::vector<std::string> kKinds{"run", "drop", "load", "unload"};
    DecisionRecord decision;
    const std::optional<std::size_t> kind = row.name(0, "decision", kKinds);
    if (!kind) return decision;  // of no use: the file is refused
    decision.kind = static_cast<CommandKind>(*kind);
    std::size_t requests = 0;
    switch (decision.kind) {
      case CommandKind::kRun:
        row.expect_size(8);
        decision.executor = executor(row, 1);
        decision.queue = queue(row, 2);
        decision.batch = batch(row, 3);
        decision.window.earliest = row.time(5);
        if (row.has(6) && !row.at(6).is_null()) decision.window.latest = row.time(6);
        requests = 7;
        break;
      case CommandKind::kDrop:
        row.expect_size(4);
        decision.reason =
            static_cast<DropReason>(row.name(1, "reason", drop_reason_names()).value_or(0));
        decision.queue = queue(row, 2);
        requests = 3;
        break;
      case CommandKind::kLoad:
      case CommandKind::kUnload:
        row.expect_size(3);
        decision.executor = executor(row, 1);
        decision.model = model(row, 2);
        return decision;
    }
    if (!row.has(requests) || !row.at(requests).is_array()) {
      row.fault(requests, "must be an array of requests");
      return decision;
    }
    for (const Json& id : row.at(requests)) {
      if (!id.is_number_unsigned()) row.fault(requests, "must be an array of requests");
      decision.requests.push_back({id.is_number_unsigned() ? id.get<std::uint64_t>() : 0});
    }
    return decision;
  }

  const Deployment& deployment_;
  const std::size_t batches_;
  const std::uint32_t timers_;
  Faults& faults_;
  std::int64_t last_ = 0;
};

// Places of a text that is one line of a file: "log:7:1:12" becomes "log:7:12".
std::optional<Json> parse_line(std::string_view text, const std::string& line, Faults& faults) {
  Faults own;
  std::optional<Json> json = parse_json(text, line, own);
  try {
    own.throw_if_any();
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) {
      const std::string first_line = line + ":1:";
      const bool is_syntax = fault.where.starts_with(first_line);
      faults.add(is_syntax ? line + ':' + fault.where.substr(first_line.size()) : fault.where,
                 fault.what);
    }
    return std::nullopt;
  }
  return json;
}

class Reader {
 public:
  Reader(const std::string& source, LineSums sums) : source_(source), sums_(sums) {}

  RunRecording read(std::string_view text) {
    std::size_t at = 0;
    bool is_cut = text.empty();
    while (at < text.size() && !is_cut) {
      const std::size_t end = text.find('\n', at);
      is_cut = end == std::string_view::npos;
      const std::string_view line = text.substr(at, is_cut ? end : end - at);
      at += line.size() + 1;
      ++line_;
      place_ = fmt::format("{}:{}", source_, line_);
      if (is_cut) {
        faults_.add(place_, line_ == 1 && !is_head(line) ? not_a_recording()
                                                         : "cut off in the middle of this line");
      } else if (line_ == 1) {
        read_head(line);
        // Nothing below has a meaning without the head.
        faults_.throw_if_any();
      } else if (has_its_sum(line)) {
        read_body(line);
      }
    }
    if (!is_over_ && !is_cut) {
      faults_.add(fmt::format("{}:{}", source_, line_ + 1),
                  "the line that ends a recording is missing: the file was cut off here");
    }
    if (text.empty()) faults_.add(source_ + ":1", not_a_recording());
    faults_.throw_if_any();
    return std::move(recording_);
  }

 private:
  static std::string not_a_recording() {
    return "not a recording: tangram-engine run --record FILE writes one";
  }

  static bool is_head(std::string_view line) {
    return line.starts_with(fmt::format(R"({{"format":"{}",)", recording::kFormat));
  }

  bool has_its_sum(std::string_view line) {
    if (sums_ == LineSums::kIgnore) return true;
    const std::optional<std::uint64_t> stated = stated_sum(line);
    if (stated) sum_.add(line.substr(0, line.size() - kSumLength));
    if (stated && *stated == sum_.value()) return true;
    faults_.add(place_,
                "not as it was written: this line was changed, or lines before it are missing, "
                "doubled or moved");
    // Each damage is told once, unless it hit the sum: the lines that follow are held to the sum
    // that stands here.
    if (stated) sum_.set(*stated);
    return false;
  }

  void read_head(std::string_view line) {
    if (!is_head(line)) {
      faults_.add(place_, not_a_recording());
      return;
    }
    if (!has_its_sum(line)) return;
    const std::optional<Json> json = parse_line(line, place_, faults_);
    if (!json) return;
    JsonObject object(JsonNode(*json, place_, faults_));
    object.ignore("format");
    object.ignore("sum");
    const auto schema = object.require("schema");
    if (!schema || !schema->integer(recording::kSchema, recording::kSchema)) return;
    const auto text = [&](const char* key) {
      const auto node = object.require(key);
      return node ? node->string().value_or("") : std::string();
    };
    recording_.source = {text("runtime"), text("version"), text("git_hash")};
    const auto scenario = object.require("scenario");
    const auto plan = object.require("plan");
    object.finish();
    if (!scenario || !plan) return;
    try {
      read_run(scenario->value(), *plan);
    } catch (const ConfigError& error) {
      faults_.append(error);
    } catch (const InternalError& error) {
      faults_.add(place_, std::string("the dispatcher refuses this plan: ") + error.what());
    }
  }

  // Throws ConfigError with places of the form SOURCE:1#/scenario/workloads/0.
  Scenario scenario_of(const Json& json) const {
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    try {
      return parse_scenario(text, place_, ".");
    } catch (const ConfigError& error) {
      Faults faults;
      const std::string root = place_ + '#';
      for (const Fault& fault : error.faults()) {
        const bool is_inside = fault.where.starts_with(root);
        faults.add(is_inside ? root + "/scenario" + fault.where.substr(root.size()) : fault.where,
                   fault.what);
      }
      faults.throw_if_any();
      throw;
    }
  }

  // What the run was of, ready for a replay.
  void read_run(const Json& scenario, const JsonNode& plan) {
    recording_.scenario = scenario_of(scenario);
    const Scenario& s = recording_.scenario;
    recording_.plan = read_plan(plan);
    if (!faults_.empty()) return;
    check_plan(recording_.plan, s.workloads, s.profiles, s.cluster, place_ + "#/plan", faults_);
    if (!faults_.empty()) return;
    recording_.deployment = deploy(recording_.plan, s.workloads, s.profiles, s.routing);
    manage_weights(recording_.deployment, s.cluster, s.profiles, s.device.weights);
    const auto dispatcher = find_dispatcher(s.dispatcher.name)->make(s.dispatcher.params);
    const Host host(recording_.deployment, *dispatcher, s.device.depth);
    instants_.emplace(recording_, host.timers(), faults_);
  }

  void read_body(std::string_view line) {
    if (is_over_) {
      faults_.add(place_, "follows the line that ends the recording");
      return;
    }
    const std::optional<Json> json = parse_line(line, place_, faults_);
    if (!json) return;
    if (json->is_object() && json->contains("end")) {
      read_end(*json);
    } else {
      Instant instant = instants_->read(*json, place_);
      if (line_ == kFirstInstant && !instant.messages.empty()) {
        faults_.add(place_ + "#/messages", "must be empty: the first instant is the start");
      }
      recording_.log.instants.push_back(std::move(instant));
    }
  }

  void read_end(const Json& json) {
    is_over_ = true;
    if (line_ == kFirstInstant) faults_.add(place_, "ends a recording without an instant");
    JsonObject object(JsonNode(json, place_, faults_));
    object.ignore("end");
    object.ignore("sum");
    const auto count = [&](const char* key) {
      const auto node = object.require(key);
      return static_cast<std::uint64_t>(node ? node->integer(0, kLatest).value_or(0) : 0);
    };
    const recording::Counts stated{count("instants"), count("messages"), count("decisions")};
    object.finish();
    if (!faults_.empty() || stated == recording::count(recording_.log)) return;
    faults_.add(place_, fmt::format("says {} instants, {} messages, {} decisions; the lines before "
                                    "it hold {}",
                                    stated.instants, stated.messages, stated.decisions,
                                    size_of(recording_.log)));
  }

  const std::string source_;
  const LineSums sums_;
  Faults faults_;
  recording::LineSum sum_;
  RunRecording recording_;
  std::optional<InstantReader> instants_;
  std::string place_;
  std::size_t line_ = 0;
  bool is_over_ = false;
};

}  // namespace

RunRecording read_recording(const std::string& path) {
  return parse_recording(read_file(path), path);
}

RunRecording parse_recording(const std::string& text, const std::string& source, LineSums sums) {
  return Reader(source, sums).read(text);
}

}  // namespace tangram
