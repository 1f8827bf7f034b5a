// What is public about a GPU type: its size, peak rates, and how MIG may cut it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tangram {

// One MIG instance size: its compute slices, the memory it owns, and the slots it may start at.
struct MigSize {
  int slices;         // compute slices (GPC): 1, 2, 3, 4 or 7
  int memory_slices;  // of 8; also the length that it occupies in slots
  double memory_gib;
  int sms;
  std::vector<int> starts;  // legal first slots
};

struct GpuType {
  std::string name;         // "a100-80gb"
  std::string description;  // "NVIDIA A100 80 GB SXM"
  int sms = 0;              // streaming multiprocessors, or a CPU's cores; 0 = unlimited or unknown
  // Nominal, as in the product's name; nullopt: unlimited or unknown, no memory check.
  std::optional<double> memory_gib;
  double dram_gb_per_s = 0;
  double fp32_tflops = 0;  // peak, without tensor cores
  double tf32_tflops = 0;  // peak dense TF32 on tensor cores; 0 where there is none
  double fp16_tflops = 0;  // peak dense, fp32 accumulation, with tensor cores where they exist
  double power_w = 0;
  int mig_slices = 0;  // 7 where MIG exists, else 0
  std::vector<MigSize> mig_sizes;
  std::string source;  // where the figures come from
};

// The built-in types: t4 v100 2080ti 3080 gv100 a100-40gb a100-80gb h100-80gb h200 cpu ideal.
const std::vector<GpuType>& builtin_gpu_types();

// The type of that name in `extra` (a scenario's own types) or among the built-in ones.
// nullptr when there is none.
const GpuType* find_gpu_type(const std::string& name, const std::vector<GpuType>& extra = {});
// The names of `extra`, then of the built-in types.
std::vector<std::string> gpu_type_names(const std::vector<GpuType>& extra = {});
// The MIG instance size of that many compute slices, or nullptr.
const MigSize* find_mig_size(const GpuType& type, int slices);

}  // namespace tangram
