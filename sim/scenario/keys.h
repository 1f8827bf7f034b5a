// Every key of a scenario: kind, range, default, meaning. The reader takes limits and defaults from
// this table and `tangram describe scenario` prints it, so that they cannot disagree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/core/json_reader.h"

namespace tangram {

enum class KeyKind : std::uint8_t {
  kNumber,    // in [low, high]
  kPositive,  // in (0, high]
  kInteger,   // in [low, high]
  kSeed,      // an integer of 64 bits without sign
  kBool,
  kString,
  kName,  // one of `names`
  kObject,
  kArray,
};

struct KeyInfo {
  std::string pointer;  // "/workloads/*/slo_ms": * stands for every index
  KeyKind kind = KeyKind::kString;
  bool required = false;
  Json initial;  // null: none, or as the help says
  double low = 0, high = 0;
  std::vector<std::string> names;
  std::string help;
};

// In the order of the reference page.
const std::vector<KeyInfo>& scenario_keys();
// "number in (0, 4.6e+09]", "one of planned, busy".
std::string range_of(const KeyInfo& key);

// Reads the object at one pointer of the table: each key by its entry there. Absent and faulty keys
// give the default, or the least legal value where there is none.
class KeyReader {
 public:
  // `path` is the table's pointer of the object, "" for the whole scenario. Without a node every
  // key is absent and no fault is added for it.
  KeyReader(const std::optional<JsonNode>& node, std::string path);

  bool has(const std::string& key) const { return object_ && object_->has(key); }
  double number(const std::string& key);
  std::optional<double> optional_number(const std::string& key);
  std::int64_t integer(const std::string& key);
  std::uint64_t seed(const std::string& key);
  bool boolean(const std::string& key);
  // "" when absent.
  std::string string(const std::string& key);
  // The index of the name in the entry's names; nullopt after a fault.
  std::optional<std::size_t> name(const std::string& key);
  // An object or array, for another reader.
  std::optional<JsonNode> node(const std::string& key);
  std::vector<JsonNode> items(const std::string& key);
  // Adds the faults of unknown keys. Call it last.
  void finish();

 private:
  const KeyInfo& info(const std::string& key) const;
  std::optional<JsonNode> child(const KeyInfo& entry, const std::string& key);

  std::optional<JsonObject> object_;
  std::string path_;
};

}  // namespace tangram
