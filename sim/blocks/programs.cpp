#include "sim/blocks/programs.h"

#include <algorithm>

#include <fmt/format.h>

namespace tangram {
namespace {

// Draws more of the DRAM bandwidth than of anything else.
constexpr double kMemoryBound = 0.6;

void add_copy(StageProgram& program,
              DeviceKernel::Kind kind,
              std::uint64_t bytes,
              const BlockSpec& spec) {
  if (bytes == 0) return;
  DeviceKernel kernel;
  kernel.kind = kind;
  // bytes / (GB/s) is in ns.
  kernel.block_time = spec.copy_fixed + from_ns(static_cast<double>(bytes) / spec.copy_gb_per_s);
  StageInfo stage;
  stage.kind =
      kind == DeviceKernel::Kind::kCopyIn ? StageInfo::Kind::kCopyIn : StageInfo::Kind::kCopyOut;
  stage.alone = kernel.block_time;
  program.kernels.push_back(kernel);
  program.model.stages.push_back(stage);
}

}  // namespace

StageProgram make_program(const Profile& profile,
                          const std::string& workload,
                          Duration slo,
                          const StageTarget& target,
                          std::uint32_t whole_sms,
                          const BlockSpec& spec) {
  StageProgram program;
  program.model.workload = workload;
  program.model.slo = slo;
  const auto use = profile.utilisation({}, 1, 1).value_or(Profile::Utilisation{});
  const double part = static_cast<double>(target.sms) / whole_sms;
  add_copy(program, DeviceKernel::Kind::kCopyIn, spec.input_bytes, spec);
  for (const Kernel& given : profile.kernels) {
    if (given.batch != 1) continue;
    const BlockNeed need = block_need(given);
    const std::uint32_t per_sm = blocks_per_sm(need, target.sm);
    if (per_sm == 0) {
      throw ConfigError(
          fmt::format("profile of {} on {}", profile.model, profile.gpu),
          fmt::format("a block of its kernel \"{}\" ({} threads, {} registers each, "
                      "{} B shared) does not fit an SM",
                      given.name, given.threads, given.registers, given.shared_memory));
    }
    DeviceKernel kernel;
    kernel.blocks = given.grid;
    kernel.per_sm = per_sm;
    kernel.shape = BlockShape(need);
    // Alone on the whole GPU it ran in this many waves of equal blocks.
    const std::uint32_t at_once = per_sm * whole_sms;
    const std::uint32_t waves = (given.grid + at_once - 1) / at_once;
    kernel.block_time = std::max(from_ns(given.duration_us * 1e3 / waves), Duration(1));
    const std::uint32_t on_sm = std::min(per_sm, (given.grid + whole_sms - 1) / whole_sms);
    kernel.alone_warps = on_sm * need.warps;
    // A part of the GPU has that part of the bandwidth, and draws less where fewer blocks run.
    const double fewer = static_cast<double>(std::min(given.grid, per_sm * target.sms)) /
                         std::min(given.grid, at_once);
    kernel.dram = use.dram * fewer / part;
    kernel.l2 = use.l2 * fewer / part;
    kernel.factor = profile.interference_factor.value_or(1);

    StageInfo stage;
    stage.blocks = given.grid;
    stage.need = need;
    stage.per_sm = per_sm;
    const std::uint32_t here = per_sm * target.sms;
    stage.alone = kernel.block_time * ((given.grid + here - 1) / here);
    stage.memory_bound = use.dram > kMemoryBound;
    program.kernels.push_back(kernel);
    program.model.stages.push_back(stage);
  }
  if (program.model.stages.size() == (spec.input_bytes > 0 ? 1U : 0U)) {
    throw ConfigError(
        fmt::format("profile of {} on {}", profile.model, profile.gpu),
        "has no kernel list for batch 1, which the device model \"blocks\" needs: "
        "`tangram profile synth` computes one, `tangram profile measure` measures it");
  }
  add_copy(program, DeviceKernel::Kind::kCopyOut, spec.output_bytes, spec);
  return program;
}

}  // namespace tangram
