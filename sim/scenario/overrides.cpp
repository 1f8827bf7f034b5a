// JSON pointers (RFC 6901) walked by hand, so that a wrong one can be explained.
#include "sim/scenario/overrides.h"

#include <algorithm>
#include <optional>

namespace tangram {
namespace {

std::string kind_of(const Json& value) {  // of a scalar
  if (value.is_string()) return "a string";
  return value.is_boolean() ? "true or false" : "a number";
}

// One override on its way down the document.
class Walk {
 public:
  Walk(Json& document, const std::string& pointer, Faults& faults)
      : here_(&document), where_("--set " + pointer), pointer_(pointer), faults_(faults) {}

  // The value that the pointer names, made where it may be; nullptr after a fault.
  Json* target() {
    if (pointer_.empty() || pointer_.front() != '/') {
      return fail("a JSON pointer begins with '/', as in /workloads/0/slo_ms");
    }
    std::size_t start = 1;
    while (here_ != nullptr) {
      const std::size_t end = std::min(pointer_.find('/', start), pointer_.size());
      const std::optional<std::string> token = unescaped(pointer_.substr(start, end - start));
      if (!token) return fail("'~' stands only in ~0 (for ~) and ~1 (for /)");
      const std::string before = pointer_.substr(0, start - 1);
      here_ = step(*token, before);
      if (made_ && anchor_.empty()) anchor_ = pointer_.substr(0, end);
      if (end == pointer_.size()) break;
      start = end + 1;
    }
    if (anchor_.empty()) anchor_ = pointer_;
    return here_;
  }
  const std::string& anchor() const { return anchor_; }

 private:
  Json* fail(std::string what) {
    faults_.add(where_, std::move(what));
    return nullptr;
  }

  static std::optional<std::string> unescaped(const std::string& token) {
    std::string result;
    for (std::size_t i = 0; i < token.size(); ++i) {
      if (token[i] != '~') {
        result += token[i];
      } else if (i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
        result += token[++i] == '0' ? '~' : '/';
      } else {
        return std::nullopt;
      }
    }
    return result;
  }

  Json* step(const std::string& token, const std::string& before) {
    if (here_->is_array()) return step_into_array(token, before);
    if (here_->is_null()) *here_ = Json::object();  // as good as absent
    if (!here_->is_object())
      return fail(before + " is " + kind_of(*here_) + ": nothing is inside it");
    made_ = made_ || !here_->contains(token);
    return &(*here_)[token];
  }

  Json* step_into_array(const std::string& token, const std::string& before) {
    const std::size_t size = here_->size();
    const bool is_number =
        !token.empty() && token.size() < 10 &&
        std::all_of(token.begin(), token.end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::size_t index = token == "-" ? size : is_number ? std::stoul(token) : size + 1;
    if (index > size) {
      const std::string range = size == 0 ? "is empty" : "has 0 to " + std::to_string(size - 1);
      return fail("no item \"" + token + "\": the array " + before + ' ' + range +
                  ", and - appends");
    }
    if (index == size) {
      made_ = true;
      here_->push_back(nullptr);
    }
    return &(*here_)[index];
  }

  Json* here_;
  std::string where_;
  const std::string& pointer_;
  Faults& faults_;
  std::string anchor_;
  bool made_ = false;
};

// The new value; nullopt after a fault.
std::optional<Json> value_of(const Override& change, Faults& faults) {
  const std::string& text = change.second;
  Faults local;
  std::optional<Json> value = parse_json(text, "--set " + change.first, local);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool looks_like_json =
      first != std::string::npos && std::string_view("{[\"").find(text[first]) != std::string::npos;
  if (!value && !looks_like_json) return Json(text);
  try {
    local.throw_if_any();
  } catch (const ConfigError& error) {
    faults.append(error);
    return std::nullopt;
  }
  return value;
}

}  // namespace

Override parse_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || text.empty() || text.front() != '/') {
    throw ConfigError("--set " + text,
                      "must be /pointer=value, as in --set /workloads/0/slo_ms=50");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<std::string> apply_overrides(Json& document,
                                         const std::vector<Override>& overrides,
                                         Faults& faults) {
  std::vector<std::string> anchors;
  for (const Override& change : overrides) {
    std::string& anchor = anchors.emplace_back();
    std::optional<Json> value = value_of(change, faults);
    Json changed = document;  // an override that cannot be applied leaves nothing behind
    Walk walk(changed, change.first, faults);
    Json* target = walk.target();
    if (!value || target == nullptr) continue;
    *target = std::move(*value);
    document = std::move(changed);
    anchor = walk.anchor();
  }
  return anchors;
}

}  // namespace tangram
