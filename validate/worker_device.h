// The engine's worker processes as a device to measure: the same programs, cores, quotas and shares
// that a run of that backend has.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/cuda/this_machine.h"
#include "engine/pinned_thread.h"
#include "validate/measure.h"

namespace tangram {

// Neighbours that only load the device, by a runner of their own beside that of the models.
struct HogSettings {
  std::vector<std::string> names;
  std::string runner;  // "": the backend's that needs no framework, native or kernels
};

class MeasuredWorkers final : public MeasureDevice {
 public:
  // Throws ConfigError for a backend that is unknown or runs no workers, a runner that it does not
  // have, models that are not in the folder, and for hogs where the partitions of the backend are
  // in one process, which has one runner. While it lives, the calling thread is where the engine's
  // dispatcher would be.
  MeasuredWorkers(const std::string& backend,
                  EngineSettings settings,
                  const std::vector<std::string>& models,
                  HogSettings hogs = {});
  ~MeasuredWorkers() override;
  MeasuredWorkers(const MeasuredWorkers&) = delete;
  MeasuredWorkers& operator=(const MeasuredWorkers&) = delete;

  std::vector<std::unique_ptr<MeasureLane>> open(const std::vector<Share>& shares) override;
  std::vector<std::unique_ptr<MeasureLane>> open_beside_hog(const Share& model,
                                                            const Share& hog) override;
  std::vector<Kernel> kernels(const std::string& model, std::uint32_t batch) override;
  void note(const std::string& text) override;
  Record record() const override { return record_; }
  // What the device granted where that differs from what was asked, and what it could not do, one
  // sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Tracing;
  // A lane for each share, of one runner and its models.
  Layout lay_out(const std::vector<Share>& shares,
                 const std::string& runner,
                 const std::vector<ModelSpec>& models) const;
  // What measuring changes in a layout.
  void prepare(Layout& layout);
  void start_tracing();
  // Starts the workers. `models` by lane outlive the lanes.
  std::vector<std::unique_ptr<MeasureLane>> start(
      Layout layout, const std::vector<const std::vector<ModelSpec>*>& models);
  void take_grants(const std::vector<WorkerGrant>& grants);

  const BackendInfo* backend_;
  EngineSettings settings_;
  std::vector<ModelSpec> models_;
  HogSettings hogs_;
  std::vector<ModelSpec> hog_models_;
  Machine machine_;
  Cores cores_;
  std::optional<PinnedThread> pinned_;
  std::function<std::optional<double>()> energy_;         // of the device, J; empty: not counted
  std::function<std::optional<GpuActivity>()> activity_;  // of the device; empty: not counted
  bool lists_kernels_ = true;                             // until the device said no
  bool has_listed_ = false;
  std::unique_ptr<Tracing> tracing_;
  std::size_t opened_ = 0;
  Record record_;
  std::vector<std::string> notes_;
};

}  // namespace tangram
