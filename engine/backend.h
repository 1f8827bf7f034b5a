// Where batches really run. One implementation per kind of device; the runtime knows this
// interface.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/clock.h"
#include "engine/inbox.h"
#include "engine/layout.h"
#include "policies/deployment.h"
#include "sim/core/random.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// All that an executor needs to know of a batch: executors never read the Host's books.
struct RunCommand {
  BatchId batch;
  ExecutorId executor;
  QueueId queue;  // of the first request: names the workload and the model
  std::uint32_t size = 0;
  Window window;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  // Makes every executor of the deployment ready to run and returns when all are. The references
  // must outlive close(). The clock may be read after the first submit. Throws ConfigError for a
  // deployment that this backend cannot run, SystemError when the machine does not allow it.
  virtual void open(const Deployment& deployment, const RealClock& clock, Inbox& inbox) = 0;
  // Hands a batch to its executor, which runs what it is given in order, one batch at a time: at
  // max(window.earliest, free), or refuses it (kTooLate) when that is later than window.latest.
  // Posts StartedPost and FinishedPost, or RefusedPost. An executor that dies posts ExecutorPost{e,
  // false} and nothing more; what it held is lost. Called by one thread.
  virtual void submit(const RunCommand& command) = 0;
  // Whether load() and unload() work; a run with managed weights asks before open().
  virtual bool loads_weights() const { return false; }
  // Moves a model's weights to the executor's memory, after what was asked before, and posts a
  // WeightsPost. Called by one thread. Requires: loads_weights().
  virtual void load(ExecutorId, ModelId) {}
  // Forgets them, at once.
  virtual void unload(ExecutorId, ModelId) {}
  // Stops the executors; batches that still run are abandoned. Nothing is posted afterwards. May be
  // called twice.
  virtual void close() = 0;
  // What open() got and what failed since, one sentence each: what was granted, not what was asked.
  virtual std::vector<std::string> granted() const = 0;
};

struct BackendInfo {
  std::string name, summary;
  std::vector<std::string> runners;  // the first is the default
  LayOut lay_out = nullptr;          // nullptr: emulated, in this process
};
const std::vector<BackendInfo>& backends();
std::vector<std::string> backend_names();

// `key` is the root of the run's random streams. Throws ConfigError for an unknown name or runner.
// The scenario must outlive the backend.
std::unique_ptr<Backend> make_backend(const std::string& name,
                                      const Scenario& scenario,
                                      StreamKey key,
                                      EngineSettings settings = {});

}  // namespace tangram
