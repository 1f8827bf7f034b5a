// tangram replay: are the decisions of a recorded run those of its policy on its messages?
#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "sim/core/error.h"
#include "sim/results/version.h"
#include "sim/scenario/recording.h"

namespace tangram::cli {
namespace {

int replay_command(const std::string& path) {
  const RunRecording recording = read_recording(path);
  const RecordingSource& source = recording.source;
  if (source.version != version() || source.git_hash != git_hash()) {
    print_note(fmt::format("recorded by tangram {} (git {}); this is {} (git {})", source.version,
                           source.git_hash, version(), git_hash()));
  }
  if (const auto difference = replay(recording)) {
    throw NoAnswer(fmt::format("{}:{}: {}", path, difference->line, difference->what));
  }
  print(fmt::format("{} on {}, recorded on the backend {}: {}\nthe same decisions\n",
                    recording.scenario.dispatcher.name,
                    recording.deployment.executors.size() == 1
                        ? "1 executor"
                        : fmt::format("{} executors", recording.deployment.executors.size()),
                    source.runtime, size_of(recording.log)));
  return kDone;
}

}  // namespace

Action add_replay(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  app.add_option("RECORDING", *path, "what tangram-engine run --record wrote")->required();
  app.footer(
      "Exit code 0: every decision is the same; 1: the first that is not, with its line; 2: the "
      "file is not as it was written.");
  return [path] { return replay_command(*path); };
}

}  // namespace tangram::cli
