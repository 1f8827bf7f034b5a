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

std::future<WorkerCalls::Answer> WorkerCalls::expect(Calls& calls, const Key& key) {
  const std::scoped_lock lock(mutex_);
  if (const auto gone = lost_.find(key.first); gone != lost_.end()) {
    throw SystemError(gone->second);
  }
  const auto [call, is_new] = calls.try_emplace(key);
  TANGRAM_CHECK(is_new, "model ", key.second, " is being loaded or unloaded");
  return call->second.get_future();
}

WorkerCalls::Answer WorkerCalls::checked(std::future<Answer> answer) {
  Answer given = answer.get();
  if (given.is_lost) throw SystemError(given.why);
  if (given.fault) throw RunnerError(*given.fault, given.why);
  return given;
}

std::future<BatchTimes> WorkerCalls::start(LaneAddress at,
                                           std::uint32_t model,
                                           std::uint32_t size,
                                           Steady::time_point earliest) {
  BatchId batch;
  batch.slot = next_++;
  std::future<Answer> answer = expect(batches_, {at, batch.slot});
  pool_.run(at, batch, model, size, earliest);
  return std::async(std::launch::deferred, [answer = std::move(answer)]() mutable {
    return checked(std::move(answer)).times;
  });
}

BatchTimes WorkerCalls::run(LaneAddress at, std::uint32_t model, std::uint32_t size) {
  return start(at, model, size).get();
}

LoadReport WorkerCalls::load(LaneAddress at, std::uint32_t model) {
  std::future<Answer> answer = expect(loads_, {at, model});
  pool_.load(at, model);
  return checked(std::move(answer)).report;
}

void WorkerCalls::unload(LaneAddress at, std::uint32_t model) {
  std::future<Answer> answer = expect(loads_, {at, model});
  pool_.unload(at, model);
  checked(std::move(answer));
}

std::vector<Kernel> WorkerCalls::kernels(LaneAddress at, std::uint32_t model, std::uint32_t size) {
  std::future<Answer> answer = expect(loads_, {at, model});
  pool_.trace(at, model, size);
  return kernels_from(Json::parse(checked(std::move(answer)).kernels));
}

void WorkerCalls::answer(Calls& calls, const Key& key, const Answer& answer) {
  const std::scoped_lock lock(mutex_);
  if (auto call = calls.extract(key)) call.mapped().set_value(answer);
}

void WorkerCalls::finished(LaneAddress at,
                           BatchId batch,
                           Steady::time_point start,
                           Steady::time_point end) {
  answer(batches_, {at, batch.slot}, {{start, end}, {}, {}, false, "", ""});
}

void WorkerCalls::refused(LaneAddress at, BatchId batch, Refusal, const std::string& reason) {
  answer(batches_, {at, batch.slot}, {{}, {}, RunnerFault::kOutOfMemory, false, reason, ""});
}

void WorkerCalls::loaded(LaneAddress at, std::uint32_t model, const LoadReport& report) {
  answer(loads_, {at, model}, {{}, report, {}, false, "", ""});
}

void WorkerCalls::unloaded(LaneAddress at, std::uint32_t model) {
  loaded(at, model, {});
}

void WorkerCalls::traced(LaneAddress at, std::uint32_t model, const std::string& kernels) {
  answer(loads_, {at, model}, {{}, {}, {}, false, "", kernels});
}

void WorkerCalls::load_failed(LaneAddress at, std::uint32_t model, const RunnerError& error) {
  answer(loads_, {at, model}, {{}, {}, error.fault(), false, error.what(), ""});
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
      call->second.set_value({{}, {}, {}, true, why, ""});
      call = calls->erase(call);
    }
  }
}

}  // namespace tangram
