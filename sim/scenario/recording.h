// A run written down as its Host saw it, for a replay: what was decided on (scenario, profiles,
// plan), every message, every decision. Format: docs/reference/recording.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "policies/deployment.h"
#include "policies/message_log.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// What made a recording.
struct RecordingSource {
  std::string runtime;  // "emulated", "cpu", ...
  std::string version;
  std::string git_hash;
};

// Everything that a replay needs; nothing of it refers to another file.
struct RunRecording {
  RecordingSource source;
  Scenario scenario;  // recorded traces stand in it as constant arrivals: the log has the requests
  Plan plan;
  Deployment deployment;
  MessageLog log;
};

// Writes a recording: a line of JSON for the head, one for each instant, one for the end; instant i
// is line i + 2. Throws SystemError; the target is complete or untouched.
// Requires: `plan` was passed by make_plan for the scenario, whose text is valid.
void write_recording(const std::string& path,
                     const RecordingSource& source,
                     const Scenario& scenario,
                     const Plan& plan,
                     const MessageLog& log);

// Every line carries a sum over itself and all lines before it, so that a line that was changed,
// lost, doubled or moved is found. kIgnore is for tests of what lies behind that check.
enum class LineSums : std::uint8_t { kCheck, kIgnore };

// Reads a recording. Throws ConfigError with a fault for each wrong place, as
// PATH:LINE#/json/pointer: lines that are not as they were written, a missing end, ids that the
// deployment does not have, times that go back.
RunRecording read_recording(const std::string& path);
// The same from text; `source` begins the places of faults.
RunRecording parse_recording(const std::string& text,
                             const std::string& source,
                             LineSums sums = LineSums::kCheck);

struct RecordingDifference {
  std::size_t line = 0;  // of the recording, from 1
  std::string what;      // a sentence that begins with the instant's number and time
};
// Feeds the messages to a fresh Host and dispatcher. Returns where they first decide otherwise, or
// nullopt.
std::optional<RecordingDifference> replay(const RunRecording& recording);

// "1234 instants, 2345 messages, 1200 decisions".
std::string size_of(const MessageLog& log);

}  // namespace tangram
