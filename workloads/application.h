// An application: a DAG of models. One request of it becomes requests of its stages, each as soon
// as the stages before it have answered. Semantics: docs/decisions/005-applications.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/core/ids.h"
#include "workloads/workload.h"

namespace tangram {

// How many requests a stage gets each time it is asked: a constant, or a discrete distribution.
class FanOut {
 public:
  static constexpr std::uint32_t kMost = 1000;

  // Always `count`, at most kMost.
  explicit FanOut(std::uint32_t count = 1) : most_(count), mean_(count) {}
  // n with a probability in proportion to weights[n]. Requires: weights >= 0, their sum > 0, at
  // most kMost + 1 of them.
  static FanOut weighted(const std::vector<double>& weights);
  // Poisson with that mean in (0, 100], cut where fewer than 1e-12 of the draws lie beyond.
  static FanOut poisson(double mean);

  double mean() const { return mean_; }
  std::uint32_t least() const;
  std::uint32_t most() const { return most_; }
  // The number for a uniform draw from [0, 1).
  std::uint32_t draw(double uniform) const;

  friend bool operator==(const FanOut&, const FanOut&) = default;

 private:
  std::uint32_t most_;
  double mean_;
  std::vector<double> cumulative_;  // P(number <= n); empty: always most_
};

struct Stage {
  // When a stage is asked: `fan_out` requests for each request of its one predecessor that is
  // answered (or, without predecessor, for the application's request); or, as a join, once when all
  // requests of all its predecessors are answered.
  enum class Wait : std::uint8_t { kEach, kAll };

  std::string name;  // unique within the application
  std::string model;
  std::vector<std::uint32_t> after;  // predecessors, as places in Application::stages
  Wait wait = Wait::kEach;           // kEach requires at most one predecessor
  FanOut fan_out;

  friend bool operator==(const Stage&, const Stage&) = default;
};

struct Application {
  std::string name;
  std::string description;
  std::vector<Stage> stages;  // acyclic, at least one
};

// A workload whose requests are of an application. Its stages are workloads of the scenario too.
struct ApplicationLoad {
  Workload load;  // Kind::kApplication, without model
  Application application;
  std::vector<WorkloadId> stages;  // the workload of each stage
};

// The largest number of requests that one request of an application may cause at one stage.
inline constexpr std::uint32_t kMostStageRequests = 65536;

// The DAG of an application (Boost.Graph).
class StageGraph {
 public:
  // Requires: valid places in `after`, and no cycle (cycle_of).
  explicit StageGraph(const std::vector<Stage>& stages);

  // The stages on some cycle, ascending; empty when there is none.
  static std::vector<std::uint32_t> cycle_of(const std::vector<Stage>& stages);

  // Every stage after its predecessors.
  const std::vector<std::uint32_t>& order() const { return order_; }
  const std::vector<std::uint32_t>& successors(std::uint32_t stage) const {
    return successors_[stage];
  }
  const std::vector<std::uint32_t>& predecessors(std::uint32_t stage) const {
    return predecessors_[stage];
  }

  // A path whose stages' weights have the largest sum, first stage first.
  struct Path {
    double length = 0;
    std::vector<std::uint32_t> stages;
  };
  // Requires: a weight >= 0 for each stage.
  Path critical_path(std::span<const double> weights) const;
  // For each stage the length of the longest path that leads through it.
  std::vector<double> longest_through(std::span<const double> weights) const;

  // The expected requests of each stage for one request of the application. A number drawn at a
  // stage is independent of those drawn before it, so that means multiply (Wald).
  std::vector<double> mean_requests(const std::vector<Stage>& stages) const;
  // The most requests of each stage for one request of the application.
  std::vector<double> most_requests(const std::vector<Stage>& stages) const;

 private:
  std::vector<std::uint32_t> order_;
  std::vector<std::vector<std::uint32_t>> successors_, predecessors_;
};

// The applications that scenarios can name without describing them: "game", "traffic".
const std::vector<Application>& known_applications();

// How the requests of a stage arrive: when others are answered, at this mean rate (requests/s; 0:
// not known).
ArrivalSpec stage_arrivals(double rate_rps);

}  // namespace tangram
