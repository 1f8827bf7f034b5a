// The "models" of the runner `kernels`: synthetic kernels, named by a line of text such as
// "spin:grid=264,block=256,us=200,count=8".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tangram {

enum class KernelKind : std::uint8_t {
  kEmpty,  // nothing: what a launch costs
  kSpin,   // each block waits for `us` on the device's clock
  kFma,    // `iterations` of four fused multiply-adds per thread
  kDram,   // reads `mib` MiB from memory, `passes` times, at the share `rate` of full speed
  kL2,     // reads `mib` MiB through the L2 cache, `passes` times
};
// "empty", "spin", "fma", "dram", "l2", in the order of KernelKind.
const std::vector<std::string>& kernel_kind_names();

struct KernelModel {
  KernelKind kind = KernelKind::kEmpty;
  std::uint32_t grid = 1;           // blocks for a batch of 1
  std::uint32_t grid_per_item = 0;  // more for each further input
  std::uint32_t block = 128;        // threads
  std::uint32_t count = 1;          // kernels in a row
  std::uint32_t smem = 0;           // bytes of dynamic shared memory per block
  std::uint32_t regs = 0;           // spin: class of registers per thread, 0 (few), 64, 128, 200
  double us = 0;                    // spin: microseconds
  std::uint64_t iterations = 0;     // fma
  double mib = 0;                   // dram, l2
  std::uint64_t passes = 1;         // dram, l2
  double rate = 1;                  // dram: (0, 1]
  double in_kib = 0, out_kib = 0;   // copied to and from the device, per input
  double weights_mib = 0;           // copied to the device by a load
  bool graph = true;                // replay a captured graph instead of launching

  std::uint32_t grid_of(std::uint32_t batch) const { return grid + grid_per_item * (batch - 1); }
  // The kernel's name in kernels.cu.
  std::string entry() const;
};

// Reads KIND or KIND:KEY=VALUE,... with the keys named as above; each kind takes its own keys and
// the common ones. Throws ConfigError at `where` with every fault: an unknown kind or key (and the
// nearest known), a key given twice, a missing one, a value that is not a number or out of range.
KernelModel parse_kernel_model(const std::string& text, const std::string& where);

}  // namespace tangram
