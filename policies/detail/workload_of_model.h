// For plan formats that name models where we name workloads.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/workload.h"

namespace tangram::detail {

class WorkloadOfModel {
 public:
  explicit WorkloadOfModel(const std::vector<Workload>& workloads);

  // The one workload with that model. nullptr, and `fault` says why, when there is none or when
  // there are several.
  const std::string* find(std::string_view model, std::string& fault) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> names_;  // by model
};

}  // namespace tangram::detail
