// Fuzzes the reader of iGniter's plans.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/plan_fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  static const fuzz::PlanFixture kFixture;
  return fuzz::accept_or_refuse([&] {
    Faults faults;
    const Plan plan = parse_igniter_plan(std::string(fuzz::as_text(data, size)), "fuzz.jsonl",
                                         "a100-80gb", kFixture.workloads, faults);
    faults.throw_if_any();
    kFixture.use(plan, faults);
  });
}
