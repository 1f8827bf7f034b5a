#include "policies/detail/workload_of_model.h"

#include <fmt/format.h>

#include "sim/core/error.h"

namespace tangram::detail {

WorkloadOfModel::WorkloadOfModel(const std::vector<Workload>& workloads) {
  for (const Workload& workload : workloads) names_[workload.model].push_back(workload.name);
}

const std::string* WorkloadOfModel::find(std::string_view model, std::string& fault) const {
  const auto found = names_.find(model);
  if (found == names_.end()) {
    std::vector<std::string> models;
    for (const auto& [known, names] : names_) models.push_back(known);
    fault = unknown_name("model", std::string(model), models);
    return nullptr;
  }
  if (found->second.size() > 1) {
    fault = fmt::format(
        "the model {} belongs to {} workloads; this format names models, so each may belong to one",
        model, found->second.size());
    return nullptr;
  }
  return &found->second.front();
}

}  // namespace tangram::detail
