#include "engine/model_catalogue.h"

#include <algorithm>
#include <filesystem>

namespace tangram {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string>& dtype_names() {
  static const std::vector<std::string> names{"float32", "int64"};
  return names;
}

ModelSpec model_of(const JsonNode& node, const fs::path& folder) {
  JsonObject object(node);
  ModelSpec model;
  if (const auto name = object.require("name")) model.name = name->string().value_or("");
  if (const auto file = object.require("file")) {
    model.path = (folder / file->string().value_or("")).string();
    if (!fs::is_regular_file(model.path)) file->fault("there is no file " + model.path);
  }
  if (const auto kind = object.require("kind")) model.kind = kind->string().value_or("");
  if (const auto input = object.require("input")) {
    for (const JsonNode& size : input->items()) {
      model.input.push_back(size.integer(1, INT32_MAX).value_or(1));
    }
  }
  if (const auto dtype = object.require("dtype")) {
    model.dtype = dtype->name_of("dtype", dtype_names()).value_or("float32");
  }
  if (const auto below = object.get("values_below")) {
    model.values_below = below->integer(1, INT32_MAX).value_or(1);
  }
  // For people and for planners, not for the engine.
  object.ignore("parameters");
  object.finish();
  return model;
}

}  // namespace

std::vector<ModelSpec> read_models(const std::string& folder) {
  const std::string path = (fs::path(folder) / "models.json").string();
  Faults faults;
  const auto json = read_json_file(path, faults);
  std::vector<ModelSpec> models;
  if (json) {
    JsonObject object(JsonNode(*json, path, faults));
    if (const auto schema = object.require("schema")) schema->integer(1, 1);
    object.ignore("framework");
    object.ignore("seed");
    if (const auto list = object.require("models")) {
      for (const JsonNode& node : list->items()) models.push_back(model_of(node, folder));
    }
    object.finish();
  }
  faults.throw_if_any();
  return models;
}

std::vector<ModelSpec> find_models(const std::vector<std::string>& names,
                                   const std::string& runner,
                                   const std::string& folder) {
  std::vector<ModelSpec> found;
  if (runner != "torch") {
    for (const std::string& name : names) found.emplace_back().name = name;
    return found;
  }
  if (folder.empty()) {
    throw ConfigError("--models",
                      "the runner torch needs the folder of its models, which "
                      "scripts/export_models.py writes (docs/guide/engine.md)");
  }
  const std::vector<ModelSpec> there = read_models(folder);
  std::vector<std::string> known;
  for (const ModelSpec& model : there) known.push_back(model.name);
  Faults faults;
  for (const std::string& name : names) {
    const auto model = std::find_if(there.begin(), there.end(),
                                    [&](const ModelSpec& m) { return m.name == name; });
    if (model != there.end()) {
      found.push_back(*model);
    } else {
      faults.add("--models " + folder, unknown_name("model", name, known));
    }
  }
  faults.throw_if_any();
  return found;
}

}  // namespace tangram
