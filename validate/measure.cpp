// Which point is visited when, and what becomes of its samples.
#include "validate/measure.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sim/core/check.h"
#include "sim/core/random.h"
#include "validate/sampling.h"

namespace tangram {
namespace {

constexpr std::uint32_t kRounds = 5;
constexpr int kLoads = 3;
// Beyond this the mean does not speak for the point.
constexpr double kSuspiciousMean = 0.1;
// What a visit used, beside its name in the journal.
constexpr const char* kProcessors = " processors";
constexpr const char* kEnergy = " energy";
constexpr const char* kDram = " dram";
constexpr const char* kOccupancy = " occupancy";

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Share percent_of(double percent) {
  return percent == 100 ? Share{} : Share{ShareKind::kPercent, percent};
}

struct Point {
  std::size_t share, model;
  std::uint32_t batch;
};

// A lane and what is loaded and warm on it.
struct OpenLane {
  std::unique_ptr<MeasureLane> lane;
  std::set<std::string> loaded;
  std::set<std::pair<std::string, std::uint32_t>> warm;
};

class Measurement {
 public:
  Measurement(MeasureDevice& device,
              const MeasurePlan& plan,
              MeasureJournal& journal,
              const std::function<void(double)>& progress)
      : device_(device), plan_(plan), journal_(journal), progress_(progress) {
    for (std::size_t s = 0; s < plan.shares.size(); ++s) {
      for (std::size_t m = 0; m < plan.models.size(); ++m) {
        for (const std::uint32_t batch : plan.batches) points_.push_back({s, m, batch});
      }
    }
    lanes_.resize(plan.shares.size());
    total_ = plan.models.size() * (1 + plan.kernel_batches.size()) + points_.size() * kRounds +
             plan.pairs.size();
  }

  void run() {
    // Even where the journal has everything: the lane knows what the device is.
    activity_age_ms_ = open(0).lane->activity_age_s() * 1e3;
    for (const std::string& model : plan_.models) measure_load(model);
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      for (const Point& point : shuffled(round)) visit(point, round);
    }
    for (const MeasurePair& pair : plan_.pairs) measure_pair(pair);
    if (!plan_.kernel_batches.empty()) close_lanes();
    for (const std::string& model : plan_.models) list_kernels(model);
    note_uncounted();
  }

  std::vector<Profile> profiles() const {
    std::vector<Profile> profiles;
    for (std::size_t m = 0; m < plan_.models.size(); ++m) profiles.push_back(profile_of(m));
    return profiles;
  }

 private:
  // Names of visits in the journal.
  std::string load_name(const std::string& model) const { return "load " + model; }
  std::string visit_name(const Point& p, std::uint32_t round) const {
    return fmt::format("{} batch {} share {} round {}", plan_.models[p.model], p.batch,
                       to_string(plan_.shares[p.share]), round);
  }
  static std::string pair_name(const MeasurePair& pair, const char* what) {
    return fmt::format("{} batch {} on {:g} % beside {} batch {} on {:g} % {}", pair.first,
                       pair.first_batch, pair.first_pct, pair.second, pair.second_batch,
                       pair.second_pct, what);
  }

  // For whoever needs the device's memory.
  void close_lanes() {
    for (OpenLane& open : lanes_) open = {};
    first_ = {};
    second_ = {};
    beside_ = {};
  }

  void step() {
    ++done_;
    if (progress_) progress_(static_cast<double>(done_) / static_cast<double>(total_));
  }

  // Another order of the points in each round, always the same one.
  std::vector<Point> shuffled(std::uint32_t round) const {
    std::vector<Point> order = points_;
    RandomStream stream(StreamKey(1).with("measure").with(std::uint64_t{round}));
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[stream.below(i)]);
    }
    return order;
  }

  // Of a visit.
  std::size_t least_samples() const { return (plan_.repetitions + kRounds - 1) / kRounds; }
  double least_ms() const { return plan_.min_time_s * 1e3 / kRounds; }

  // The lane of a share.
  OpenLane& open(std::size_t share) {
    OpenLane& open = lanes_[share];
    if (!open.lane) open.lane = std::move(device_.open({plan_.shares[share]}).front());
    return open;
  }
  static void need(OpenLane& open, const std::string& model) {
    if (open.loaded.insert(model).second) open.lane->load(model);
  }
  bool is_hog(const std::string& model) const {
    return std::find(plan_.hogs.begin(), plan_.hogs.end(), model) != plan_.hogs.end();
  }
  // The two lanes of a pair; those of other shares are closed first.
  void open_beside(const MeasurePair& pair) {
    const Beside wanted{pair.first_pct, pair.second_pct, is_hog(pair.second)};
    if (beside_ == wanted) return;
    first_ = {};
    second_ = {};
    const Share first = percent_of(pair.first_pct);
    const Share second = percent_of(pair.second_pct);
    std::vector<std::unique_ptr<MeasureLane>> lanes =
        wanted.has_hog ? device_.open_beside_hog(first, second) : device_.open({first, second});
    first_.lane = std::move(lanes[0]);
    second_.lane = std::move(lanes[1]);
    beside_ = wanted;
  }

  void measure_load(const std::string& model);
  void visit(const Point& point, std::uint32_t round);
  void measure_pair(const MeasurePair& pair);
  void list_kernels(const std::string& model);
  bool settle(OpenLane& on, const Point& point, double batch_ms);
  void add_usage_to_journal(const std::string& visit,
                            const MeasureLane::Usage& before,
                            const MeasureLane::Usage& after);
  void note_uncounted();
  std::optional<double> used(const Point& point, const char* what) const;
  double solo(OpenLane& on, const std::string& model, std::uint32_t batch);
  Profile profile_of(std::size_t model) const;
  LatencyPoint latency_point(const Point& point) const;
  void add_co_runs(Profile& profile) const;

  MeasureDevice& device_;
  const MeasurePlan& plan_;
  MeasureJournal& journal_;
  const std::function<void(double)>& progress_;
  std::vector<Point> points_;
  std::vector<OpenLane> lanes_;  // by share
  // How the device is cut for the pairs; at first it is not.
  struct Beside {
    double first_pct = 0, second_pct = 0;
    bool has_hog = false;
    friend bool operator==(const Beside&, const Beside&) = default;
  };
  OpenLane first_, second_;  // of the pairs
  Beside beside_;
  std::map<std::string, std::vector<Kernel>> kernels_;  // by model
  double activity_age_ms_ = 0;                          // MeasureLane::activity_age_s
  std::size_t done_ = 0, total_ = 0;
};

// The last value of the record is the weights' size.
void Measurement::measure_load(const std::string& model) {
  if (journal_.find(load_name(model)) == nullptr) {
    OpenLane& on = open(0);
    std::vector<double> record;
    MeasureLane::Load load;
    for (int i = 0; i < kLoads; ++i) {
      if (i > 0) on.lane->unload(model);
      load = on.lane->load(model);
      record.push_back(load.ms);
    }
    on.loaded.insert(model);
    record.push_back(load.weights_mib);
    journal_.add(load_name(model), record);
  }
  step();
}

void Measurement::visit(const Point& point, std::uint32_t round) {
  const std::string name = visit_name(point, round);
  if (journal_.find(name) == nullptr) {
    const std::string& model = plan_.models[point.model];
    OpenLane& on = open(point.share);
    need(on, model);
    // Where it is warm: the caches hold another point's data.
    const double batch_ms = on.warm.emplace(model, point.batch).second
                                ? warm_up(*on.lane, model, point.batch)
                                : on.lane->run(model, point.batch);
    const bool is_counted = settle(on, point, batch_ms);
    const std::optional<MeasureLane::Usage> before = on.lane->usage();
    const std::vector<double> samples =
        sample(*on.lane, model, point.batch, least_samples(), least_ms());
    std::optional<MeasureLane::Usage> after = on.lane->usage();
    if (after && !is_counted) after->activity.reset();
    journal_.add(name, samples);
    if (before && after) add_usage_to_journal(name, *before, *after);
  }
  step();
}

// Where the device counts what it does and the visit will be long enough for that, runs the same
// for as long as the counters lag behind; false elsewhere. `batch_ms`: how long a batch takes.
bool Measurement::settle(OpenLane& on, const Point& point, double batch_ms) {
  const double visit_ms =
      std::min(std::max(least_ms(), static_cast<double>(least_samples()) * batch_ms),
               static_cast<double>(kMostSamples) * batch_ms);
  if (activity_age_ms_ == 0 || visit_ms < activity_age_ms_) return false;
  sample(*on.lane, plan_.models[point.model], point.batch, 0, activity_age_ms_);
  return true;
}

// Beside the samples: elapsed time and what was used in it. A journal cut between the lines has no
// usage of that visit, and the point none.
void Measurement::add_usage_to_journal(const std::string& visit,
                                       const MeasureLane::Usage& before,
                                       const MeasureLane::Usage& after) {
  const double elapsed_ms = (after.elapsed_s - before.elapsed_s) * 1e3;
  if (before.processor_s && after.processor_s) {
    journal_.add(visit + kProcessors,
                 {elapsed_ms * after.processors, (*after.processor_s - *before.processor_s) * 1e3});
  }
  if (before.energy_j && after.energy_j) {
    journal_.add(visit + kEnergy, {elapsed_ms, (*after.energy_j - *before.energy_j) * 1e3});
  }
  if (after.activity) {
    journal_.add(visit + kDram, {elapsed_ms, after.activity->dram * elapsed_ms});
    journal_.add(visit + kOccupancy, {elapsed_ms, after.activity->sm_occupancy * elapsed_ms});
  }
}

void Measurement::note_uncounted() {
  if (activity_age_ms_ == 0) return;
  const auto uncounted = std::count_if(points_.begin(), points_.end(), [&](const Point& point) {
    return !used(point, kDram) || !used(point, kOccupancy);
  });
  if (uncounted == 0) return;
  device_.note(fmt::format(
      "{} of {} points have no DRAM use and SM occupancy: the device's counters need visits of "
      "{:g} ms (--min-time {:g}, and batches that take {:g} ms), and may fail",
      uncounted, points_.size(), activity_age_ms_, activity_age_ms_ * kRounds / 1e3,
      activity_age_ms_ / static_cast<double>(kMostSamples)));
}

// What was used over what there was, in all visits of a point together; nullopt where one of them
// does not know it.
std::optional<double> Measurement::used(const Point& point, const char* what) const {
  double available = 0;
  double used = 0;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::vector<double>* record = journal_.find(visit_name(point, round) + what);
    if (record == nullptr || record->size() != 2) return std::nullopt;
    available += record->front();
    used += record->back();
  }
  if (available <= 0) return std::nullopt;
  return used / available;
}

void Measurement::list_kernels(const std::string& model) {
  for (const std::uint32_t batch : plan_.kernel_batches) {
    const std::vector<Kernel> kernels = device_.kernels(model, batch);
    std::vector<Kernel>& all = kernels_[model];
    all.insert(all.end(), kernels.begin(), kernels.end());
    step();
  }
}

double Measurement::solo(OpenLane& on, const std::string& model, std::uint32_t batch) {
  warm_up(*on.lane, model, batch);
  return median_of(sample(*on.lane, model, batch, plan_.repetitions, plan_.min_time_s * 1e3));
}

// Alone, beside each other, alone again: the mean of the two solo medians stands for the moment of
// the co-run, so that a steady drift of the device cancels. The records hold one slowdown each.
void Measurement::measure_pair(const MeasurePair& pair) {
  const std::string name_a = pair_name(pair, "first");
  const std::string name_b = pair_name(pair, "second");
  if (journal_.find(name_a) == nullptr || journal_.find(name_b) == nullptr) {
    open_beside(pair);
    need(first_, pair.first);
    need(second_, pair.second);
    const double a_before = solo(first_, pair.first, pair.first_batch);
    const double b_before = solo(second_, pair.second, pair.second_batch);
    const SideSamples beside = run_together({*first_.lane, pair.first, pair.first_batch},
                                            {*second_.lane, pair.second, pair.second_batch},
                                            plan_.repetitions, plan_.min_time_s * 1e3);
    const double b_after = solo(second_, pair.second, pair.second_batch);
    const double a_after = solo(first_, pair.first, pair.first_batch);
    // Both or none: a journal cut between the lines has the pair measured again.
    if (journal_.find(name_a) == nullptr) {
      journal_.add(name_a, {median_of(beside.first) / ((a_before + a_after) / 2)});
    }
    journal_.add(name_b, {median_of(beside.second) / ((b_before + b_after) / 2)});
  }
  step();
}

LatencyPoint Measurement::latency_point(const Point& point) const {
  LatencyPoint result;
  result.share = plan_.shares[point.share];
  result.batch = point.batch;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::vector<double>* samples = journal_.find(visit_name(point, round));
    TANGRAM_CHECK(samples != nullptr, "a visit is missing: ", visit_name(point, round));
    result.samples_ms.insert(result.samples_ms.end(), samples->begin(), samples->end());
  }
  std::sort(result.samples_ms.begin(), result.samples_ms.end());
  const SampleSummary summary = summarize_samples(result.samples_ms);
  result.latency_ms = summary.mean;
  // Two clocks are compared: what is over by their resolution is all.
  if (const auto busy = used(point, kProcessors)) result.sm_occupancy = std::min(1.0, *busy);
  if (const auto occupied = used(point, kOccupancy)) result.sm_occupancy = occupied;
  result.dram_utilisation = used(point, kDram);
  result.power_w = used(point, kEnergy);  // mJ in ms
  if (std::abs(summary.mean - summary.median) > kSuspiciousMean * summary.median) {
    result.suspicion = fmt::format(
        "the mean, {:.4g} ms, is far from the median, {:.4g} ms: {} of {} samples are outliers",
        summary.mean, summary.median, summary.outliers, result.samples_ms.size());
  }
  return result;
}

void Measurement::add_co_runs(Profile& profile) const {
  for (const MeasurePair& p : plan_.pairs) {
    const auto slowdown = [&](const char* what) {
      return journal_.find(pair_name(p, what))->front();
    };
    if (profile.model == p.first) {
      profile.co_runs.push_back(
          {p.second, p.first_batch, p.second_batch, p.first_pct, p.second_pct, slowdown("first")});
    }
    if (profile.model == p.second && p.first != p.second) {
      profile.co_runs.push_back(
          {p.first, p.second_batch, p.first_batch, p.second_pct, p.first_pct, slowdown("second")});
    }
  }
}

Profile Measurement::profile_of(std::size_t model) const {
  Profile profile;
  profile.model = plan_.models[model];
  profile.gpu = plan_.gpu;
  for (const Point& point : points_) {
    if (point.model == model) profile.points.push_back(latency_point(point));
  }
  std::sort(profile.points.begin(), profile.points.end(), point_before);
  profile.interpolation = Interpolation::kLinear;
  profile.variability.kind = Variability::Kind::kEmpirical;
  std::vector<double> load = *journal_.find(load_name(profile.model));
  if (load.back() > 0) profile.weights_mib = load.back();
  load.pop_back();
  profile.load_ms = median_of(load);
  add_co_runs(profile);
  if (const auto listed = kernels_.find(profile.model);
      listed != kernels_.end() && !listed->second.empty()) {
    profile.kernels = listed->second;
    const std::uint32_t smallest = profile.kernels.front().batch;
    profile.launches = static_cast<double>(
        std::count_if(profile.kernels.begin(), profile.kernels.end(),
                      [&](const Kernel& kernel) { return kernel.batch == smallest; }));
  }
  const MeasureDevice::Record record = device_.record();
  profile.provenance = {
      "measured", record.device,    record.driver, record.framework, plan_.date, plan_.command,
      "",         plan_.repetitions};
  return profile;
}

}  // namespace

std::vector<std::unique_ptr<MeasureLane>> MeasureDevice::open_beside_hog(const Share&,
                                                                         const Share&) {
  throw SystemError("this device has no hogs");
}

std::vector<Profile> measure(MeasureDevice& device,
                             const MeasurePlan& plan,
                             MeasureJournal& journal,
                             const std::function<void(double)>& progress) {
  Measurement measurement(device, plan, journal, progress);
  measurement.run();
  return measurement.profiles();
}

SampleSummary summarize_samples(std::vector<double> samples) {
  TANGRAM_CHECK(!samples.empty(), "no samples to summarise");
  SampleSummary summary;
  summary.mean = mean_of(samples);
  summary.median = median_of(samples);
  std::vector<double> deviations;
  for (const double sample : samples) deviations.push_back(std::abs(sample - summary.median));
  summary.mad = 1.4826 * median_of(deviations);
  for (const double deviation : deviations) {
    if (deviation > 5 * summary.mad) ++summary.outliers;
  }
  return summary;
}

}  // namespace tangram
