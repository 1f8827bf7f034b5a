// Feeds a recorded run to a fresh Host and policy, and says where the two part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "policies/message_log.h"

namespace tangram {

struct ReplayDifference {
  std::size_t instant = 0;  // index into MessageLog::instants
  std::string what;         // one sentence: what was logged, what the replay does
};

// The first difference, or nullopt when every decision was the same and every logged timer was due
// in the replayed Host. Requires: ids of the log that this deployment and policy have, and times
// that do not go back.
std::optional<ReplayDifference> find_difference(const MessageLog& log,
                                                const Deployment& deployment,
                                                Dispatcher& dispatcher,
                                                std::uint32_t depth);

}  // namespace tangram
