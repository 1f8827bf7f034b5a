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

// The pointers that one with * stands for. An object may have a key "*".
std::vector<std::string> expanded(const Json& here,
                                  const std::string& before,
                                  const std::string& rest) {
  const std::size_t star = rest.find("/*");
  const std::size_t end = star + 2;
  if (star == std::string::npos) return {before + rest};
  const bool is_token = end == rest.size() || rest[end] == '/';
  const std::string head = rest.substr(0, is_token ? star : end);
  const std::string tail = rest.substr(head.size());
  const Json* next = nullptr;
  try {
    next = &here.at(Json::json_pointer(head));
  } catch (const Json::exception&) {
    return {before + rest};  // the walk says why
  }
  if (!is_token || !next->is_array()) {
    // Not ours: go on behind it.
    const std::string kept = is_token ? "/*" : "";
    const std::string after = tail.substr(kept.size());
    if (after.empty() || !next->is_structured() || (is_token && !next->contains("*"))) {
      return {before + rest};
    }
    return expanded(is_token ? next->at("*") : *next, before + head + kept, after);
  }
  std::vector<std::string> pointers;
  for (std::size_t i = 0; i < next->size(); ++i) {
    const std::string item = before + head + '/' + std::to_string(i);
    for (std::string& pointer : expanded((*next)[i], item, rest.substr(end))) {
      pointers.push_back(std::move(pointer));
    }
  }
  return pointers;
}

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
    const std::vector<std::string> pointers = expanded(document, "", change.first);
    if (pointers.empty()) {
      faults.add("--set " + change.first, "the array has no item for * to stand for");
      continue;
    }
    bool is_applied = value.has_value();
    std::string made;
    for (const std::string& pointer : pointers) {
      Walk walk(changed, pointer, faults);
      Json* target = walk.target();
      is_applied = is_applied && target != nullptr;
      if (!is_applied) break;
      *target = *value;
      made = walk.anchor();
    }
    if (!is_applied) continue;
    document = std::move(changed);
    anchor = pointers.front() == change.first ? made : change.first;
  }
  return anchors;
}

bool is_inside(const std::string& pointer, const std::string& anchor) {
  std::size_t p = 0;
  for (std::size_t a = 0; a < anchor.size();) {
    if (p >= pointer.size()) return false;
    const std::size_t anchor_end = std::min(anchor.find('/', a + 1), anchor.size());
    const std::size_t pointer_end = std::min(pointer.find('/', p + 1), pointer.size());
    const std::string token = anchor.substr(a, anchor_end - a);
    if (token != "/*" && token != pointer.substr(p, pointer_end - p)) return false;
    a = anchor_end;
    p = pointer_end;
  }
  return true;
}

}  // namespace tangram
