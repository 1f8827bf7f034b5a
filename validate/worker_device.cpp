#include "validate/worker_device.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "engine/model_catalogue.h"
#include "engine/worker_calls.h"

namespace tangram {
namespace {

double ms_of(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) * 1e-6;
}

// One GPU with a partition for each share; every model may run on each. The largest batch only has
// to be positive: what is run here is not planned.
Deployment deployment_of(const std::vector<std::string>& models,
                         const std::vector<Share>& shares,
                         bool is_cpu) {
  Deployment deployment;
  deployment.models = models;
  deployment.gpu_types = {"measured"};
  deployment.gpus = {{0, 0, is_cpu ? GpuMode::kCpu : GpuMode::kMps}};
  deployment.groups.resize(1);
  for (std::size_t m = 0; m < models.size(); ++m) {
    Workload workload;
    workload.name = models[m];
    workload.model = models[m];
    deployment.workloads.push_back(workload);
    deployment.model_of.emplace_back(m);
    deployment.queues.push_back({WorkloadId(m), ModelId(m), Duration{}, {GroupId(0)}, 1});
    deployment.queues_of.push_back({QueueId(m)});
    deployment.groups[0].queues.emplace_back(m);
  }
  for (std::size_t p = 0; p < shares.size(); ++p) {
    ExecutorClass cls;
    cls.share = shares[p];
    for (std::size_t m = 0; m < models.size(); ++m) {
      Service service;
      service.queue = QueueId(m);
      service.max_batch = 1;
      cls.services.push_back(std::move(service));
    }
    deployment.classes.push_back(std::move(cls));
    deployment.executors.push_back({ClassId(p), GroupId(0), static_cast<std::uint32_t>(p), GpuId(0),
                                    static_cast<std::uint32_t>(p), 0});
    deployment.groups[0].executors.emplace_back(p);
  }
  return deployment;
}

// Makes the call; a lane that says no ends the measurement.
template <typename Call>
auto told(Call call) {
  try {
    return call();
  } catch (const RunnerError& error) {
    throw SystemError(to_string(error.fault()) + ": " + error.what());
  }
}

// Processor time that a process and its threads have used; nullopt once it is gone.
std::optional<double> processor_s(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// What counts a lane's use of its device.
struct Meters {
  double cores = 0;                               // of which the process's time is a share; 0: none
  std::function<std::optional<double>()> energy;  // J
  std::function<std::optional<GpuActivity>()> activity;
};

// A lane of workers that it owns together with its neighbours.
class WorkerLane final : public MeasureLane {
 public:
  WorkerLane(std::shared_ptr<WorkerCalls> calls,
             LaneAddress at,
             const std::vector<ModelSpec>& models,
             Meters meters)
      : calls_(std::move(calls)), at_(at), models_(models), meters_(std::move(meters)) {}

  std::optional<Usage> usage() override {
    if (meters_.cores == 0 && !meters_.energy && !meters_.activity) return std::nullopt;
    Usage usage;
    usage.elapsed_s =
        std::chrono::duration<double>(WorkerCalls::Steady::now().time_since_epoch()).count();
    if (meters_.cores > 0) usage.processor_s = processor_s(calls_->process(at_.worker));
    usage.processors = meters_.cores;
    if (meters_.energy) usage.energy_j = meters_.energy();
    if (!meters_.activity) return usage;
    if (const auto activity = meters_.activity()) {
      usage.activity = {activity->dram, activity->sm_occupancy};
    }
    return usage;
  }
  double activity_age_s() const override {
    return meters_.activity ? std::chrono::duration<double>(kGpmRefresh).count() : 0;
  }

  Load load(const std::string& model) override {
    return told([&]() -> Load {
      const LoadReport report = calls_->load(at_, index_of(model));
      return {ms_of(report.time), report.weights_mib};
    });
  }
  void unload(const std::string& model) override {
    told([&] { calls_->unload(at_, index_of(model)); });
  }
  double run(const std::string& model, std::uint32_t batch) override {
    return told([&] {
      const auto times = calls_->run(at_, index_of(model), batch);
      return ms_of(times.end - times.start);
    });
  }

 private:
  std::uint32_t index_of(const std::string& model) const {
    const auto found = std::find_if(models_.begin(), models_.end(),
                                    [&](const ModelSpec& m) { return m.name == model; });
    return static_cast<std::uint32_t>(found - models_.begin());
  }

  std::shared_ptr<WorkerCalls> calls_;
  LaneAddress at_;
  const std::vector<ModelSpec>& models_;
  Meters meters_;
};

// What makes a device busy without being a network.
std::string runner_without_framework(const std::vector<std::string>& runners) {
  for (const char* const name : {"native", "kernels"}) {
    if (std::find(runners.begin(), runners.end(), name) != runners.end()) return name;
  }
  return runners.back();
}

const BackendInfo* find_backend(const std::string& name) {
  std::vector<std::string> known;
  for (const BackendInfo& backend : backends()) {
    if (backend.lay_out == nullptr) continue;
    if (backend.name == name) return &backend;
    known.push_back(backend.name);
  }
  throw ConfigError("--backend", unknown_name("backend with a device to measure", name, known));
}

}  // namespace

MeasuredWorkers::MeasuredWorkers(const std::string& backend,
                                 EngineSettings settings,
                                 const std::vector<std::string>& models,
                                 HogSettings hogs)
    : backend_(find_backend(backend)),
      settings_(std::move(settings)),
      hogs_(std::move(hogs)),
      machine_(this_machine()) {
  const std::vector<std::string>& runners = backend_->runners;
  if (settings_.runner.empty()) settings_.runner = runners.front();
  if (hogs_.runner.empty()) hogs_.runner = runner_without_framework(runners);
  Faults faults;
  for (const auto& [option, runner] :
       {std::pair("--runner", settings_.runner), std::pair("--hog-runner", hogs_.runner)}) {
    if (std::find(runners.begin(), runners.end(), runner) == runners.end()) {
      faults.add(option, unknown_name("runner of the backend " + backend, runner, runners));
    }
  }
  faults.throw_if_any();
  models_ = find_models(models, settings_.runner, settings_.models);
  cores_ = divide_cores(machine_, settings_);
  if (!hogs_.names.empty()) {
    hog_models_ = find_models(hogs_.names, hogs_.runner, settings_.models);
    const Share half{ShareKind::kPercent, 50};
    if (lay_out({half, half}, settings_.runner, models_).workers.size() != 2) {
      throw ConfigError("--hogs",
                        fmt::format("the partitions of the backend {} are in one process, "
                                    "which has one runner; take a backend with a process "
                                    "for each, as cpu, cuda-mps",
                                    backend));
    }
  }
  if (backend_->name.starts_with("cuda-") && backend_->name != "cuda-mig") {
    energy_ = energy_meter();
    activity_ = activity_meter();
  }
  if (cores_.dispatcher) pinned_.emplace(*cores_.dispatcher);
}

MeasuredWorkers::~MeasuredWorkers() = default;

Layout MeasuredWorkers::lay_out(const std::vector<Share>& shares,
                                const std::string& runner,
                                const std::vector<ModelSpec>& models) const {
  std::vector<std::string> names;
  for (const ModelSpec& model : models) names.push_back(model.name);
  const Deployment deployment = deployment_of(names, shares, backend_->name == "cpu");
  EngineSettings settings = settings_;
  settings.runner = runner;
  return backend_->lay_out(deployment, machine_, settings, models);
}

void MeasuredWorkers::prepare(Layout& layout) {
  ++opened_;
  for (WorkerSpec& worker : layout.workers) {
    if (worker.cores.empty()) worker.cores = cores_.partitions;
    // Other lanes may be open at the same time.
    if (!worker.quota_group.empty()) {
      worker.quota_group = fmt::format("measure{}-{}", opened_, worker.quota_group);
    }
    // Loading is measured, and warming up is ours.
    for (LaneSpec& lane : worker.lanes) lane.models.clear();
    for (ModelSpec& model : worker.models) model.warm_batches.clear();
  }
}

std::vector<std::unique_ptr<MeasureLane>> MeasuredWorkers::start(
    Layout layout, const std::vector<const std::vector<ModelSpec>*>& models) {
  prepare(layout);
  auto calls = std::make_shared<WorkerCalls>(settings_.pool);
  const std::vector<WorkerGrant>& grants = calls->open(layout.workers);
  take_grants(grants);
  std::vector<std::unique_ptr<MeasureLane>> lanes;
  for (std::size_t i = 0; i < layout.lane_of.size(); ++i) {
    const LaneAddress at = layout.lane_of[i];
    Meters meters{0, energy_, activity_};
    // A process of the backend cpu has one lane, on one core or on a share of it.
    if (backend_->name == "cpu") {
      const Share& share = grants[at.worker].lanes[at.lane].share;
      meters.cores = share.kind == ShareKind::kPercent ? share.amount / 100 : 1;
    }
    lanes.push_back(std::make_unique<WorkerLane>(calls, at, *models[i], std::move(meters)));
  }
  return lanes;
}

std::vector<std::unique_ptr<MeasureLane>> MeasuredWorkers::open(const std::vector<Share>& shares) {
  return start(lay_out(shares, settings_.runner, models_),
               std::vector<const std::vector<ModelSpec>*>(shares.size(), &models_));
}

std::vector<std::unique_ptr<MeasureLane>> MeasuredWorkers::open_beside_hog(const Share& model,
                                                                           const Share& hog) {
  // As both runners would be laid out, of which each gives its half.
  Layout layout = lay_out({model, hog}, settings_.runner, models_);
  layout.workers[1] = std::move(lay_out({model, hog}, hogs_.runner, hog_models_).workers[1]);
  return start(std::move(layout), {&models_, &hog_models_});
}

// A worker of its own lists kernels: the profiler slows whatever it watches. It has one model at a
// time.
struct MeasuredWorkers::Tracing {
  Tracing(const PoolOptions& pool, LaneAddress lane) : calls(pool), at(lane) {}
  WorkerCalls calls;
  LaneAddress at;
  std::optional<std::uint32_t> loaded;
};

void MeasuredWorkers::start_tracing() {
  Layout layout = lay_out({Share{}}, settings_.runner, models_);
  prepare(layout);
  layout.workers.front().lists_kernels = true;
  tracing_ = std::make_unique<Tracing>(settings_.pool, layout.lane_of.front());
  tracing_->calls.open(layout.workers);
}

std::vector<Kernel> MeasuredWorkers::kernels(const std::string& model, std::uint32_t batch) {
  if (!lists_kernels_) return {};
  const auto found = std::find_if(models_.begin(), models_.end(),
                                  [&](const ModelSpec& m) { return m.name == model; });
  const auto index = static_cast<std::uint32_t>(found - models_.begin());
  try {
    if (!tracing_) start_tracing();
    if (tracing_->loaded != index) {
      if (tracing_->loaded) tracing_->calls.unload(tracing_->at, *tracing_->loaded);
      tracing_->loaded.reset();
      tracing_->calls.load(tracing_->at, index);
      tracing_->loaded = index;
    }
    std::vector<Kernel> kernels = tracing_->calls.kernels(tracing_->at, index, batch);
    has_listed_ = true;
    return kernels;
  } catch (const RunnerError& error) {
    if (error.fault() == RunnerFault::kDeviceLost) {
      throw SystemError(to_string(error.fault()) + ": " + error.what());
    }
    // Where nothing was listed yet, nothing will be, unless it is about this model or batch: it
    // chooses other kernels from run to run, or does not fit.
    lists_kernels_ = has_listed_ || error.fault() != RunnerFault::kUnsupported ||
                     std::string(error.what()).starts_with("batch ");
    note(fmt::format("{} batch {} has no kernel list: {}", model, batch, error.what()));
    return {};
  }
}

void MeasuredWorkers::take_grants(const std::vector<WorkerGrant>& grants) {
  for (const WorkerGrant& grant : grants) {
    // A hog's worker names its own framework; the first is the models'.
    if (&grant == &grants.front()) record_ = {grant.device, grant.driver, grant.framework};
    for (const LaneGrant& lane : grant.lanes) {
      if (lane.note.empty()) continue;
      note("granted " + to_string(lane.share) + ": " + lane.note);
    }
  }
}

void MeasuredWorkers::note(const std::string& text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(text);
}

}  // namespace tangram
