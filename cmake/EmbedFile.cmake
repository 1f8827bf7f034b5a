# Writes the bytes of INPUT (none when it is empty) as the function builtin_kernels() into the C++
# source OUTPUT. Run by `cmake -P`.
set(bytes "")
if(INPUT)
  file(READ "${INPUT}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)"
                       "\\1\n" bytes "${bytes}")
endif()
# One more byte: an array has at least one.
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT
  [[// Written by cmake/EmbedFile.cmake.
#include "engine/cuda/kernel_module.h"

namespace tangram {
namespace {

alignas(64) constexpr unsigned char kBytes[] = {
@bytes@0x00};

}  // namespace

KernelImage builtin_kernels() {
  return {kBytes, sizeof kBytes - 1};
}

}  // namespace tangram
]])
