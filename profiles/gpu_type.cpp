// The built-in GPU types. Figures are the vendor's own; the names of the documents stand beside
// them.
#include "profiles/gpu_type.h"

#include <utility>

namespace tangram {
namespace {

// The five instance sizes that every 7-slice GPU of NVIDIA has, with the memory slices that each
// occupies and the slots it may start at (NVIDIA MIG User Guide, "Supported MIG Profiles", and
// `nvidia-smi mig -lgipp`). `gib` and `sms` are in the order 1g 2g 3g 4g 7g.
std::vector<MigSize> mig_sizes(const std::vector<double>& gib, const std::vector<int>& sms) {
  return {{1, 1, gib[0], sms[0], {0, 1, 2, 3, 4, 5, 6}},
          {2, 2, gib[1], sms[1], {0, 2, 4}},
          {3, 4, gib[2], sms[2], {0, 4}},
          {4, 4, gib[3], sms[3], {0}},
          {7, 8, gib[4], sms[4], {0}}};
}

GpuType without_mig(std::string name,
                    std::string description,
                    int sms,
                    double memory_gib,
                    double dram_gb_per_s,
                    std::string source) {
  GpuType type;
  type.name = std::move(name);
  type.description = std::move(description);
  type.sms = sms;
  type.memory_gib = memory_gib;
  type.dram_gb_per_s = dram_gb_per_s;
  type.source = std::move(source);
  return type;
}

GpuType with_rates(GpuType type, double fp32, double tf32, double fp16, double power_w) {
  type.fp32_tflops = fp32;
  type.tf32_tflops = tf32;
  type.fp16_tflops = fp16;
  type.power_w = power_w;
  return type;
}

GpuType with_mig(GpuType type, std::vector<MigSize> sizes) {
  type.mig_slices = 7;
  type.mig_sizes = std::move(sizes);
  return type;
}

std::vector<GpuType> make_builtin_types() {
  // GeForce boards run fp16 tensor operations with fp32 accumulation at half rate; that half is
  // what frameworks use, and what stands here.
  std::vector<GpuType> types{
      with_rates(without_mig("t4", "NVIDIA T4 16 GB", 40, 16, 320,
                             "NVIDIA T4 datasheet; NVIDIA Turing architecture whitepaper"),
                 8.1, 0, 65, 70),
      with_rates(without_mig("v100", "NVIDIA V100 16 GB SXM2", 80, 16, 900,
                             "NVIDIA V100 datasheet; NVIDIA Volta architecture whitepaper"),
                 15.7, 0, 125, 300),
      with_rates(without_mig("2080ti", "NVIDIA GeForce RTX 2080 Ti 11 GB", 68, 11, 616,
                             "NVIDIA Turing architecture whitepaper, reference board"),
                 13.4, 0, 53.8, 250),
      with_rates(without_mig("3080", "NVIDIA GeForce RTX 3080 10 GB", 68, 10, 760,
                             "NVIDIA Ampere GA102 architecture whitepaper"),
                 29.8, 29.8, 59.5, 320),
      with_rates(without_mig("gv100", "NVIDIA Quadro GV100 32 GB", 80, 32, 870,
                             "NVIDIA Quadro GV100 datasheet"),
                 14.8, 0, 118.5, 250),
      with_mig(with_rates(without_mig("a100-40gb", "NVIDIA A100 40 GB SXM4", 108, 40, 1555,
                                      "NVIDIA A100 datasheet; NVIDIA MIG User Guide"),
                          19.5, 156, 312, 400),
               mig_sizes({5, 10, 20, 20, 40}, {14, 28, 42, 56, 98})),
      with_mig(with_rates(without_mig("a100-80gb", "NVIDIA A100 80 GB SXM4", 108, 80, 2039,
                                      "NVIDIA A100 datasheet; NVIDIA MIG User Guide"),
                          19.5, 156, 312, 400),
               mig_sizes({10, 20, 40, 40, 80}, {14, 28, 42, 56, 98})),
      with_mig(with_rates(without_mig("h100-80gb", "NVIDIA H100 80 GB SXM5", 132, 80, 3350,
                                      "NVIDIA H100 datasheet, dense rates; nvidia-smi mig -lgip"),
                          67, 494.7, 989.4, 700),
               mig_sizes({10, 20, 40, 40, 80}, {16, 32, 60, 64, 132})),
      with_mig(with_rates(without_mig("h200", "NVIDIA H200 141 GB SXM5", 132, 141, 4800,
                                      "NVIDIA H200 datasheet, dense rates; nvidia-smi mig -lgip"),
                          67, 494.7, 989.4, 700),
               mig_sizes({18, 35, 71, 71, 141}, {16, 32, 60, 64, 132}))};
  // A CPU's cores and memory differ from machine to machine: a built-in figure would be somebody
  // else's, so there is none, and a scenario that wants the checks describes its own type.
  GpuType cpu;
  cpu.name = "cpu";
  cpu.description = "the processor of the machine at hand";
  cpu.source = "no figures: describe a GPU type with the machine's cores and memory to have checks";
  types.push_back(std::move(cpu));
  GpuType ideal;
  ideal.name = "ideal";
  ideal.description = "a device of unlimited memory that cannot be cut";
  ideal.source = "by definition";
  types.push_back(std::move(ideal));
  return types;
}

}  // namespace

const std::vector<GpuType>& builtin_gpu_types() {
  static const std::vector<GpuType> types = make_builtin_types();
  return types;
}

const GpuType* find_gpu_type(const std::string& name, const std::vector<GpuType>& extra) {
  for (const GpuType& type : extra) {
    if (type.name == name) return &type;
  }
  for (const GpuType& type : builtin_gpu_types()) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

const MigSize* find_mig_size(const GpuType& type, int slices) {
  for (const MigSize& size : type.mig_sizes) {
    if (size.slices == slices) return &size;
  }
  return nullptr;
}

std::vector<std::string> gpu_type_names(const std::vector<GpuType>& extra) {
  std::vector<std::string> names;
  for (const GpuType& type : extra) names.push_back(type.name);
  for (const GpuType& type : builtin_gpu_types()) names.push_back(type.name);
  return names;
}

}  // namespace tangram
