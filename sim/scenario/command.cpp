#include "sim/scenario/command.h"

#include <filesystem>
#include <new>
#include <unistd.h>

#include "sim/core/check.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) ||
         fs::absolute(a, error).lexically_normal() == fs::absolute(b, error).lexically_normal();
}

std::string why_not_writable(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return "is a folder";
  if (fs::exists(path, error) && !fs::is_regular_file(path, error)) {
    return ::access(path.c_str(), W_OK) == 0 ? "" : "cannot be written";
  }
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::is_directory(folder, error)) return "there is no folder " + folder.string();
  if (::access(folder.c_str(), W_OK) != 0)
    return "the folder " + folder.string() + " cannot be written";
  return "";
}

}  // namespace

int guarded(const std::function<int()>& action, std::vector<std::string>& errors) {
  try {
    return action();
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) {
      errors.push_back(fault.where.empty() ? fault.what : fault.where + ": " + fault.what);
    }
    return kWrongInput;
  } catch (const NoAnswer& error) {
    errors.emplace_back(error.what());
    return kAnswerIsNo;
  } catch (const InternalError& error) {
    errors.push_back(std::string("a bug in tangram, please report it: ") + error.what());
    return kSystemFailed;
  } catch (const std::bad_alloc&) {
    errors.emplace_back("out of memory");
    return kSystemFailed;
  } catch (const std::exception& error) {
    errors.emplace_back(error.what());
    return kSystemFailed;
  }
}

void check_outputs(const std::vector<OutputPath>& outputs,
                   const std::vector<std::string>& inputs,
                   Faults& faults) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& [option, path] = outputs[i];
    if (path.empty()) continue;
    const std::string where = option + ' ' + path;
    const std::string why_not = why_not_writable(path);
    if (!why_not.empty()) faults.add(where, why_not);
    for (const std::string& input : inputs) {
      if (is_same_file(path, input)) faults.add(where, "would overwrite the input");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!outputs[j].path.empty() && is_same_file(path, outputs[j].path)) {
        faults.add(where, "is also the file of " + outputs[j].option);
      }
    }
  }
}

Scenario load_scenario(const ScenarioArguments& arguments) {
  Faults faults;
  std::vector<std::string> inputs = arguments.other_inputs;
  inputs.push_back(arguments.path);
  check_outputs(arguments.outputs, inputs, faults);
  std::vector<Override> overrides;
  for (const std::string& text : arguments.set) {
    try {
      overrides.push_back(parse_override(text));
    } catch (const ConfigError& error) {
      faults.append(error);
    }
  }
  if (arguments.seed) overrides.emplace_back("/seed", *arguments.seed);
  Scenario scenario;
  try {
    scenario = load_scenario(arguments.path, overrides);
  } catch (const ConfigError& error) {
    faults.append(error);
  }
  faults.throw_if_any();
  return scenario;
}

}  // namespace tangram
