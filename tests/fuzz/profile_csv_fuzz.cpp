// Fuzzes an importer of published profile tables: TANGRAM_FUZZ_FORMAT names the format.
#include "profiles/profile_io.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  static const fuzz::ScratchFile kFile("resnet50.csv");
  kFile.write(fuzz::as_text(data, size));
  return fuzz::accept_or_refuse([] {
    import_profiles(TANGRAM_FUZZ_FORMAT, {kFile.path()},
                    {.gpu = "a100-80gb", .drop_suspect = false});
  });
}
