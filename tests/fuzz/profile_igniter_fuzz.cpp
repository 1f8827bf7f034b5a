// Fuzzes the importer of iGniter's tables: the input up to the first empty line is the table of
// latencies alone, the rest that of co-runs.
#include "profiles/profile_io.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  static const fuzz::ScratchFile kSolo("v100_solo.csv");
  static const fuzz::ScratchFile kCoRuns("v100_colocations.csv");
  const std::string_view text = fuzz::as_text(data, size);
  const std::size_t gap = text.find("\n\n");
  kSolo.write(text.substr(0, gap));
  kCoRuns.write(gap == std::string_view::npos ? "" : text.substr(gap + 2));
  return fuzz::accept_or_refuse([] {
    import_profiles("igniter", {kSolo.path(), kCoRuns.path()}, {.gpu = "", .drop_suspect = true});
  });
}
