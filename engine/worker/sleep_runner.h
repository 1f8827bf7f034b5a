// The runner that only waits: model "sleep-MS" or "sleep-MS-MS" takes a fixed time and a time per
// item, and lists itself as one kernel. For tests of everything around the models.
#pragma once

#include "engine/worker/runner.h"

namespace tangram {

std::unique_ptr<WorkerDevice> make_sleep_device(const WorkerSpec& spec);

}  // namespace tangram
