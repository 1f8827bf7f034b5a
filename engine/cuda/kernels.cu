// Synthetic kernels: each loads one resource of the GPU for an amount of work that is known. Built
// into a fat binary at build time; kernel_runner.h and block_constants.h launch them by name.
#include <cstdint>

namespace {

// Nanoseconds of the device's clock, the same on every SM.
__device__ std::uint64_t device_ns() {
  std::uint64_t ns;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  return ns;
}

// Cycles of the SM's clock; not moved across accesses to memory.
__device__ long long cycles() {
  long long now;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(now)::"memory");
  return now;
}

__device__ void spin_until(std::uint64_t end) {
  while (device_ns() < end) {
  }
}

// Spins with kLive values that stay in registers: they are read from memory that the compiler must
// believe to change, and used after the loop.
template <int kLive>
__device__ void spin_with_registers(std::uint64_t ns, volatile float* scratch) {
  const std::uint64_t end = device_ns() + ns;
  float live[kLive];
#pragma unroll
  for (int i = 0; i < kLive; ++i) live[i] = scratch[i];
  do {
#pragma unroll
    for (int i = 0; i < kLive; ++i) asm volatile("" : "+f"(live[i]));
  } while (device_ns() < end);
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kLive; ++i) sum += live[i];
  // Never true (the scratch memory holds zeros); keeps the values in use.
  if (sum != 0.0F) scratch[0] = sum;
}

// Keeps the loads that led to `mixed` in the program.
__device__ void use(std::uint32_t mixed, float* scratch) {
  if (mixed == 0x9E3779B9U) scratch[0] = 1.0F;
}

__device__ std::uint32_t mix(const uint4& word) {
  return word.x ^ word.y ^ word.z ^ word.w;
}

}  // namespace

extern "C" {

__global__ void tangram_empty() {}

// The block's time is the clock's, whatever runs beside it.
__global__ void tangram_spin(std::uint64_t ns, float* scratch) {
  spin_until(device_ns() + ns);
}
__global__ void tangram_spin_64(std::uint64_t ns, float* scratch) {
  spin_with_registers<40>(ns, scratch);
}
__global__ void tangram_spin_128(std::uint64_t ns, float* scratch) {
  spin_with_registers<104>(ns, scratch);
}
__global__ void tangram_spin_200(std::uint64_t ns, float* scratch) {
  spin_with_registers<176>(ns, scratch);
}

// Four independent chains of fused multiply-adds per thread: the block's time is the work's.
__global__ void tangram_fma(std::uint64_t iterations, float* scratch) {
  float a = static_cast<float>(threadIdx.x), b = a + 1, c = a + 2, d = a + 3;
  for (std::uint64_t i = 0; i < iterations; ++i) {
    a = fmaf(a, 0.999F, 0.5F);
    b = fmaf(b, 0.999F, 0.5F);
    c = fmaf(c, 0.999F, 0.5F);
    d = fmaf(d, 0.999F, 0.5F);
  }
  if (a + b + c + d == -1.0F) scratch[0] = a;
}

// Reads `words` words of 16 bytes, each once per pass, marked as not to be kept in the caches. After
// each piece a block waits so long that it reads for the share `rate` of the time.
__global__ void tangram_dram(
    const uint4* data, std::uint64_t words, std::uint64_t passes, float rate, float* scratch) {
  constexpr int kPiece = 16;
  const std::uint64_t stride = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
  const std::uint64_t first = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const float idle_per_busy = (1.0F - rate) / rate;
  std::uint32_t mixed = 0;
  for (std::uint64_t pass = 0; pass < passes; ++pass) {
    for (std::uint64_t at = first; at < words; at += stride * kPiece) {
      const long long begin = cycles();
#pragma unroll
      for (int i = 0; i < kPiece; ++i) {
        const std::uint64_t word = at + i * stride;
        if (word < words) mixed ^= mix(__ldcs(data + word));
      }
      if (rate < 1.0F) {
        // Needs the values that were asked for: the clock is read after they have arrived.
        use(mixed, scratch);
        const long long now = cycles();
        const long long until = now + static_cast<long long>((now - begin) * idle_per_busy);
        while (cycles() < until) {
        }
      }
    }
  }
  use(mixed, scratch);
}

// Reads the words through the L2 cache only; resident there when they fit.
__global__ void tangram_l2(const uint4* data,
                           std::uint64_t words,
                           std::uint64_t passes,
                           float* scratch) {
  const std::uint64_t stride = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
  const std::uint64_t first = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  std::uint32_t mixed = 0;
  for (std::uint64_t pass = 0; pass < passes; ++pass) {
    for (std::uint64_t word = first; word < words; word += stride) {
      mixed ^= mix(__ldcg(data + word));
    }
  }
  use(mixed, scratch);
}

// Counts the blocks that each SM ran; each stays for `ns`, so that every SM gets some.
__global__ void tangram_smid(std::uint32_t* blocks_by_sm, std::uint64_t ns) {
  if (threadIdx.x == 0) {
    std::uint32_t sm;
    asm volatile("mov.u32 %0, %%smid;" : "=r"(sm));
    atomicAdd(blocks_by_sm + sm, 1U);
  }
  spin_until(device_ns() + ns);
}

// Spins; leaves the first block's start and the last block's end in first_last[0] and [1].
__global__ void tangram_stamp(std::uint64_t ns, unsigned long long* first_last) {
  const std::uint64_t start = device_ns();
  spin_until(start + ns);
  if (threadIdx.x == 0) {
    atomicMin(first_last, static_cast<unsigned long long>(start));
    atomicMax(first_last + 1, static_cast<unsigned long long>(device_ns()));
  }
}

// Writes to memory of the host.
__global__ void tangram_flag(volatile std::uint32_t* flag, std::uint32_t value) {
  *flag = value;
  __threadfence_system();
}

// Answers each number that the host writes with the same number; gives up after timeout_ns.
__global__ void tangram_ping_pong(const volatile std::uint32_t* from_host,
                                  volatile std::uint32_t* to_host,
                                  std::uint32_t rounds,
                                  std::uint64_t timeout_ns) {
  const std::uint64_t end = device_ns() + timeout_ns;
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    while (*from_host != round) {
      if (device_ns() > end) return;
    }
    *to_host = round;
    __threadfence_system();
  }
}

}  // extern "C"
