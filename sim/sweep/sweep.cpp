#include "sim/sweep/sweep.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>

#include "sim/evaluator.h"
#include "sim/results/summary.h"
#include "sim/results/version.h"
#include "sim/scenario/profile_files.h"
#include "sim/simulation.h"
#include "sim/sweep/journal.h"

namespace tangram {
namespace {

// Leaves a simulation that nobody waits for any more.
class Stopped {};

std::string joined(const ConfigError& error) {
  std::string text;
  for (const Fault& fault : error.faults()) {
    text +=
        (text.empty() ? "" : "; ") + (fault.where.empty() ? "" : fault.where + ": ") + fault.what;
  }
  return text;
}

// Computes items, in any thread.
class Worker {
 public:
  Worker(const SweepSpec& spec, const std::vector<SweepPoint>& points, const std::stop_token& stop)
      : spec_(spec), points_(points), stop_(stop) {}

  SweepItem compute(std::uint32_t index) const {
    SweepItem item;
    item.index = index;
    if (spec_.search) {
      search(points_[index], item);
    } else {
      const SweepPoint& point = points_[index / spec_.replications];
      item.rows.push_back(head(point, index % spec_.replications));
      SweepRow& row = item.rows.back();
      const auto run = attempt(overrides_of(spec_, point), row);
      if (run) fill_figures(*run, spec_.histograms, row);
    }
    return item;
  }

 private:
  static SweepRow head(const SweepPoint& point, std::uint32_t replication) {
    SweepRow row;
    row.point = point.index;
    row.replication = replication;
    row.values = point.values;
    return row;
  }

  // Runs one replication. nullopt after a failure, which is then in the row.
  std::optional<RunResult> attempt(const std::vector<Override>& overrides, SweepRow& row) const {
    try {
      Scenario scenario = parse_scenario(spec_.scenario_text, spec_.scenario_source,
                                         spec_.scenario_base, overrides, &files_);
      scenario.log_requests = false;
      scenario.log_timeline = false;
      row.seed = scenario.seed;
      const Plan plan = plan_scenario(scenario, scenario.notes);
      RunOptions options;
      options.replication = row.replication;
      options.progress = [this](double) {
        if (stop_.stop_requested()) throw Stopped();
      };
      return simulate(scenario, plan, options);
    } catch (const ConfigError& error) {
      row.error = joined(error);
    } catch (const std::exception& error) {
      row.error = error.what();
    }
    return std::nullopt;
  }

  void search(const SweepPoint& point, SweepItem& item) const {
    const SearchSpec& spec = *spec_.search;
    SearchRow& found = item.searches.emplace_back();
    found.point = point.index;
    found.values = point.values;
    try {
      found.capacity =
          find_capacity(spec, [&](double value) { return measure(point, value, item); });
      found.evaluations = static_cast<std::uint32_t>(found.capacity.probes.size());
      found.capacity.probes.clear();
    } catch (const ConfigError& error) {
      // Nothing was found at this point; the row of the run that failed says why.
      if (item.rows.back().error.empty()) item.rows.back().error = joined(error);
      found.capacity = {};
    }
  }

  // The metric over all replications at one value of the search.
  double measure(const SweepPoint& point, double value, SweepItem& item) const {
    const SearchSpec& spec = *spec_.search;
    const Json json = spec.integer ? Json(static_cast<std::int64_t>(value)) : Json(value);
    std::vector<Override> overrides = overrides_of(spec_, point);
    overrides.emplace_back(spec.pointer, json.dump());
    std::vector<RunResult> runs;
    for (std::uint32_t r = 0; r < spec_.replications; ++r) {
      SweepRow& row = item.rows.emplace_back(head(point, r));
      row.values.push_back(json);
      std::optional<RunResult> run = attempt(overrides, row);
      if (!run) throw ConfigError("", row.error);
      fill_figures(*run, spec_.histograms, row);
      runs.push_back(std::move(*run));
    }
    return metric_of(spec, summarize(runs));
  }

  const SweepSpec& spec_;
  const std::vector<SweepPoint>& points_;
  const std::stop_token& stop_;
  // Read once: the HDF5 library lets one thread in at a time, and profiles take longer to read than
  // a short run to simulate.
  mutable ProfileFiles files_;
};

bool has_failed(const SweepItem& item) {
  return std::any_of(item.rows.begin(), item.rows.end(),
                     [](const SweepRow& row) { return !row.error.empty(); });
}

// Hands items to threads and collects them.
class Crew {
 public:
  Crew(const SweepSpec& spec,
       const std::vector<SweepPoint>& points,
       const SweepOptions& options,
       Journal& journal,
       std::vector<std::uint32_t> missing)
      : worker_(spec, points, options.stop),
        options_(options),
        journal_(journal),
        missing_(std::move(missing)),
        items_(journal.items()) {
    for (const SweepItem& item : items_) failed_ += has_failed(item) ? 1 : 0;
    all_ = items_.size() + missing_.size();
  }

  std::vector<SweepItem> run() {
    std::vector<std::jthread> threads;
    const std::size_t n = std::min<std::size_t>(options_.jobs, missing_.size());
    for (std::size_t t = 0; t < n; ++t) threads.emplace_back([this] { work(); });
    threads.clear();  // joins
    if (failure_) std::rethrow_exception(failure_);
    std::sort(items_.begin(), items_.end(),
              [](const SweepItem& a, const SweepItem& b) { return a.index < b.index; });
    return std::move(items_);
  }

 private:
  void work() {
    while (!options_.stop.stop_requested() && !given_up_) {
      const std::size_t next = next_++;
      if (next >= missing_.size()) return;
      try {
        keep(worker_.compute(missing_[next]));
      } catch (const Stopped&) {
        return;
      } catch (...) {
        const std::scoped_lock lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        given_up_ = true;
      }
    }
  }

  void keep(SweepItem item) {
    const std::scoped_lock lock(mutex_);
    journal_.add(item);
    failed_ += has_failed(item) ? 1 : 0;
    items_.push_back(std::move(item));
    if (options_.progress) options_.progress(items_.size(), failed_, all_);
  }

  Worker worker_;
  const SweepOptions& options_;
  Journal& journal_;
  const std::vector<std::uint32_t> missing_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> given_up_ = false;
  std::mutex mutex_;  // of what follows, and the journal
  std::vector<SweepItem> items_;
  std::uint64_t failed_ = 0;
  std::uint64_t all_ = 0;
  std::exception_ptr failure_;
};

std::string identity(const SweepSpec& spec, const SweepShard& shard) {
  return Json{spec.text, spec.scenario_text, version(), git_hash(), shard.index, shard.count}
      .dump();
}

}  // namespace

std::uint32_t sweep_items(const SweepSpec& spec) {
  const auto points = static_cast<std::uint32_t>(sweep_points(spec).size());
  return spec.search ? points : points * spec.replications;
}

std::optional<SweepResult> run_sweep(SweepSpec spec, const SweepOptions& options) {
  SweepResult result;
  const std::vector<SweepPoint> points = sweep_points(spec);
  result.points = static_cast<std::uint32_t>(points.size());
  result.shard = options.shard;
  Journal journal(options.journal, identity(spec, options.shard), options.resume);
  std::vector<bool> done(sweep_items(spec));
  for (const SweepItem& item : journal.items()) done.at(item.index) = true;
  std::vector<std::uint32_t> missing;
  for (std::uint32_t i = options.shard.index; i < done.size(); i += options.shard.count) {
    if (!done[i]) missing.push_back(i);
  }
  Crew crew(spec, points, options, journal, std::move(missing));
  result.items = crew.run();
  if (result.items.size() !=
      (done.size() + options.shard.count - 1 - options.shard.index) / options.shard.count) {
    return std::nullopt;
  }
  result.spec = std::move(spec);
  return result;
}

void finish_sweep(const SweepOptions& options) {
  std::error_code ignored;  // a journal that stays is only in the way of the next sweep
  std::filesystem::remove(options.journal, ignored);
}

}  // namespace tangram
