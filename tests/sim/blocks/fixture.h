// Kernels, devices and scenarios for the tests of the block device model.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/blocks/device.h"
#include "sim/simulation.h"
#include "tests/sim/fixture.h"

namespace tangram {

// A kernel of `grid` blocks of `threads` threads that take `us` each.
inline Kernel kernel_of(std::uint32_t grid, std::uint32_t threads, double us) {
  Kernel kernel;
  kernel.name = "k";
  kernel.grid = grid;
  kernel.threads = threads;
  kernel.duration_us = us;
  return kernel;
}

inline Profile kernel_profile(const std::string& model,
                              std::vector<Kernel> kernels,
                              const std::string& gpu = "t4") {
  Profile profile;
  profile.model = model;
  profile.gpu = gpu;
  double sum_us = 0;
  for (const Kernel& k : kernels) sum_us += k.duration_us;
  LatencyPoint point;
  point.latency_ms = sum_us / 1e3;
  profile.points.push_back(point);
  profile.kernels = std::move(kernels);
  return profile;
}

// No host costs, no gaps: times are then those of the device alone.
inline BlockSpec bare_spec(std::uint32_t queues = 32) {
  BlockSpec spec;
  spec.queues = queues;
  spec.visible = spec.gap = spec.notify = spec.poll = spec.decision = spec.launch = Duration{};
  return spec;
}

inline PolicySpec stages_of(const std::string& name, const Json& given = Json::object()) {
  Faults faults;
  const JsonNode node(given, "test", faults);
  PolicySpec spec{name, read_params(find_stage_dispatcher(name)->info, node, faults)};
  faults.throw_if_any();
  return spec;
}

inline Scenario block_scenario(const std::vector<Profile>& profiles,
                               std::vector<Workload> workloads,
                               double duration_s,
                               PolicySpec stages,
                               const BlockSpec& spec) {
  Scenario scenario = scenario_of(profiles, std::move(workloads), duration_s);
  scenario.device.model = DeviceModel::kBlocks;
  scenario.device.blocks = spec;
  scenario.stages.policy = std::move(stages);
  return scenario;
}

inline Plan one_gpu(const std::string& type = "t4") {
  Plan plan;
  plan.gpus.push_back(gpu_of(0, GpuMode::kWhole, {whole_partition({replica_of("*", "*")})}, type));
  return plan;
}

// A device with the launches of a test.
struct Bench {
  Bench(const BlockSpec& spec,
        const SmLimits& limits,
        std::uint32_t sms,
        std::vector<ClientSpec> clients = {ClientSpec{}})
      : device(spec, limits, sms, clients, StreamKey(1)) {}

  // Launches a kernel now.
  std::uint32_t launch(const DeviceKernel& kernel,
                       std::uint32_t stream,
                       TimePoint now,
                       std::uint32_t client = 0,
                       std::uint8_t priority = 0) {
    LaunchRequest request;
    request.kernel = &kernel;
    request.stream = stream;
    request.client = client;
    request.priority = priority;
    request.visible = now;
    request.tag = next_tag++;
    request.job = request.tag;
    device.submit(request, now);
    collect(now);
    return request.tag;
  }
  void run_until(TimePoint end) {
    while (device.next() <= end) {
      const TimePoint t = device.next();
      device.advance(t);
      collect(t);
    }
  }
  void run() { run_until(TimePoint(std::chrono::hours(1))); }
  void collect(TimePoint now) {
    for (const DeviceReport& report : device.reports()) {
      finished.resize(next_tag + 1, kNever);
      started.resize(next_tag + 1, kNever);
      if (report.kind == DeviceReport::Kind::kFinished) finished[report.tag] = now;
      if (report.kind == DeviceReport::Kind::kPlaced) started[report.tag] = now;
    }
    device.clear_reports();
  }

  BlockDevice device;
  std::uint32_t next_tag = 0;
  std::vector<TimePoint> started, finished;  // by tag: all blocks begun, all ended
};

inline DeviceKernel device_kernel(const Kernel& given, const SmLimits& limits, std::uint32_t sms) {
  DeviceKernel kernel;
  const BlockNeed need = block_need(given);
  kernel.blocks = given.grid;
  kernel.per_sm = blocks_per_sm(need, limits);
  kernel.shape = BlockShape(need);
  kernel.block_time = from_ns(given.duration_us * 1e3);
  kernel.alone_warps = std::min(kernel.per_sm, (given.grid + sms - 1) / sms) * need.warps;
  return kernel;
}

inline TimePoint at_us(double us) {
  return kStart + from_ns(us * 1e3);
}

}  // namespace tangram
