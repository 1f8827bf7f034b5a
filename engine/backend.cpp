#include "engine/backend.h"

#include <algorithm>

#include "engine/emulated.h"
#include "sim/core/error.h"

namespace tangram {

const std::vector<std::string>& backend_names() {
  static const std::vector<std::string> names{"emulated"};
  return names;
}

std::unique_ptr<Backend> make_backend(const std::string& name,
                                      const Scenario& scenario,
                                      StreamKey key) {
  if (name == "emulated") return std::make_unique<EmulatedBackend>(scenario, key);
  throw ConfigError("--backend", unknown_name("backend", name, backend_names()));
}

}  // namespace tangram
