// Our own mistakes: TANGRAM_CHECK is always on and throws InternalError, so that one bad run of a
// sweep is recorded and the others go on. A user's mistake is a ConfigError (sim/core/error.h).
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace tangram {

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

namespace detail {
// Throws InternalError; kept out of line so that a check costs a compare and a cold jump.
[[noreturn]] void check_failed(const char* file,
                               int line,
                               const char* expression,
                               const std::string& message);

template <typename... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail_check(const char* file,
                                                       int line,
                                                       const char* expression,
                                                       const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  check_failed(file, line, expression, message.str());
}
}  // namespace detail

}  // namespace tangram

// TANGRAM_CHECK(a <= b, "reason; a ", a, ", b ", b): the parts are streamed only on failure.
#define TANGRAM_CHECK(condition, ...)                                             \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      ::tangram::detail::fail_check(__FILE__, __LINE__, #condition, __VA_ARGS__); \
  } while (false)
