// Strict reading of JSON: every key must be asked for, every number has a range, and each fault
// says where it is (SOURCE#/json/pointer) and what would be right. Nothing is repaired silently.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/core/error.h"

namespace tangram {

using Json = nlohmann::ordered_json;

// Parses `text`; `source` (a file's name) begins the place of every fault. Adds a fault with
// SOURCE:LINE:COLUMN for a syntax error (NaN and Infinity are not JSON), nesting deeper than 64,
// and one with the pointer for each duplicate key. Returns nullopt after a syntax error.
std::optional<Json> parse_json(std::string_view text, const std::string& source, Faults& faults);

// Reads and parses a file. Adds a fault for a file that cannot be read.
std::optional<Json> read_json_file(const std::string& path, Faults& faults);

// One value and its place. Each reader adds a fault and returns nullopt when the value does not
// fit. Refers to the document and to the faults, which must outlive it.
class JsonNode {
 public:
  JsonNode(const Json& value, std::string source, Faults& faults)
      : JsonNode(value, std::move(source), "", faults) {}
  JsonNode(const Json& value, std::string source, std::string pointer, Faults& faults)
      : value_(&value),
        source_(std::move(source)),
        pointer_(std::move(pointer)),
        faults_(&faults) {}

  const Json& value() const { return *value_; }
  const std::string& source() const { return source_; }
  const std::string& pointer() const { return pointer_; }
  Faults& faults() const { return *faults_; }
  // "SOURCE#/pointer".
  std::string where() const;
  void fault(std::string what) const { faults_->add(where(), std::move(what)); }

  // A finite number in [low, high].
  std::optional<double> number(double low, double high) const;
  // A number > 0, at most high.
  std::optional<double> positive(double high) const;
  // An integer in [low, high]; 3.0 counts, 3.5 does not.
  std::optional<std::int64_t> integer(std::int64_t low, std::int64_t high) const;
  std::optional<bool> boolean() const;
  // A string that is not empty.
  std::optional<std::string> string() const;
  // A string among `known`; the fault names the nearest of them. `kind` is "dispatcher" or the
  // like.
  std::optional<std::string> name_of(std::string_view kind,
                                     const std::vector<std::string>& known) const;
  // The items of an array; a fault and none for anything else.
  std::vector<JsonNode> items() const;
  JsonNode child(const std::string& key, const Json& value) const;

 private:
  const Json* value_;
  std::string source_;
  std::string pointer_;
  Faults* faults_;
};

// Reads an object key by key and finds the keys nobody asked for.
//   JsonObject object(node);
//   if (auto n = object.require("slo_ms")) slo = n->positive(1e9).value_or(1);
//   object.finish();
class JsonObject {
 public:
  // Adds a fault unless `node` is an object; every key is then absent without further faults.
  explicit JsonObject(JsonNode node);

  bool is_object() const { return is_object_; }
  const JsonNode& node() const { return node_; }
  bool has(std::string_view key) const;
  // The value of an optional key; null counts as absent.
  std::optional<JsonNode> get(const std::string& key);
  // The value of a required key; a fault when it is absent.
  std::optional<JsonNode> require(const std::string& key);
  // Declares a key that another part reads.
  void ignore(const std::string& key) { known_.push_back(key); }
  // Adds a fault for each unknown key, with the nearest known one. Call it last.
  void finish();

 private:
  JsonNode node_;
  bool is_object_;
  std::vector<std::string> known_;
};

}  // namespace tangram
