// Worker specifications for tests: the runners that need no framework.
#pragma once

#include <string>
#include <vector>

#include "engine/worker_calls.h"

namespace tangram {

// A worker with a lane for each model, loaded unless told otherwise.
inline WorkerSpec worker_of(const std::string& runner,
                            const std::vector<std::string>& models,
                            bool loaded = true) {
  WorkerSpec spec;
  spec.runner = runner;
  spec.device = "cpu";
  spec.sharing = "cpu";
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    ModelSpec model;
    model.name = models[m];
    spec.models.push_back(model);
    LaneSpec lane;
    if (loaded) lane.models = {m};
    spec.lanes.push_back(lane);
  }
  return spec;
}

inline PoolOptions beside_the_engine() {
  PoolOptions options;
  options.folder = TANGRAM_WORKER_FOLDER;
  return options;
}

}  // namespace tangram
