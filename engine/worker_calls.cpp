#include "engine/worker_calls.h"

#include "sim/core/check.h"
#include "sim/core/error.h"

namespace tangram {

WorkerCalls::~WorkerCalls() {
  pool_.close();
}

const std::vector<WorkerGrant>& WorkerCalls::open(const std::vector<WorkerSpec>& specs) {
  return pool_.open(specs, *this);
}

std::future<BatchTimes> WorkerCalls::start(LaneAddress at,
                                           std::uint32_t model,
                                           std::uint32_t size,
                                           Steady::time_point earliest) {
  std::future<BatchTimes> answer;
  BatchId batch;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto gone = lost_.find(at); gone != lost_.end()) throw SystemError(gone->second);
    batch.slot = next_++;
    answer = batches_[{at, batch.slot}].times.get_future();
  }
  pool_.run(at, batch, model, size, earliest);
  return answer;
}

BatchTimes WorkerCalls::run(LaneAddress at, std::uint32_t model, std::uint32_t size) {
  return start(at, model, size).get();
}

std::future<LoadReport> WorkerCalls::expect_load(const Key& key) {
  const std::scoped_lock lock(mutex_);
  if (const auto gone = lost_.find(key.first); gone != lost_.end()) {
    throw SystemError(gone->second);
  }
  const auto [call, is_new] = loads_.try_emplace(key);
  TANGRAM_CHECK(is_new, "model ", key.second, " is being loaded or unloaded");
  return call->second.report.get_future();
}

LoadReport WorkerCalls::load(LaneAddress at, std::uint32_t model) {
  std::future<LoadReport> answer = expect_load({at, model});
  pool_.load(at, model);
  return answer.get();
}

void WorkerCalls::unload(LaneAddress at, std::uint32_t model) {
  std::future<LoadReport> answer = expect_load({at, model});
  pool_.unload(at, model);
  answer.get();
}

void WorkerCalls::answer_failure(Pending& pending, const std::exception_ptr& why) {
  pending.times.set_exception(why);
  pending.report.set_exception(why);
}

void WorkerCalls::finished(LaneAddress at,
                           BatchId batch,
                           Steady::time_point start,
                           Steady::time_point end) {
  const std::scoped_lock lock(mutex_);
  if (const auto call = batches_.extract({at, batch.slot})) {
    call.mapped().times.set_value({start, end});
  }
}

void WorkerCalls::refused(LaneAddress at, BatchId batch, Refusal, const std::string& reason) {
  const std::scoped_lock lock(mutex_);
  if (const auto call = batches_.extract({at, batch.slot})) {
    answer_failure(call.mapped(),
                   std::make_exception_ptr(RunnerError(RunnerFault::kOutOfMemory, reason)));
  }
}

void WorkerCalls::loaded(LaneAddress at, std::uint32_t model, const LoadReport& report) {
  const std::scoped_lock lock(mutex_);
  if (const auto call = loads_.extract({at, model})) call.mapped().report.set_value(report);
}

void WorkerCalls::unloaded(LaneAddress at, std::uint32_t model) {
  loaded(at, model, {});
}

void WorkerCalls::load_failed(LaneAddress at, std::uint32_t model, const RunnerError& error) {
  const std::scoped_lock lock(mutex_);
  if (const auto call = loads_.extract({at, model})) {
    answer_failure(call.mapped(), std::make_exception_ptr(error));
  }
}

void WorkerCalls::lost(LaneAddress at, const std::string& why) {
  const std::scoped_lock lock(mutex_);
  lost_.emplace(at, why);
  for (Calls* calls : {&batches_, &loads_}) {
    for (auto call = calls->begin(); call != calls->end();) {
      if (call->first.first != at) {
        ++call;
        continue;
      }
      answer_failure(call->second, std::make_exception_ptr(SystemError(why)));
      call = calls->erase(call);
    }
  }
}

}  // namespace tangram
