// Fixed batches: waits until a batch is complete, or until its oldest request has waited long
// enough.
#include <algorithm>

#include "policies/dispatchers/holding.h"

namespace tangram {
namespace {

class FixedBatch final : public Holding<FixedBatch> {
 public:
  explicit FixedBatch(const Params& params) {
    if (params.has("batch")) batch_ = static_cast<std::uint32_t>(params.integer("batch"));
    if (params.has("timeout_ms")) timeout_ = params.ms("timeout_ms");
  }
  TimePoint due(const View& view, QueueId q, const Service& service) const {
    return full_or_waited(view.queue(q), target(service), timeout_);
  }
  std::uint32_t size(const View& view, QueueId q, const Service& service) const {
    return std::min(view.queue(q).size(), target(service));
  }

 private:
  std::uint32_t target(const Service& service) const { return std::min(batch_, service.max_batch); }
  std::uint32_t batch_ = ~std::uint32_t{0};
  std::optional<Duration> timeout_;
};

}  // namespace

DispatcherEntry fixed_batch_dispatcher() {
  return describe_dispatcher<FixedBatch>(
      {"fixed_batch",
       "waits for a full batch, or until the oldest request has waited timeout_ms; then takes what "
       "is there",
       "the textbook rule; without timeout_ms the last requests of a run may never be served",
       {integer_param("batch", std::nullopt, 1, 1 << 20,
                      "batch to wait for; none: the planned batch, else the profile's largest"),
        number_param("timeout_ms", std::nullopt, 0, 3'600'000,
                     "longest wait of the oldest request; none: for ever")}});
}

}  // namespace tangram
