// The tangram-gpu-bench command: measures a GPU with nothing but its driver, and writes JSON.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/cuda/block_constants.h"
#include "engine/cuda/kernel_runner.h"
#include "engine/cuda/machine.h"
#include "engine/cuda/nvml.h"
#ifdef TANGRAM_WITH_CUPTI
#include "engine/cuda/trace_batches.h"
#endif
#include "sim/core/atomic_file.h"
#include "sim/results/version.h"
#include "sim/scenario/command.h"

namespace tangram {
namespace {

struct Options {
  std::string device = "cuda:0", out, model;
  int connections = 8;
  std::vector<std::uint32_t> batches{1};
  unsigned repetitions = 20;
  std::string command;  // as it was typed
};

Json condition_json(const std::optional<NvmlLibrary>& nvml, const std::string& uuid) {
  Json json = Json::object();
  if (!nvml) return json;
  const GpuCondition now = condition_of(*nvml, uuid);
  if (now.sm_mhz) json["sm_mhz"] = *now.sm_mhz;
  if (now.power_w) json["power_w"] = *now.power_w;
  return json;
}

void write(const Options& options, const Json& json) {
  if (options.out.empty()) {
    fmt::print("{}\n", json.dump(2));
  } else {
    write_file(options.out, json.dump(2) + '\n');
  }
}

Json provenance(const Options& options, const CudaMachine& machine, const CudaGpu& gpu) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return {{"kind", "measured"},
          {"device", fmt::format("{}, {} SMs", gpu.name, gpu.sms)},
          {"driver", fmt::format("{}, CUDA {}.{}", machine.driver, machine.cuda / 1000,
                                 machine.cuda % 1000 / 10)},
          {"framework", fmt::format("tangram {} ({})", version(), git_hash())},
          {"date", fmt::format("{:%Y-%m-%d}", fmt::gmtime(now))},
          {"command", options.command},
          {"repetitions", options.repetitions}};
}

int constants(const Options& options) {
  // The driver reads it once, when it is initialised.
  ::setenv("CUDA_DEVICE_MAX_CONNECTIONS", std::to_string(options.connections).c_str(), 1);
  const int ordinal = device_ordinal(options.device);
  const CudaDriver driver = load_cuda_driver();
  const std::optional<NvmlLibrary> nvml = load_nvml();
  const CudaMachine machine = describe_machine(driver, nvml, "");
  const auto index = static_cast<std::size_t>(ordinal);
  if (index >= machine.gpus.size() || machine.gpus[index].mig) {
    throw ConfigError("--device", fmt::format("{} is none of the {} GPUs, or in MIG mode",
                                              options.device, machine.gpus.size()));
  }
  const CudaGpu& gpu = machine.gpus[index];
  Json json{{"provenance", provenance(options, machine, gpu)},
            {"connections", options.connections},
            {"before", condition_json(nvml, gpu.uuid)}};
  BenchSizes sizes;
  sizes.repetitions = options.repetitions;
  json["constants"] = measure_block_constants(driver, builtin_kernels(), ordinal, sizes);
  json["after"] = condition_json(nvml, gpu.uuid);
  write(options, json);
  return kDone;
}

int trace(const Options& options) {
#ifdef TANGRAM_WITH_CUPTI
  WorkerSpec spec;
  spec.device = options.device;
  spec.sharing = "cuda-streams";
  spec.models.resize(1);
  spec.models[0].name = options.model;
  spec.lanes.resize(1);
  KernelTrace trace;
  const auto device = make_kernels_device(spec);
  const auto lane = device->open(spec.lanes[0], 0);
  lane->load(0);
  constexpr unsigned kWarmUps = 3;
  Json kernels = Json::array();
  for (const Kernel& k :
       trace_batches(trace, *lane, 0, options.batches, kWarmUps, options.repetitions)) {
    kernels.push_back({{"batch", k.batch},
                       {"name", k.name},
                       {"grid", k.grid},
                       {"threads", k.threads},
                       {"registers", k.registers},
                       {"shared_memory", k.shared_memory},
                       {"duration_us", k.duration_us}});
  }
  write(options, {{"model", options.model},
                  {"device", device->describe().device},
                  {"driver", device->describe().driver},
                  {"command", options.command},
                  {"kernels", kernels}});
  return kDone;
#else
  throw SystemError("kernel lists: this program was built without CUPTI's headers; --model " +
                    options.model);
#endif
}

int run_main(int argc, const char* const* argv) {
  CLI::App app("Measures a GPU with nothing but its driver.", "tangram-gpu-bench");
  app.require_subcommand(1);
  app.set_version_flag("--version", "tangram-gpu-bench " + version());
  Options options;
  options.command = fmt::format("{}", fmt::join(argv, argv + argc, " "));
  CLI::App* const constants_command =
      app.add_subcommand("constants", "launch cost, gaps, waves, notification, hardware queues");
  constants_command
      ->add_option("--connections", options.connections, "CUDA_DEVICE_MAX_CONNECTIONS, 1 to 32")
      ->check(CLI::Range(1, 32));
  CLI::App* const trace_command =
      app.add_subcommand("trace", "the kernels of a model of the runner kernels (CUPTI)");
  trace_command->add_option("--model", options.model, "such as spin:grid=264,us=200")->required();
  trace_command->add_option("--batches", options.batches, "1,2,4")->delimiter(',');
  for (CLI::App* const command : {constants_command, trace_command}) {
    command->add_option("--device", options.device, "cuda:N");
    command->add_option("--repetitions", options.repetitions)->check(CLI::Range(1, 100000));
    command->add_option("--out", options.out, "write there (JSON), not to standard output");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    throw ConfigError("command line", error.what());
  }
  Faults faults;
  check_outputs({{"--out", options.out}}, {}, faults);
  faults.throw_if_any();
  return *constants_command ? constants(options) : trace(options);
}

}  // namespace
}  // namespace tangram

int main(int argc, char** argv) {
  std::vector<std::string> errors;
  const int code = tangram::guarded([&] { return tangram::run_main(argc, argv); }, errors);
  for (const std::string& error : errors) fmt::print(stderr, "error: {}\n", error);
  return code;
}
