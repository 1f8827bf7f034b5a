// Triton's dispatcher with these parameters (JSON), for the files of its tests.
#pragma once

#include <string>
#include <vector>

#include "tests/policies/host_driver.h"

namespace tangram::testing {

inline DriverResult run_triton(const std::string& params,
                               const Deployment& deployment,
                               const std::vector<TestArrival>& arrivals) {
  const auto dispatcher = make_dispatcher("triton", params);
  return drive(deployment, *dispatcher, arrivals);
}

}  // namespace tangram::testing
