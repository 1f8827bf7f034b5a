// The engine's worker processes as a device to measure: the same programs, cores, quotas and shares
// that a run of that backend has.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/pinned_thread.h"
#include "validate/measure.h"

namespace tangram {

class MeasuredWorkers final : public MeasureDevice {
 public:
  // Throws ConfigError for a backend that is unknown or runs no workers, a runner that it does not
  // have, models that are not in the folder. While it lives, the calling thread is where the
  // engine's dispatcher would be.
  MeasuredWorkers(const std::string& backend,
                  EngineSettings settings,
                  const std::vector<std::string>& models);

  std::vector<std::unique_ptr<MeasureLane>> open(const std::vector<Share>& shares) override;
  Record record() const override { return record_; }
  // What the device granted where that differs from what was asked, one sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void take_grants(const std::vector<WorkerGrant>& grants);

  const BackendInfo* backend_;
  EngineSettings settings_;
  std::vector<ModelSpec> models_;
  Machine machine_;
  Cores cores_;
  std::optional<PinnedThread> pinned_;
  std::size_t opened_ = 0;
  Record record_;
  std::vector<std::string> notes_;
};

}  // namespace tangram
