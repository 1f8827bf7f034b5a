// The table of a scenario's keys, and the reader that obeys it.
#include "sim/scenario/keys.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "policies/deployment.h"
#include "policies/registry.h"
#include "profiles/interference.h"
#include "sim/core/check.h"
#include "sim/scenario/scenario.h"
#include "workloads/application.h"
#include "workloads/network_delay.h"
#include "workloads/trace.h"

namespace tangram {
namespace {

constexpr double kMillion = 1e6;

KeyInfo key(std::string pointer, KeyKind kind, Json initial, std::string help) {
  return {std::move(pointer), kind, false, std::move(initial), 0, 0, {}, std::move(help)};
}
KeyInfo number(std::string pointer, Json initial, double low, double high, std::string help) {
  KeyInfo entry = key(std::move(pointer), KeyKind::kNumber, std::move(initial), std::move(help));
  entry.low = low;
  entry.high = high;
  return entry;
}
KeyInfo positive(std::string pointer, Json initial, double high, std::string help) {
  KeyInfo entry = number(std::move(pointer), std::move(initial), 0, high, std::move(help));
  entry.kind = KeyKind::kPositive;
  return entry;
}
KeyInfo integer(std::string pointer, Json initial, double low, double high, std::string help) {
  KeyInfo entry = number(std::move(pointer), std::move(initial), low, high, std::move(help));
  entry.kind = KeyKind::kInteger;
  return entry;
}
KeyInfo name(std::string pointer, Json initial, std::vector<std::string> names, std::string help) {
  KeyInfo entry = key(std::move(pointer), KeyKind::kName, std::move(initial), std::move(help));
  entry.names = std::move(names);
  return entry;
}
KeyInfo required(KeyInfo entry) {
  entry.required = true;
  return entry;
}

void add_run_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(required(integer("/schema", {}, 1, 1, "version of this format")));
  keys.push_back(
      key("/name", KeyKind::kString, {}, "printed in every table; default: the file's name"));
  keys.push_back(key("/seed", KeyKind::kSeed, 1, "of all random streams"));
  keys.push_back(required(number("/duration_s", {}, 1e-9, kLongestRunSeconds,
                                 "requests arrive until then, warm-up included")));
  keys.push_back(number("/warmup_s", 0, 0, kLongestRunSeconds,
                        "requests that arrive before do not count; below duration_s"));
  keys.push_back(key("/drain", KeyKind::kBool, true,
                     "serve all that arrived; without it the rest is unfinished"));
  keys.push_back(
      required(key("/profiles", KeyKind::kArray, {},
                   "files (from the scenario's folder, then the shipped ones) or profiles "
                   "written out (docs/reference/profile.md)")));
  keys.push_back(key("/beliefs", KeyKind::kArray, {},
                     "profiles, in the form of /profiles, that planner and dispatcher believe in "
                     "place of those of the same model and GPU; the devices keep to /profiles"));
}

void add_cluster_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(
      required(key("/cluster", KeyKind::kObject, {}, "the GPUs that a planner may use")));
  keys.push_back(required(key("/cluster/gpus", KeyKind::kArray, {}, "groups of equal GPUs")));
  keys.push_back(required(key("/cluster/gpus/*/type", KeyKind::kString, {},
                              "a built-in GPU type or one of /cluster/types")));
  keys.push_back(integer("/cluster/gpus/*/count", 1, 1, kMillion, "how many"));
  keys.push_back(key("/cluster/nodes", KeyKind::kObject, {},
                     "the machines that hold the GPUs, for weights that are loaded during a run"));
  keys.push_back(integer("/cluster/nodes/gpus", {}, 1, kMillion,
                         "GPUs of one node, in the plan's order; default: all in one node"));
  keys.push_back(positive("/cluster/nodes/host_memory_gib", {}, kMillion,
                          "memory of one node for weights; default: unlimited"));
  keys.push_back(positive("/cluster/nodes/link_gb_per_s", 12, kMillion,
                          "between host memory and one GPU, in 1e9 bytes per second"));
  keys.push_back(positive("/cluster/nodes/storage_gb_per_s", 2, kMillion,
                          "of one node, from storage to host memory"));
  keys.push_back(key("/cluster/types", KeyKind::kArray, {}, "GPU types of your own"));
  const std::string type = "/cluster/types/*/";
  keys.push_back(required(key(type + "name", KeyKind::kString, {}, "not a built-in one")));
  keys.push_back(key(type + "description", KeyKind::kString, {}, "for people"));
  keys.push_back(integer(type + "sms", 0, 0, kMillion,
                         "streaming multiprocessors, or a CPU's cores; 0: unknown"));
  keys.push_back(positive(type + "memory_gib", {}, 1e9, "default: unknown, memory is not checked"));
  keys.push_back(number(type + "dram_gb_per_s", 0, 0, 1e9, "peak memory bandwidth; 0: unknown"));
  keys.push_back(number(type + "fp32_tflops", 0, 0, 1e9, "peak; 0: unknown"));
  keys.push_back(number(type + "tf32_tflops", 0, 0, 1e9, "peak, dense; 0: none"));
  keys.push_back(number(type + "fp16_tflops", 0, 0, 1e9, "peak, dense; 0: unknown"));
  keys.push_back(number(type + "power_w", 0, 0, kMillion, "board power; 0: unknown"));
  keys.push_back(key(type + "mig", KeyKind::kArray, {}, "MIG instance sizes; default: no MIG"));
  const std::string size = type + "mig/*/";
  keys.push_back(required(integer(size + "slices", {}, 1, 7, "compute slices")));
  keys.push_back(
      required(integer(size + "memory_slices", {}, 1, 8, "slots that it occupies, of 8")));
  keys.push_back(required(positive(size + "memory_gib", {}, 1e9, "memory that it owns")));
  keys.push_back(required(integer(size + "sms", {}, 1, kMillion, "multiprocessors that it owns")));
  keys.push_back(required(key(size + "starts", KeyKind::kArray, {}, "slots that it may start at")));
}

void add_workload_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(positive("/load", 1, kMillion,
                          "factor on every rate, given by arrivals or popularity, and on the "
                          "speed-up of traces; closed loops stay as they are"));
  keys.push_back(required(key("/workloads", KeyKind::kArray, {}, "who asks for what")));
  keys.push_back(key("/workloads/*/name", KeyKind::kString, {},
                     "unique; default: the model's or the application's name"));
  keys.push_back(key("/workloads/*/model", KeyKind::kString, {},
                     "a model with a profile on a GPU type of the cluster; this or application"));
  keys.push_back(key("/workloads/*/application", KeyKind::kString, {},
                     "one of /applications, or a known one: game, traffic"));
  // Times in ms end where the run does.
  keys.push_back(required(number("/workloads/*/slo_ms", {}, 1e-6, kLongestRunSeconds * 1e3,
                                 "a request is good when it is answered within this time")));
  const std::string split = "/workloads/*/slo_split";
  keys.push_back(key(split, KeyKind::kObject, {}, "an application's: SLO of its stages"));
  keys.push_back(
      name(split + "/name", "proportional", slo_split_names(), "describe NAME says more"));
  keys.push_back(key(split + "/params", KeyKind::kObject, {}, "of that split"));
  keys.push_back(key(split + "/stages_ms", KeyKind::kObject, {},
                     "in place of a name: an SLO in ms for each stage, by its name"));
  keys.push_back(required(key("/workloads/*/arrivals", KeyKind::kObject, {},
                              "how requests arrive; \"process\" and its own keys")));
}

void add_application_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(key("/applications", KeyKind::kArray, {}, "DAGs of models, for workloads"));
  keys.push_back(required(key("/applications/*/name", KeyKind::kString, {}, "unique")));
  keys.push_back(required(key("/applications/*/stages", KeyKind::kArray, {}, "at most 1000")));
  const std::string stage = "/applications/*/stages/*/";
  keys.push_back(
      key(stage + "name", KeyKind::kString, {}, "unique in it; default: the model's name"));
  keys.push_back(required(key(stage + "model", KeyKind::kString, {},
                              "a model with a profile on a GPU type of the cluster")));
  keys.push_back(key(stage + "after", KeyKind::kArray, {},
                     "names of the stages whose answers it needs; default: none"));
  keys.push_back(name(stage + "wait", {}, {"each", "all"},
                      "asked for each request of its one predecessor, or once all requests of all "
                      "are answered; default: all where it has several"));
  keys.push_back(integer(stage + "fan_out", 1, 0, FanOut::kMost,
                         "requests each time it is asked; or an object with the keys below"));
  keys.push_back(
      required(name(stage + "fan_out/kind", {}, {"poisson", "weights"}, "a random number")));
  keys.push_back(positive(stage + "fan_out/mean", {}, 100, "poisson: its mean"));
  keys.push_back(key(stage + "fan_out/weights", KeyKind::kArray, {},
                     "weights: of 0, 1, 2 ... requests; at most 1001"));
}

void add_network_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(key("/network", KeyKind::kObject, {}, "from the client to the queue"));
  keys.push_back(required(number("/network/delay_ms", {}, 0, kMillion, "mean")));
  keys.push_back(name("/network/kind", "constant", network_delay_names(), "distribution"));
  keys.push_back(number("/network/cv", 1, 1e-3, 100,
                        "lognormal, gamma: standard deviation over mean, above at_least_ms"));
  keys.push_back(
      number("/network/at_least_ms", 0, 0, kMillion, "part of the delay that is never less"));
}

void add_popularity_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(key("/popularity", KeyKind::kObject, {},
                     "one rate, split over the workloads whose arrivals give no rate_rps"));
  keys.push_back(required(positive("/popularity/rate_rps", {}, 1e9, "of all of them together")));
  keys.push_back(
      required(name("/popularity/kind", {}, {"zipf", "weights"}, "how it is split over them")));
  keys.push_back(number("/popularity/s", 1, 0, 10,
                        "zipf: the k-th of them gets a share of k^-s; 0: equal shares"));
  keys.push_back(key("/popularity/weights", KeyKind::kObject, {},
                     "weights: a number above 0 for each of them, by its name"));
}

// Read by workloads/, which has the ranges too; a test compares them.
void add_arrival_keys(std::vector<KeyInfo>& keys) {
  const std::string arrivals = "/workloads/*/arrivals/";
  keys.push_back(
      required(name(arrivals + "process", {}, arrival_names(), "decides on the keys below")));
  keys.push_back(positive(arrivals + "rate_rps", {}, 1e9,
                          "mean rate; of a trace: sets the speed-up; not of piecewise, closed_loop "
                          "and mmpp with states"));
  keys.push_back(
      number(arrivals + "shape", {}, 1e-4, kMillion, "gamma: variance = mean^2 / shape"));
  keys.push_back(number(arrivals + "cv", {}, 1e-3, 100,
                        "gamma: coefficient of variation of the gap, in place of shape"));
  keys.push_back(positive(arrivals + "sigma", {}, 10, "lognormal: of the gap's logarithm"));
  keys.push_back(number(arrivals + "burst_ratio", {}, 1, kMillion,
                        "mmpp of two states: the burst's rate over the calm's"));
  keys.push_back(positive(arrivals + "burst_s", {}, kLongestRunSeconds,
                          "mmpp of two states: mean length of a burst"));
  keys.push_back(positive(arrivals + "calm_s", {}, kLongestRunSeconds,
                          "mmpp of two states: mean time between bursts"));
  keys.push_back(key(arrivals + "states", KeyKind::kArray, {}, "mmpp: 2 to 64 states"));
  const std::string state = arrivals + "states/*/";
  keys.push_back(required(number(state + "rate_rps", {}, 0, 1e9, "while in this state")));
  keys.push_back(required(
      positive(state + "dwell_s", {}, kLongestRunSeconds, "mean length of a visit (exponential)")));
  keys.push_back(key(state + "next", KeyKind::kArray, {},
                     "probability of each state to follow; default: all others alike"));
  keys.push_back(key(arrivals + "segments", KeyKind::kArray, {},
                     "piecewise: one after the other; each has a process, its keys, and"));
  const std::string segment = arrivals + "segments/*/";
  keys.push_back(required(number(segment + "duration_s", {}, 1e-6, 1e9, "how long it lasts")));
  keys.push_back(positive(segment + "end_rps", {}, 1e9,
                          "the rate goes from rate_rps to this in a straight line"));
  keys.push_back(
      key(arrivals + "path", KeyKind::kString, {}, "trace: file, from the scenario's folder"));
  keys.push_back(name(arrivals + "format", {}, trace_formats(), "trace: of that file"));
  keys.push_back(key(arrivals + "dataset", KeyKind::kString, {},
                     "trace, timestamps: of an HDF5 file; seconds, or ns when it ends in _ns"));
  keys.push_back(key(arrivals + "functions", KeyKind::kObject, {},
                     "trace of functions: which ones; default: all, merged"));
  const std::string functions = arrivals + "functions/";
  keys.push_back(key(functions + "rank", KeyKind::kArray, {},
                     "from the first to the last busiest, or one number; the busiest is 1"));
  keys.push_back(key(functions + "hash", KeyKind::kArray, {},
                     "[part, parts]: those whose hashed name falls into that part, from 0"));
  keys.push_back(key(functions + "names", KeyKind::kArray, {},
                     "by \"func\", \"app/func\" or \"owner/app/func\""));
  keys.push_back(name(arrivals + "counts", "exact", {"exact", "poisson"},
                      "trace of counts a minute: exactly those, or Poisson with that rate"));
  keys.push_back(positive(arrivals + "speed_up", 1, 1e9, "trace: gaps are divided by it"));
  keys.push_back(key(arrivals + "slice_s", KeyKind::kArray, {},
                     "trace: [start, end] of the trace's time; end may be null"));
  keys.push_back(
      key(arrivals + "repeat", KeyKind::kBool, false, "trace, piecewise: start over at the end"));
  keys.push_back(integer(arrivals + "clients", {}, 1, kMillion, "closed_loop: how many"));
  keys.push_back(number(arrivals + "think_ms", 0, 0, kLongestRunSeconds * 1e3,
                        "closed_loop: mean time from an answer to the next request"));
  keys.push_back(name(arrivals + "think", "exponential", {"exponential", "constant"},
                      "closed_loop: how that time is distributed"));
}

void add_policy_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(key("/planner", KeyKind::kObject, {}, "who cuts the GPUs, or a plan that exists"));
  keys.push_back(name("/planner/name", "exclusive", planner_names(), "describe NAME says more"));
  keys.push_back(key("/planner/params", KeyKind::kObject, {}, "of that planner"));
  keys.push_back(key("/planner/plan", KeyKind::kString, {}, "file of a plan, in place of a name"));
  keys.push_back(name("/planner/format", "json", {"json", "parvagpu", "gpulet", "igniter"},
                      "of that file; parvagpu: a deployment map, gpulet: a ModelList.txt, igniter: "
                      "its GPUs, one a line"));
  keys.push_back(key("/replanning", KeyKind::kObject, {},
                     "the planner is asked again during the run, for measured rates"));
  keys.push_back(required(name("/replanning/name", {}, replan_rule_names(),
                               "when, and for which rates; describe NAME")));
  keys.push_back(key("/replanning/params", KeyKind::kObject, {}, "of that rule"));
  keys.push_back(number("/replanning/rebuild_s", 10, 0, kMillion,
                        "to make a partition and start its processes; a model's load_ms is added"));
  keys.push_back(name("/replanning/switch", "background", {"background", "in_place"},
                      "background: the old plan serves until all of the new one is made; in_place: "
                      "only partitions that stay go on"));
  keys.push_back(
      name("/routing", "central", routing_names(), "one queue per workload, or one per replica"));
  keys.push_back(key("/dispatcher", KeyKind::kObject, {}, "who makes batches"));
  keys.push_back(name("/dispatcher/name", "fifo", dispatcher_names(), "describe NAME says more"));
  keys.push_back(key("/dispatcher/params", KeyKind::kObject, {}, "of that dispatcher"));
  keys.push_back(key("/stages", KeyKind::kObject, {},
                     "who launches kernels, in place of a dispatcher (device model blocks)"));
  keys.push_back(
      name("/stages/name", "streams_job", stage_dispatcher_names(), "describe NAME says more"));
  keys.push_back(key("/stages/params", KeyKind::kObject, {}, "of that stage dispatcher"));
  keys.push_back(integer("/stages/outstanding", 0, 0, kMillion,
                         "requests that are let in at once, in the order of arrival; 0: all"));
  keys.push_back(key("/stages/instances", KeyKind::kObject, {},
                     "by workload: requests at work at once; others wait, and are outstanding"));
  keys.push_back(name("/stages/latency_from", "intended", {"intended", "submit"},
                      "latency counts from the arrival, or from when it was let in"));
}

// The knobs of BlockSpec.
void add_block_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(key("/device/blocks", KeyKind::kObject, {}, "knobs of the device model blocks"));
  const std::string at = "/device/blocks/";
  keys.push_back(integer(at + "queues", 8, 1, 4096,
                         "hardware queues of a process (CUDA_DEVICE_MAX_CONNECTIONS)"));
  keys.push_back(name(at + "queue_release", "dispatch", {"dispatch", "completion"},
                      "when a queue lets the next kernel go: its kernel is on the SMs, or over"));
  keys.push_back(
      name(at + "queue_mapping", "round_robin", {"round_robin", "random"}, "streams to queues"));
  keys.push_back(name(at + "queue_waiters", "fifo", {"fifo", "random"},
                      "which stream gets a queue that is free"));
  keys.push_back(integer(at + "resident_grids", 128, 1, kMillion, "kernels on the device at once"));
  keys.push_back(integer(at + "copy_engines", 2, 1, 2, "2: one for each direction"));
  keys.push_back(positive(at + "copy_gb_per_s", 12, 1e5, "of the host link, each direction"));
  keys.push_back(number(at + "copy_fixed_us", 5.3, 0, kMillion, "of every copy"));
  keys.push_back(integer(at + "input_bytes", 0, 0, 1e12, "copied to the device for a request"));
  keys.push_back(integer(at + "output_bytes", 0, 0, 1e12, "copied back"));
  keys.push_back(
      number(at + "visible_us", 4, 0, kMillion, "from a launch to its first instruction"));
  keys.push_back(number(at + "gap_us", 2, 0, kMillion, "between two kernels of one stream"));
  keys.push_back(number(at + "notify_us", 5.5, 0, kMillion, "from a block's end to the server"));
  keys.push_back(
      number(at + "poll_us", 0.05, 0, kMillion, "server: to read the record of up to 16 blocks"));
  keys.push_back(number(at + "decision_us", 0.5, 0, kMillion, "server: to choose a stage"));
  keys.push_back(number(at + "launch_us", 2.75, 0, kMillion, "server or host thread: a launch"));
  keys.push_back(positive(at + "quantum_ms", 2, kMillion, "time slice of a process without MPS"));
  keys.push_back(number(at + "switch_ms", 0.17, 0, kMillion, "lost at each change between them"));
  keys.push_back(name(at + "contention", "none", {"none", "factor", "roofline"},
                      "between resident blocks: none, the profile's constant factor beside another "
                      "request, or SM issue slots, DRAM and L2 bandwidth, times that factor"));
  keys.push_back(positive(at + "saturating_warps", 16, 64,
                          "roofline: warps of an SM beyond which they share its issue slots"));
  keys.push_back(key(at + "aggregate", KeyKind::kBool, true,
                     "blocks placed at one instant end as one; false: an event per block"));
  keys.push_back(integer(at + "merge_above", 16, 1, kMillion,
                         "cohorts of a kernel beyond which close ones are joined"));
  keys.push_back(number(at + "merge_within", 0.01, 0, 1, "of a block's time: how close"));
  keys.push_back(key(at + "sm", KeyKind::kObject, {},
                     "limits of an SM, in place of the GPU type's; needed for types of your own"));
  keys.push_back(required(integer(at + "sm/threads", {}, 32, 4096, "resident threads")));
  keys.push_back(required(integer(at + "sm/blocks", {}, 1, 64, "resident blocks")));
  keys.push_back(required(integer(at + "sm/registers", {}, 256, 1 << 18, "32 bits each")));
  keys.push_back(required(integer(at + "sm/shared_bytes", {}, 256, 1 << 19, "shared memory")));
}

void add_device_keys(std::vector<KeyInfo>& keys) {
  keys.push_back(key("/device", KeyKind::kObject, {}, "how the simulated GPUs behave"));
  keys.push_back(
      name("/device/model", "rate", device_model_names(),
           "rate: remaining work and speed per batch; blocks: kernels, thread blocks, SMs"));
  keys.push_back(name(
      "/device/sharing", "from_plan", sharing_names(),
      "how processes of one GPU share it; device model blocks: from_plan, or sm, which makes MPS "
      "shares ranges of SMs"));
  keys.push_back(key("/device/interference", KeyKind::kObject, {},
                     "slowdown by neighbours; default: constant where a GPU is shared"));
  const std::string model = "/device/interference/";
  keys.push_back(required(name(model + "name", {}, interference_names(), "the model")));
  keys.push_back(
      key(model + "params", KeyKind::kObject, {}, "of that model: factor, coefficients"));
  for (const std::string& folder : {model + "params/", model}) {
    const std::string place = folder == model ? ", written directly" : "";
    keys.push_back(number(folder + "factor", {}, 1, 1e3,
                          "constant: in place of the profiles' factors" + place));
    keys.push_back(key(folder + "coefficients", KeyKind::kArray, {},
                       "gpulet: L2 self, L2 other, DRAM self, DRAM other, constant; "
                       "kernel_length: c, k" +
                           place));
  }
  keys.push_back(positive("/device/quantum_ms", 2, kMillion, "time slicing: length of a slice"));
  keys.push_back(
      number("/device/switch_ms", 0, 0, kMillion, "time slicing: lost at each change of process"));
  keys.push_back(name("/device/processes", "planned", {"planned", "busy"},
                      "MIG+MPS: whose number sets the speed"));
  keys.push_back(number("/device/overhead_ms", 0, 0, kMillion,
                        "added to every batch, unknown to the dispatcher"));
  keys.push_back(integer("/device/depth", 2, 1, 64, "batches that an executor may hold"));
  keys.push_back(key("/device/weights", KeyKind::kObject, {},
                     "loads weights during the run; default: all are always on every device"));
  keys.push_back(positive("/device/weights/cache_gib", {}, kMillion,
                          "memory of a GPU for weights; default: all that it has"));
  keys.push_back(name("/device/weights/initially", "empty", {"empty", "filled"},
                      "what is there at the start: nothing, or the first models that fit"));
  add_block_keys(keys);
  keys.push_back(key("/outputs", KeyKind::kObject, {}, "what a result holds beside the metrics"));
  keys.push_back(key("/outputs/requests", KeyKind::kBool, false, "a row per request"));
  keys.push_back(key("/outputs/timeline", KeyKind::kBool, false, "a row per batch"));
}

}  // namespace

const std::vector<KeyInfo>& scenario_keys() {
  static const std::vector<KeyInfo> table = [] {
    std::vector<KeyInfo> keys;
    add_run_keys(keys);
    add_cluster_keys(keys);
    add_workload_keys(keys);
    add_arrival_keys(keys);
    add_application_keys(keys);
    add_popularity_keys(keys);
    add_network_keys(keys);
    add_policy_keys(keys);
    add_device_keys(keys);
    return keys;
  }();
  return table;
}

std::string range_of(const KeyInfo& key) {
  switch (key.kind) {
    case KeyKind::kNumber:
      return fmt::format("number in [{:g}, {:g}]", key.low, key.high);
    case KeyKind::kPositive:
      return fmt::format("number in (0, {:g}]", key.high);
    case KeyKind::kInteger:
      return key.low == key.high ? fmt::format("{:.0f}", key.low)
                                 : fmt::format("integer, {:.0f} to {:.0f}", key.low, key.high);
    case KeyKind::kSeed:
      return "integer, 0 to 18446744073709551615";
    case KeyKind::kBool:
      return "true or false";
    case KeyKind::kString:
      return "string";
    case KeyKind::kName:
      return fmt::format("one of {}", fmt::join(key.names, ", "));
    case KeyKind::kObject:
      return "object";
    case KeyKind::kArray:
      return "array";
  }
  return "";
}

KeyReader::KeyReader(const std::optional<JsonNode>& node, std::string path)
    : path_(std::move(path)) {
  if (node) object_.emplace(*node);
}

const KeyInfo& KeyReader::info(const std::string& key) const {
  const std::string pointer = path_ + '/' + key;
  const std::vector<KeyInfo>& keys = scenario_keys();
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const KeyInfo& entry) { return entry.pointer == pointer; });
  TANGRAM_CHECK(found != keys.end(), "not in the table of keys: ", pointer);
  return *found;
}

std::optional<JsonNode> KeyReader::child(const KeyInfo& entry, const std::string& key) {
  if (!object_) return std::nullopt;
  return entry.required ? object_->require(key) : object_->get(key);
}

double KeyReader::number(const std::string& key) {
  const KeyInfo& entry = info(key);
  const double fallback = entry.initial.is_null() ? entry.low : entry.initial.get<double>();
  return optional_number(key).value_or(fallback);
}

std::optional<double> KeyReader::optional_number(const std::string& key) {
  const KeyInfo& entry = info(key);
  const std::optional<JsonNode> value = child(entry, key);
  if (!value) return std::nullopt;
  return entry.kind == KeyKind::kPositive ? value->positive(entry.high)
                                          : value->number(entry.low, entry.high);
}

std::int64_t KeyReader::integer(const std::string& key) {
  const KeyInfo& entry = info(key);
  const auto low = static_cast<std::int64_t>(entry.low);
  const std::int64_t fallback = entry.initial.is_null() ? low : entry.initial.get<std::int64_t>();
  const std::optional<JsonNode> value = child(entry, key);
  if (!value) return fallback;
  return value->integer(low, static_cast<std::int64_t>(entry.high)).value_or(fallback);
}

std::uint64_t KeyReader::seed(const std::string& key) {
  const KeyInfo& entry = info(key);
  const auto fallback = entry.initial.get<std::uint64_t>();
  const std::optional<JsonNode> value = child(entry, key);
  if (!value) return fallback;
  if (value->value().is_number_unsigned()) return value->value().get<std::uint64_t>();
  value->fault("must be an " + range_of(entry) + ", not " + value->value().dump().substr(0, 60));
  return fallback;
}

bool KeyReader::boolean(const std::string& key) {
  const KeyInfo& entry = info(key);
  const bool fallback = entry.initial.get<bool>();
  const std::optional<JsonNode> value = child(entry, key);
  return value ? value->boolean().value_or(fallback) : fallback;
}

std::string KeyReader::string(const std::string& key) {
  const std::optional<JsonNode> value = child(info(key), key);
  return value ? value->string().value_or("") : "";
}

std::optional<std::size_t> KeyReader::name(const std::string& key) {
  const KeyInfo& entry = info(key);
  const std::optional<JsonNode> value = child(entry, key);
  std::optional<std::string> given;
  if (value) {
    // The name of a planner is "planner", not "name", in messages.
    given = value->name_of(key == "name" ? path_.substr(path_.rfind('/') + 1) : key, entry.names);
  } else if (!entry.initial.is_null()) {
    given = entry.initial.get<std::string>();
  }
  if (!given) return std::nullopt;
  const auto found = std::find(entry.names.begin(), entry.names.end(), *given);
  return static_cast<std::size_t>(found - entry.names.begin());
}

std::optional<JsonNode> KeyReader::node(const std::string& key) {
  return child(info(key), key);
}

std::vector<JsonNode> KeyReader::items(const std::string& key) {
  const std::optional<JsonNode> value = child(info(key), key);
  return value ? value->items() : std::vector<JsonNode>{};
}

void KeyReader::finish() {
  if (object_) object_->finish();
}

}  // namespace tangram
