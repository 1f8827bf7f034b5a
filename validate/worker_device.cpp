#include "validate/worker_device.h"

#include <algorithm>
#include <chrono>

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

// A lane of workers that it owns together with its neighbours.
class WorkerLane final : public MeasureLane {
 public:
  WorkerLane(std::shared_ptr<WorkerCalls> calls,
             LaneAddress at,
             const std::vector<ModelSpec>& models)
      : calls_(std::move(calls)), at_(at), models_(models) {}

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
};

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
                                 const std::vector<std::string>& models)
    : backend_(find_backend(backend)), settings_(std::move(settings)), machine_(this_machine()) {
  const std::vector<std::string>& runners = backend_->runners;
  if (settings_.runner.empty()) settings_.runner = runners.front();
  if (std::find(runners.begin(), runners.end(), settings_.runner) == runners.end()) {
    throw ConfigError("--runner",
                      unknown_name("runner of the backend " + backend, settings_.runner, runners));
  }
  models_ = find_models(models, settings_.runner, settings_.models);
  cores_ = divide_cores(machine_, settings_);
  if (cores_.dispatcher) pinned_.emplace(*cores_.dispatcher);
}

std::vector<std::unique_ptr<MeasureLane>> MeasuredWorkers::open(const std::vector<Share>& shares) {
  std::vector<std::string> names;
  for (const ModelSpec& model : models_) names.push_back(model.name);
  const Deployment deployment = deployment_of(names, shares, backend_->name == "cpu");
  Layout layout = backend_->lay_out(deployment, machine_, settings_, models_);
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
  auto calls = std::make_shared<WorkerCalls>(settings_.pool);
  take_grants(calls->open(layout.workers));
  std::vector<std::unique_ptr<MeasureLane>> lanes;
  for (const LaneAddress at : layout.lane_of) {
    lanes.push_back(std::make_unique<WorkerLane>(calls, at, models_));
  }
  return lanes;
}

void MeasuredWorkers::take_grants(const std::vector<WorkerGrant>& grants) {
  for (const WorkerGrant& grant : grants) {
    record_ = {grant.device, grant.driver, grant.framework};
    for (const LaneGrant& lane : grant.lanes) {
      if (lane.note.empty()) continue;
      const std::string note = "granted " + to_string(lane.share) + ": " + lane.note;
      if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
    }
  }
}

}  // namespace tangram
