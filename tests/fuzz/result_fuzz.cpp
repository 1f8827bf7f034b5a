// Fuzzes the reader of result files with the bytes of an HDF5 file.
#include <H5Fpublic.h>
#include <H5Ipublic.h>
#include <stdexcept>

#include "sim/results/stored_result.h"
#include "tests/fuzz/fuzz.h"

// The HDF5 library itself leaks memory on some corrupt files. That our reader closes what it opens
// is checked below instead.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  static const fuzz::ScratchFile kFile("result.h5");
  kFile.write(fuzz::as_text(data, size));
  fuzz::accept_or_refuse([] { read_result_file(kFile.path()); });
  if (H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_ALL) != 0) {
    throw std::logic_error("the reader leaves HDF5 objects open");
  }
  return 0;
}
