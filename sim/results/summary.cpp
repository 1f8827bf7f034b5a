// Which figure stands under which key.
#include "sim/results/summary.h"

#include <string>
#include <vector>

#include "sim/core/check.h"
#include "sim/results/statistics.h"

namespace tangram {
namespace {

double ratio(double part, double whole, double if_empty) {
  return whole > 0 ? part / whole : if_empty;
}

double ms_of_ns(double ns) {
  return ns * 1e-6;
}

Json latency_json(const Histogram& histogram) {
  return {{"mean", ms_of_ns(histogram.mean_ns())},  {"p50", to_ms(histogram.quantile(0.50))},
          {"p90", to_ms(histogram.quantile(0.90))}, {"p95", to_ms(histogram.quantile(0.95))},
          {"p99", to_ms(histogram.quantile(0.99))}, {"p999", to_ms(histogram.quantile(0.999))},
          {"max", to_ms(histogram.max())}};
}

// The mean latency in four parts, whose sum it is.
Json parts_json(const WorkloadMetrics& metrics) {
  const double n = static_cast<double>(metrics.completed);
  const auto mean_ms = [n](auto sum_ns) {
    return ratio(ms_of_ns(static_cast<double>(sum_ns)), n, 0);
  };
  const double interference = mean_ms(metrics.interference);
  return {{"batch_wait", mean_ms(metrics.batch_wait)},
          {"queue", mean_ms(metrics.queue())},
          {"execution", ms_of_ns(metrics.exec.mean_ns()) - interference},
          {"interference", interference}};
}

// Whether somebody outside asked for it: stages are asked by their applications.
bool is_asked_for(const Workload& workload) {
  return workload.kind != Workload::Kind::kStage;
}

// Each workload's share of good requests, for the fairness between workloads that were asked
// anything.
double fairness(const RunResult& run) {
  std::vector<double> attainments;
  for (std::size_t w = 0; w < run.metrics.size(); ++w) {
    const WorkloadMetrics& metrics = run.metrics[w];
    if (metrics.offered == 0 || !is_asked_for(run.workloads[w])) continue;
    attainments.push_back(static_cast<double>(metrics.good()) /
                          static_cast<double>(metrics.offered));
  }
  return jain_index(attainments);
}

// Requests are those that somebody asked for; batches are those of everything that ran.
WorkloadMetrics total_of(const RunResult& run) {
  WorkloadMetrics total;
  for (std::size_t w = 0; w < run.metrics.size(); ++w) {
    const WorkloadMetrics& metrics = run.metrics[w];
    if (is_asked_for(run.workloads[w])) {
      total.merge(metrics);
    } else {
      total.batches += metrics.batches;
      total.batch_items += metrics.batch_items;
    }
  }
  return total;
}

Json total_json(const RunResult& run) {
  Json total = summarize(total_of(run), run.measured_s);
  total["fairness"] = fairness(run);
  return total;
}

void add(const ReplanningCounts& run, double runs, std::optional<ReplanningCounts>& pool) {
  if (!pool) pool.emplace();
  pool->plans += run.plans;
  pool->kept += run.kept;
  pool->reconfigurations += run.reconfigurations;
  pool->rebuilt += run.rebuilt;
  pool->gpus_mean += run.gpus_mean / runs;
  pool->gpus_most = std::max(pool->gpus_most, run.gpus_most);
}

// Replications that plan again may use GPUs that the first did not. Most often it is at `likely`.
std::size_t position_of(const PlanGpu& gpu, std::size_t likely, RunResult& pool) {
  std::vector<PlanGpu>& gpus = pool.plan.gpus;
  if (likely < gpus.size() && gpus[likely].index == gpu.index) return likely;
  const auto found = std::find_if(gpus.begin(), gpus.end(),
                                  [&](const PlanGpu& other) { return other.index == gpu.index; });
  const auto position = static_cast<std::size_t>(found - gpus.begin());
  if (found == gpus.end()) {
    gpus.push_back({gpu.index, gpu.type, gpu.mode, {}});
    pool.busy.gpus.emplace_back();
  }
  return position;
}

// All replications as one long run. The logs of requests and batches stay behind.
RunResult pooled(std::span<const RunResult> runs) {
  const RunResult& first = runs.front();
  RunResult pool;
  pool.scenario = first.scenario;
  pool.routing = first.routing;
  pool.dispatcher = first.dispatcher;
  pool.device = first.device;
  pool.runtime = first.runtime;
  pool.seed = first.seed;
  pool.plan = first.plan;
  pool.workloads = first.workloads;
  pool.notes = first.notes;
  pool.metrics.resize(first.metrics.size());
  pool.busy.gpus.resize(first.busy.gpus.size());
  for (const RunResult& run : runs) {
    pool.measured_s += run.measured_s;
    pool.simulated_s += run.simulated_s;
    pool.wall_s += run.wall_s;
    pool.events += run.events;
    for (std::size_t w = 0; w < pool.metrics.size(); ++w) pool.metrics[w].merge(run.metrics[w]);
    for (std::size_t g = 0; g < run.busy.gpus.size(); ++g) {
      pool.busy.gpus[position_of(run.plan.gpus[g], g, pool)] += run.busy.gpus[g];
    }
    if (run.replanning) add(*run.replanning, static_cast<double>(runs.size()), pool.replanning);
  }
  return pool;
}

// The figures that replications give an interval for; they have the place of the plain figures.
const std::vector<std::string>& main_metrics() {
  static const std::vector<std::string> pointers{
      "/slo_attainment", "/good_rate_rps",  "/throughput_rps", "/latency_ms/mean",
      "/latency_ms/p50", "/latency_ms/p99", "/batch_mean",     "/dropped"};
  return pointers;
}

Json interval_json(const std::vector<Json>& summaries, const std::string& pointer) {
  std::vector<double> values;
  for (const Json& summary : summaries) {
    values.push_back(summary.at(Json::json_pointer(pointer)).get<double>());
  }
  const Interval interval = confidence_interval(values);
  return {{"mean", interval.mean}, {"half_width", interval.half_width}};
}

Json intervals_json(const std::vector<Json>& summaries) {
  Json result = Json::object();
  for (const std::string& pointer : main_metrics()) {
    result[Json::json_pointer(pointer)] = interval_json(summaries, pointer);
  }
  return result;
}

Json replications_json(std::span<const RunResult> runs) {
  std::vector<Json> totals;
  std::vector<Json> gpus;
  for (const RunResult& run : runs) {
    totals.push_back(total_json(run));
    gpus.push_back(summarize_gpus(run));
  }
  Json workloads = Json::object();
  for (std::size_t w = 0; w < runs.front().workloads.size(); ++w) {
    std::vector<Json> summaries;
    for (const RunResult& run : runs) {
      summaries.push_back(summarize(run.metrics[w], run.measured_s));
    }
    workloads[runs.front().workloads[w].name] = intervals_json(summaries);
  }
  return {{"count", runs.size()},
          {"confidence", 0.95},
          {"total", intervals_json(totals)},
          {"workloads", std::move(workloads)},
          {"gpus", {{"busy_fraction", interval_json(gpus, "/busy_fraction")}}}};
}

// Of all replications together: counts are sums.
Json replanning_json(const ReplanningCounts& counts) {
  return {{"plans", counts.plans},
          {"kept", counts.kept},
          {"reconfigurations", counts.reconfigurations},
          {"rebuilt_partitions", counts.rebuilt},
          {"gpus_mean", counts.gpus_mean},
          {"gpus_most", counts.gpus_most}};
}

Json unserved_json(const Plan& plan) {
  Json list = Json::array();
  for (const Unserved& unserved : plan.unserved) {
    list.push_back({{"workload", unserved.workload},
                    {"rate_rps", unserved.rate_rps},
                    {"reason", unserved.reason}});
  }
  return list;
}

}  // namespace

Json summarize(const WorkloadMetrics& metrics, double measured_s) {
  const double offered = static_cast<double>(metrics.offered);
  const double good = static_cast<double>(metrics.good());
  Json dropped_by = Json::object();
  for (std::size_t reason = 0; reason < kDropReasons; ++reason) {
    dropped_by[drop_reason_names()[reason]] = metrics.dropped[reason];
  }
  const double exec = metrics.exec.mean_ns() * static_cast<double>(metrics.exec.count());
  const double alone = exec - static_cast<double>(metrics.interference);
  const double p50 = to_ms(metrics.latency.quantile(0.50));
  return {{"offered", metrics.offered},
          {"completed", metrics.completed},
          {"dropped", metrics.dropped_total()},
          {"late", metrics.late},
          {"unfinished", metrics.unfinished()},
          // Nobody asked, so nobody was disappointed.
          {"slo_attainment", ratio(good, offered, 1)},
          {"good_rate_rps", good / measured_s},
          {"throughput_rps", static_cast<double>(metrics.completed) / measured_s},
          {"latency_ms", latency_json(metrics.latency)},
          {"wait_ms", latency_json(metrics.wait)},
          {"exec_ms", latency_json(metrics.exec)},
          {"parts_ms", parts_json(metrics)},
          {"batch_mean", ratio(static_cast<double>(metrics.batch_items),
                               static_cast<double>(metrics.batches), 0)},
          {"dropped_by", std::move(dropped_by)},
          {"latency_cov", coefficient_of_variation(metrics.latency)},
          {"latency_p99_over_p50", ratio(to_ms(metrics.latency.quantile(0.99)), p50, 1)},
          {"slowdown", ratio(exec, alone, 1)}};
}

Json summarize_gpus(const RunResult& run) {
  Json list = Json::array();
  double busy = 0;
  for (std::size_t g = 0; g < run.plan.gpus.size(); ++g) {
    const PlanGpu& gpu = run.plan.gpus[g];
    const double seconds = to_seconds(run.busy.gpus[g]);
    busy += seconds;
    list.push_back({{"index", gpu.index},
                    {"type", gpu.type},
                    {"mode", gpu_mode_names()[static_cast<std::size_t>(gpu.mode)]},
                    {"busy_fraction", seconds / run.measured_s}});
  }
  const std::uint32_t used = run.plan.gpus_used();
  const double mean = run.replanning ? run.replanning->gpus_mean : used;
  return {{"used", used},
          {"slices", run.plan.slices_used()},
          {"busy_fraction", ratio(busy, mean * run.measured_s, 0)},
          {"list", std::move(list)}};
}

Json summarize(std::span<const RunResult> runs) {
  TANGRAM_CHECK(!runs.empty(), "no runs to summarise");
  const RunResult pool = pooled(runs);
  Json workloads = Json::object();
  for (std::size_t w = 0; w < pool.workloads.size(); ++w) {
    workloads[pool.workloads[w].name] = summarize(pool.metrics[w], pool.measured_s);
  }
  Json summary{{"scenario", pool.scenario},
               {"seed", pool.seed},
               {"planner", pool.plan.planner},
               {"routing", pool.routing},
               {"dispatcher", pool.dispatcher},
               {"device", pool.device},
               {"runtime", pool.runtime},
               {"events", pool.events},
               {"measured_s", pool.measured_s},
               {"simulated_s", pool.simulated_s},
               {"wall_s", pool.wall_s},
               {"total", total_json(pool)},
               {"workloads", std::move(workloads)},
               {"gpus", summarize_gpus(pool)}};
  if (pool.replanning) summary["replanning"] = replanning_json(*pool.replanning);
  if (runs.size() > 1) summary["replications"] = replications_json(runs);
  summary["unserved"] = unserved_json(pool.plan);
  summary["lost"] = pool.plan.lost;
  summary["notes"] = pool.notes;
  return summary;
}

}  // namespace tangram
