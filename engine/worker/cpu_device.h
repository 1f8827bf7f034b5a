// What the runners on the CPU share: the description of the processor, names that hold numbers, and
// a guard against sizes that no machine has.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/worker/runner.h"

namespace tangram {

// The processor's name, the cores that this process may use, the kernel.
WorkerGrant describe_cpu(const std::string& framework);

// "mlp-512-4" with prefix "mlp": {512, 4}. nullopt unless every part is a number >= 0.
std::optional<std::vector<double>> numbers_of(const std::string& name, const std::string& prefix);

// Throws RunnerError kOutOfMemory when that is more than the machine's memory: asked for, the
// system would promise it and end the process later.
void check_fits(const std::string& what, double bytes);

}  // namespace tangram
