// The cold half of TANGRAM_CHECK: builds the message and throws.
#include "sim/core/check.h"

namespace tangram::detail {

void check_failed(const char* file, int line, const char* expression, const std::string& message) {
  std::ostringstream text;
  text << file << ':' << line << ": check failed: " << expression << ": " << message;
  throw InternalError(text.str());
}

}  // namespace tangram::detail
