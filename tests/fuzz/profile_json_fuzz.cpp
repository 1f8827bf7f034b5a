// Fuzzes the reader of profiles in JSON; what it accepts must survive being written and read again.
#include <stdexcept>

#include "profiles/profile_io.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  return fuzz::accept_or_refuse([&] {
    Faults faults;
    const auto document = parse_json(fuzz::as_text(data, size), "fuzz.json", faults);
    faults.throw_if_any();
    auto profile = read_profile(JsonNode(*document, "fuzz.json", faults));
    faults.throw_if_any();
    const Json written = to_json(*profile);
    const auto again = read_profile(JsonNode(written, "written", faults));
    if (!faults.empty() || to_json(*again) != written) {
      throw std::logic_error("a profile changes when it is written and read");
    }
    mark_suspicious(*profile);
  });
}
