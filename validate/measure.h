// Measures what models cost on a device: every model on every share at every batch, and pairs of
// models side by side. Knows the device by a small interface only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"
#include "validate/measure_journal.h"

namespace tangram {

// A part of a device that runs one batch at a time. Everything throws SystemError.
class MeasureLane {
 public:
  virtual ~MeasureLane() = default;
  struct Load {
    double ms = 0;
    double weights_mib = 0;  // 0: not known
  };
  // Brings a model's weights to the device. Requires: not loaded.
  virtual Load load(const std::string& model) = 0;
  virtual void unload(const std::string& model) = 0;
  // Runs one batch and returns how long it took on the device, ms. Requires: loaded.
  virtual double run(const std::string& model, std::uint32_t batch) = 0;
  // What a device did in some time, fractions of its peak.
  struct Activity {
    double dram = 0, sm_occupancy = 0;
  };
  // What the lane has used since some moment of its own; nullopt where nothing counts it.
  struct Usage {
    double elapsed_s = 0;               // on the clock of the calling thread
    std::optional<double> processor_s;  // of all processes of the lane
    double processors = 1;              // that it was granted: cores, fractions included
    std::optional<double> energy_j;     // of the whole device
    std::optional<Activity> activity;   // of the whole device, since the call before
  };
  virtual std::optional<Usage> usage() { return std::nullopt; }
  // How old Usage::activity may be, s: it tells of one work when that ran for so long before the
  // first of two calls, and for so long between them. 0: the device does not count it.
  virtual double activity_age_s() const { return 0; }
};

class MeasureDevice {
 public:
  virtual ~MeasureDevice() = default;
  struct Record {
    std::string device, driver, framework;
  };
  // Cuts the device into partitions of these shares; a lane for each. Lanes are independent: they
  // may run from different threads. Other lanes may be open, and do not run meanwhile.
  virtual std::vector<std::unique_ptr<MeasureLane>> open(const std::vector<Share>& shares) = 0;
  // Two lanes beside each other, as open() cuts them: for models, and for hogs.
  virtual std::vector<std::unique_ptr<MeasureLane>> open_beside_hog(const Share& model,
                                                                    const Share& hog);
  // The kernels of a batch alone on the whole device, in their order; empty where the device lists
  // none. Lanes may be open, and do not run meanwhile.
  virtual std::vector<Kernel> kernels(const std::string& /*model*/, std::uint32_t /*batch*/) {
    return {};
  }
  // Takes a sentence for the user about what could not be measured.
  virtual void note(const std::string& /*text*/) {}
  // What it is; known once a lane is open.
  virtual Record record() const = 0;
};

// Two models without pause beside each other on two parts of the device.
struct MeasurePair {
  std::string first, second;
  std::uint32_t first_batch = 1, second_batch = 1;
  double first_pct = 50, second_pct = 50;  // of the device; together at most 100
};

struct MeasurePlan {
  std::string gpu;  // the GPU type that the profiles are named for
  std::vector<std::string> models;
  std::vector<std::uint32_t> batches{1, 2, 4, 8};  // ascending
  std::vector<Share> shares{Share{}};              // whole, percent, SMs; ascending
  // Synthetic neighbours, which only load the device beside a model: second of some pairs, and
  // nothing else is measured of them.
  std::vector<std::string> hogs;
  std::vector<MeasurePair> pairs;
  std::vector<std::uint32_t> kernel_batches;  // whose kernels are listed
  std::uint32_t repetitions = 30;             // samples of a point, at least
  double min_time_s = 0.5;                    // of running, for a point, at least
  std::string date, command;                  // for the record
};

// Sorts batches and shares, and adds a fault for each thing that cannot be measured: no models, one
// named twice, numbers out of range.
void check_plan(MeasurePlan& plan, Faults& faults);
// How a command line asks for pairs: each of `models` ("A+B") at each of `shares` ("20/80", percent
// of the device; none: "50/50") with each of `batches` ("4/32"; none: equal ones, the plan's).
struct PairArguments {
  std::vector<std::string> models, batches, shares;
};
// Reads them into the plan, shares outermost: to change them, the device is cut anew. Adds a fault
// for each text that is not of this form, for models that the plan does not have (the second may be
// one of its hogs), and for hogs that no pair has.
void read_pairs(const PairArguments& arguments, MeasurePlan& plan, Faults& faults);

// What two plans must agree in to share a journal, as one line of JSON.
Json key_of(const MeasurePlan& plan);

// Measures. The samples of a point are taken in several visits, between which all other points are
// visited in another order each time, so that a drift of the device does not fall on one of them.
// Every visit goes to the journal; what it holds already is not measured again. `progress` gets the
// share of the work done, and may throw to stop. The profiles' latencies are means, their samples
// the empirical distribution; a point whose mean is far from its median is marked as suspicious.
std::vector<Profile> measure(MeasureDevice& device,
                             const MeasurePlan& plan,
                             MeasureJournal& journal,
                             const std::function<void(double)>& progress);

// The robust summary of samples.
struct SampleSummary {
  double mean = 0, median = 0;
  double mad = 0;            // median absolute deviation, scaled to a normal's sigma (x 1.4826)
  std::size_t outliers = 0;  // further than 5 mad from the median
};
// Requires: not empty.
SampleSummary summarize_samples(std::vector<double> samples);

}  // namespace tangram
