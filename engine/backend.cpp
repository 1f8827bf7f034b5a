#include "engine/backend.h"

#include <algorithm>

#include "engine/emulated.h"
#include "engine/worker_backend.h"
#include "sim/core/error.h"

namespace tangram {

const std::vector<BackendInfo>& backends() {
  static const std::vector<BackendInfo> table{
      {"emulated", "a thread per executor waits for the profiled time; no device", {}, nullptr},
      {"cpu",
       "a process per executor on a core, or on a share of it",
       {"torch", "native", "sleep"},
       lay_out_cpu}};
  return table;
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendInfo& backend : backends()) names.push_back(backend.name);
  return names;
}

std::unique_ptr<Backend> make_backend(const std::string& name,
                                      const Scenario& scenario,
                                      StreamKey key,
                                      EngineSettings settings) {
  const auto backend = std::find_if(backends().begin(), backends().end(),
                                    [&](const BackendInfo& info) { return info.name == name; });
  if (backend == backends().end()) {
    throw ConfigError("--backend", unknown_name("backend", name, backend_names()));
  }
  const std::vector<std::string>& runners = backend->runners;
  if (settings.runner.empty() && !runners.empty()) settings.runner = runners.front();
  if (!settings.runner.empty() &&
      std::find(runners.begin(), runners.end(), settings.runner) == runners.end()) {
    throw ConfigError("--runner",
                      unknown_name("runner of the backend " + name, settings.runner, runners));
  }
  if (backend->lay_out == nullptr) return std::make_unique<EmulatedBackend>(scenario, key);
  return std::make_unique<WorkerBackend>(name, backend->lay_out, std::move(settings));
}

}  // namespace tangram
