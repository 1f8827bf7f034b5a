// The parser (nlohmann's SAX interface, so that duplicate keys are seen) and the strict readers.
#include "sim/core/json_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "sim/core/atomic_file.h"

namespace tangram {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kLongestQuote = 60;

std::string escaped(std::string_view key) {
  std::string result;
  for (const char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

std::string place_in_text(std::string_view text, const std::string& source, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::size_t column = before.size() - line_start + 1;
  return source + ':' + std::to_string(line) + ':' + std::to_string(column);
}

// The offset of the first bracket that nests deeper than kDeepest, or npos.
std::size_t too_deep_at(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return i;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return std::string_view::npos;
}

// Says in words what nlohmann found at `offset`: its message without the code and the position.
std::string syntax_sentence(std::string_view text, std::size_t offset, std::string_view message) {
  const std::string_view rest = text.substr(std::min(offset, text.size()));
  const std::size_t before = text.substr(0, offset).find_last_not_of(" \t\r\n");
  const bool closes = rest.starts_with('}') || rest.starts_with(']');
  if (closes && before != std::string_view::npos && text[before] == ',') {
    return "not JSON: a comma before the closing bracket";
  }
  const std::size_t word = text.substr(0, offset).find_last_of(" \t\r\n,:[{") + 1;
  const std::string_view token = text.substr(std::min(word, text.size()));
  for (const std::string_view name : {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"}) {
    if (token.starts_with(name)) return "not JSON: NaN and Infinity are not numbers here";
  }
  if (token.starts_with("//") || token.starts_with("/*"))
    return "not JSON: comments are not allowed";
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return "not JSON: the text is empty";
  }
  const std::size_t dash = message.find(" - ");
  const std::size_t start = dash == std::string_view::npos ? message.find("] ") + 2 : dash + 3;
  return "not JSON: " + std::string(message.substr(std::min(start, message.size())));
}

// Builds the document and notes duplicate keys. Nesting is bounded before it runs.
class Builder {
 public:
  Builder(std::string_view text, const std::string& source, Json& root, Faults& faults)
      : text_(text), source_(source), target_(&root), faults_(faults) {}

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(Json::number_integer_t value) { return put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return put(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(Json::binary_t& value) { return put(std::move(value)); }

  bool start_object(std::size_t) { return open(Json::object()); }
  bool key(std::string& name) {
    Level& level = levels_.back();
    level.key = name;
    level.is_duplicate = !level.keys.insert(name).second;
    if (level.is_duplicate) {
      faults_.add(source_ + '#' + pointer(), "duplicate key; a key may stand once in an object");
    } else {
      level.container->get_ref<Json::object_t&>().emplace_back(name, nullptr);
    }
    return true;
  }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_array() { return close(); }

  template <typename Error>
  bool parse_error(std::size_t position, const std::string& last_token, const Error& error) {
    constexpr int kNumberOverflow = 406;  // nlohmann's out_of_range code for 1e999
    const std::size_t offset = position == 0 ? 0 : position - 1;
    if (error.id == kNumberOverflow) {
      const std::size_t start = text_.substr(0, position).rfind(last_token);
      faults_.add(place_in_text(text_, source_, start == std::string_view::npos ? offset : start),
                  "number " + last_token + " is too large; at most 1.8e308");
    } else {
      faults_.add(place_in_text(text_, source_, offset),
                  syntax_sentence(text_, offset, error.what()));
    }
    return false;
  }

 private:
  struct Level {
    Json* container;
    std::string key;
    bool is_duplicate = false;
    std::set<std::string> keys;
  };

  // Where the next value goes. The value of a duplicate key is read (its own faults count) and
  // lost.
  Json& place() {
    if (levels_.empty()) return *target_;
    Level& level = levels_.back();
    if (level.container->is_array()) return level.container->emplace_back(nullptr);
    if (!level.is_duplicate) return level.container->get_ref<Json::object_t&>().back().second;
    lost_.push_back(std::make_unique<Json>());
    return *lost_.back();
  }
  template <typename T>
  bool put(T&& value) {
    place() = Json(std::forward<T>(value));
    return true;
  }
  bool open(Json container) {
    Json& here = place();
    here = std::move(container);
    levels_.push_back({&here, {}, false, {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }
  std::string pointer() const {
    std::string path;
    for (const Level& level : levels_) {
      path += '/';
      path += level.container->is_array() ? std::to_string(level.container->size() - 1)
                                          : escaped(level.key);
    }
    return path;
  }

  std::string_view text_;
  const std::string& source_;
  Json* target_;
  Faults& faults_;
  std::vector<Level> levels_;
  std::vector<std::unique_ptr<Json>> lost_;
};

std::string text_of(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return std::string(buffer.data(), end);
}

// The value as the user wrote it, cut where it is long; containers by their kind only.
std::string quoted(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kLongestQuote) text = text.substr(0, kLongestQuote) + "...";
  return text;
}

// The value as an integer when it is one (3.0 is) and fits 64 bits.
std::optional<std::int64_t> exact_integer(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto n = value.get<std::uint64_t>();
    if (n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return {};
    return static_cast<std::int64_t>(n);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return {};
  const auto real = value.get<double>();
  // The bounds are powers of two, hence exact; the upper one itself does not fit.
  if (!(real >= -0x1p63 && real < 0x1p63) || real != std::trunc(real)) return {};
  return static_cast<std::int64_t>(real);
}

}  // namespace

std::optional<Json> parse_json(std::string_view text, const std::string& source, Faults& faults) {
  const std::size_t deep = too_deep_at(text);
  if (deep != std::string_view::npos) {
    faults.add(place_in_text(text, source, deep),
               "nested too deeply; at most " + std::to_string(kDeepest) + " levels");
    return std::nullopt;
  }
  Json document;
  Builder builder(text, source, document, faults);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  return document;
}

std::optional<Json> read_json_file(const std::string& path, Faults& faults) {
  try {
    return parse_json(read_file(path), path, faults);
  } catch (const ConfigError& error) {
    faults.append(error);
    return std::nullopt;
  }
}

std::string JsonNode::where() const {
  return source_ + '#' + pointer_;
}

std::optional<double> JsonNode::number(double low, double high) const {
  if (value_->is_number()) {
    const auto n = value_->get<double>();
    if (n >= low && n <= high) return n;
  }
  fault("must be a number from " + text_of(low) + " to " + text_of(high) + ", not " +
        quoted(*value_));
  return std::nullopt;
}

std::optional<double> JsonNode::positive(double high) const {
  if (value_->is_number()) {
    const auto n = value_->get<double>();
    if (n > 0 && n <= high) return n;
  }
  fault("must be a number above 0, at most " + text_of(high) + ", not " + quoted(*value_));
  return std::nullopt;
}

std::optional<std::int64_t> JsonNode::integer(std::int64_t low, std::int64_t high) const {
  const std::optional<std::int64_t> n = exact_integer(*value_);
  if (n && *n >= low && *n <= high) return n;
  fault("must be an integer from " + std::to_string(low) + " to " + std::to_string(high) +
        ", not " + quoted(*value_));
  return std::nullopt;
}

std::optional<bool> JsonNode::boolean() const {
  if (value_->is_boolean()) return value_->get<bool>();
  fault("must be true or false, not " + quoted(*value_));
  return std::nullopt;
}

std::optional<std::string> JsonNode::string() const {
  if (value_->is_string() && !value_->get_ref<const std::string&>().empty()) {
    return value_->get<std::string>();
  }
  fault("must be a string that is not empty, not " + quoted(*value_));
  return std::nullopt;
}

std::optional<std::string> JsonNode::name_of(std::string_view kind,
                                             const std::vector<std::string>& known) const {
  std::optional<std::string> name = string();
  if (!name) return std::nullopt;
  if (std::find(known.begin(), known.end(), *name) != known.end()) return name;
  fault(unknown_name(kind, *name, known));
  return std::nullopt;
}

std::vector<JsonNode> JsonNode::items() const {
  std::vector<JsonNode> result;
  if (!value_->is_array()) {
    fault("must be an array, not " + quoted(*value_));
    return result;
  }
  result.reserve(value_->size());
  for (std::size_t i = 0; i < value_->size(); ++i) {
    result.push_back(child(std::to_string(i), (*value_)[i]));
  }
  return result;
}

JsonNode JsonNode::child(const std::string& key, const Json& value) const {
  return JsonNode(value, source_, pointer_ + '/' + escaped(key), *faults_);
}

JsonObject::JsonObject(JsonNode node)
    : node_(std::move(node)), is_object_(node_.value().is_object()) {
  if (!is_object_) node_.fault("must be an object, not " + quoted(node_.value()));
}

bool JsonObject::has(std::string_view key) const {
  if (!is_object_) return false;
  const auto found = node_.value().find(key);
  return found != node_.value().end() && !found->is_null();
}

std::optional<JsonNode> JsonObject::get(const std::string& key) {
  known_.push_back(key);
  if (!has(key)) return std::nullopt;
  return node_.child(key, *node_.value().find(key));
}

std::optional<JsonNode> JsonObject::require(const std::string& key) {
  std::optional<JsonNode> found = get(key);
  if (!found && is_object_) node_.fault("the key \"" + key + "\" is missing");
  return found;
}

void JsonObject::finish() {
  if (!is_object_) return;
  for (const auto& [key, value] : node_.value().items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      node_.child(key, value).fault(unknown_name("key", key, known_));
    }
  }
}

}  // namespace tangram
