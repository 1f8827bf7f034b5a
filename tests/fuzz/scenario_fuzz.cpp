// Fuzzes the reader of scenarios.
#include "sim/scenario/scenario.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  return fuzz::accept_or_refuse([&] {
    // No file lies below the base, so a path in the input leads nowhere or to a shipped profile.
    parse_scenario(std::string(fuzz::as_text(data, size)), "fuzz.json", "/nonexistent");
  });
}
