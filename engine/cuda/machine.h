// The GPUs of this machine, as far as a layout of workers depends on them. Plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tangram {

struct CudaDriver;
struct NvmlLibrary;

struct MigInstance {
  std::string uuid;     // what CUDA_VISIBLE_DEVICES takes
  unsigned slices = 0;  // compute slices
  unsigned sms = 0;
  double memory_mib = 0;
};

struct CudaGpu {
  std::string uuid, name;  // the uuid with its "GPU-"
  int compute_major = 0, compute_minor = 0;
  unsigned sms = 0;
  double memory_mib = 0;
  bool mig = false;  // MIG mode is on: the GPU is used through its instances alone
  std::vector<MigInstance> instances;
};

struct CudaMachine {
  std::string driver;  // "580.65.06"; "" where NVML does not tell
  int cuda = 0;        // newest CUDA version of the driver: 13000 for 13.0
  bool green_contexts = false;
  std::vector<CudaGpu> gpus;  // in the order of cuda:0, cuda:1, ...
  std::string mps_pipe;       // pipe directory of a running MPS daemon; "" where there is none
};

// Reads the machine. Without NVML: no MIG instances, no driver's name. Throws RunnerError.
CudaMachine describe_machine(const CudaDriver& driver,
                             const std::optional<NvmlLibrary>& nvml,
                             const std::string& mps_pipe);

// With the machine's libraries and this process's environment. Throws RunnerError.
CudaMachine find_cuda_machine();

// The pipe directory of an MPS control daemon: `variable` (CUDA_MPS_PIPE_DIRECTORY of the
// environment), or the default where it is nullptr; "" when no daemon left its `control` there.
std::string find_mps_pipe(const char* variable);

}  // namespace tangram
