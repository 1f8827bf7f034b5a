// The models of a folder, as scripts/export_models.py describes them in its models.json.
#pragma once

#include <string>
#include <vector>

#include "engine/worker/spec.h"

namespace tangram {

// Reads FOLDER/models.json. Throws ConfigError with all faults: the file, its content, files of
// models that are not there.
std::vector<ModelSpec> read_models(const std::string& folder);

// The specifications of these models, in their order: from the folder for the runner "torch", else
// by name alone. Throws ConfigError for models that the folder has not, with the nearest names.
std::vector<ModelSpec> find_models(const std::vector<std::string>& names,
                                   const std::string& runner,
                                   const std::string& folder);

}  // namespace tangram
