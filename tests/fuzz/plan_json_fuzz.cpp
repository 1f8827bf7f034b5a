// Fuzzes the reader of plans and the checks that follow it.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/plan_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  static const fuzz::PlanFixture kFixture;
  return fuzz::accept_or_refuse([&] {
    Faults faults;
    const auto document = parse_json(fuzz::as_text(data, size), "fuzz.json", faults);
    faults.throw_if_any();
    const Plan plan = read_plan(JsonNode(*document, "fuzz.json", faults));
    faults.throw_if_any();
    kFixture.use(plan, faults);
  });
}
