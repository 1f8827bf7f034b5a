// NVIDIA MPS: a process per workload; their kernels share one block dispatcher.
#include "policies/stages/per_client.h"

namespace tangram {
namespace {

class MpsClients final : public PerClient {
 public:
  explicit MpsClients(const Params& params) : PerClient(params, false) {}
};

}  // namespace

StageDispatcherEntry mps_clients_stage_dispatcher() {
  return describe_stage_dispatcher<MpsClients>(
      {"mps_clients",
       "a process per workload with hardware queues of its own; kernels of all run together, first "
       "come first served",
       "NVIDIA MPS as measured by Gilman and Walls (arXiv 2110.00459): first come first served, "
       "leftover, no priorities; the baseline MPS of Paella",
       {integer_param("streams", 128, 1, 1 << 20, "of each process")}});
}

}  // namespace tangram
