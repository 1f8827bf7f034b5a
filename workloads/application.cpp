// Fan-out, and the graph of an application's stages.
#include "workloads/application.h"

#include <algorithm>
#include <iterator>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>

#include "sim/core/check.h"
#include "sim/core/stable_math.h"

namespace tangram {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;

Graph graph_of(const std::vector<Stage>& stages) {
  Graph graph(stages.size());
  for (std::uint32_t to = 0; to < stages.size(); ++to) {
    for (const std::uint32_t from : stages[to].after) boost::add_edge(from, to, graph);
  }
  return graph;
}

Application game() {
  Application game{"game", "a screenshot: six digits read by LeNet, one image by ResNet-50", {}};
  game.stages.push_back({"digits", "lenet", {}, Stage::Wait::kEach, FanOut(6)});
  game.stages.push_back({"image", "resnet50", {}, Stage::Wait::kEach, FanOut(1)});
  return game;
}

Application traffic() {
  Application traffic{"traffic", "a street: SSD finds objects, GoogLeNet and VGG-16 name them", {}};
  traffic.stages.push_back({"detect", "ssd-mobilenetv1", {}, Stage::Wait::kEach, FanOut(1)});
  traffic.stages.push_back({"cars", "googlenet", {0}, Stage::Wait::kEach, FanOut(1)});
  traffic.stages.push_back({"people", "vgg16", {0}, Stage::Wait::kEach, FanOut(1)});
  return traffic;
}

}  // namespace

FanOut FanOut::weighted(const std::vector<double>& weights) {
  TANGRAM_CHECK(!weights.empty() && weights.size() <= kMost + 1, "weights ", weights.size());
  double total = 0;
  for (const double weight : weights) total += weight;
  TANGRAM_CHECK(total > 0, "weights without a sum; total ", total);
  FanOut result;
  result.most_ = 0;
  result.mean_ = 0;
  double sum = 0;
  for (std::uint32_t n = 0; n < weights.size(); ++n) {
    sum += weights[n];
    result.cumulative_.push_back(sum / total);
    result.mean_ += n * (weights[n] / total);
    if (weights[n] > 0) result.most_ = n;
  }
  result.cumulative_.resize(result.most_ + 1);
  result.cumulative_.back() = 1;
  return result;
}

FanOut FanOut::poisson(double mean) {
  TANGRAM_CHECK(mean > 0 && mean <= 100, "mean ", mean);
  constexpr double kCut = 1e-12;
  std::vector<double> weights;
  double weight = stable::exp(-mean);  // P(n) = e^-mean mean^n / n!
  double beyond = 1;
  for (std::uint32_t n = 0; n <= kMost; ++n) {
    weights.push_back(weight);
    beyond -= weight;
    if (n > mean && beyond < kCut) break;
    weight *= mean / (n + 1);
  }
  FanOut result = weighted(weights);
  result.mean_ = mean;
  return result;
}

std::uint32_t FanOut::least() const {
  std::uint32_t n = 0;
  while (n < cumulative_.size() && cumulative_[n] <= 0) ++n;
  return cumulative_.empty() ? most_ : n;
}

std::uint32_t FanOut::draw(double uniform) const {
  if (cumulative_.empty()) return most_;
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), uniform);
  return std::min(static_cast<std::uint32_t>(found - cumulative_.begin()), most_);
}

StageGraph::StageGraph(const std::vector<Stage>& stages)
    : successors_(stages.size()), predecessors_(stages.size()) {
  const Graph graph = graph_of(stages);
  boost::topological_sort(graph, std::back_inserter(order_));  // from the end; throws for a cycle
  std::reverse(order_.begin(), order_.end());
  for (std::uint32_t v = 0; v < stages.size(); ++v) {
    predecessors_[v] = stages[v].after;
    const auto [begin, end] = boost::adjacent_vertices(v, graph);
    for (auto next = begin; next != end; ++next) {
      successors_[v].push_back(static_cast<std::uint32_t>(*next));
    }
  }
}

std::vector<std::uint32_t> StageGraph::cycle_of(const std::vector<Stage>& stages) {
  const Graph graph = graph_of(stages);
  std::vector<std::size_t> component(stages.size());
  const std::size_t count = boost::strong_components(
      graph,
      boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  std::vector<std::size_t> size(count);
  for (const std::size_t c : component) ++size[c];
  std::vector<std::uint32_t> cycle;
  for (std::uint32_t v = 0; v < stages.size(); ++v) {
    const std::vector<std::uint32_t>& after = stages[v].after;
    const bool follows_itself = std::find(after.begin(), after.end(), v) != after.end();
    if (size[component[v]] > 1 || follows_itself) cycle.push_back(v);
  }
  return cycle;
}

StageGraph::Path StageGraph::critical_path(std::span<const double> weights) const {
  std::vector<double> until(order_.size());  // the longest path that ends with the stage
  std::vector<std::uint32_t> before(order_.size());
  Path path;
  std::uint32_t last = order_.front();
  for (const std::uint32_t v : order_) {
    before[v] = v;
    double longest = 0;
    for (const std::uint32_t u : predecessors_[v]) {
      if (before[v] != v && until[u] <= longest) continue;
      longest = until[u];
      before[v] = u;
    }
    until[v] = longest + weights[v];
    if (until[v] > until[last]) last = v;
  }
  path.length = until[last];
  path.stages.push_back(last);
  while (before[path.stages.back()] != path.stages.back()) {
    path.stages.push_back(before[path.stages.back()]);
  }
  std::reverse(path.stages.begin(), path.stages.end());
  return path;
}

std::vector<double> StageGraph::longest_through(std::span<const double> weights) const {
  std::vector<double> until(order_.size());
  std::vector<double> from(order_.size());
  for (const std::uint32_t v : order_) {
    for (const std::uint32_t u : predecessors_[v]) until[v] = std::max(until[v], until[u]);
    until[v] += weights[v];
  }
  for (std::size_t i = order_.size(); i-- > 0;) {
    const std::uint32_t v = order_[i];
    for (const std::uint32_t w : successors_[v]) from[v] = std::max(from[v], from[w]);
    from[v] += weights[v];
  }
  std::vector<double> through(order_.size());
  for (std::size_t v = 0; v < through.size(); ++v) through[v] = until[v] + from[v] - weights[v];
  return through;
}

std::vector<double> StageGraph::mean_requests(const std::vector<Stage>& stages) const {
  std::vector<double> requests(stages.size());
  for (const std::uint32_t v : order_) {
    const bool each = stages[v].wait == Stage::Wait::kEach && !predecessors_[v].empty();
    requests[v] = stages[v].fan_out.mean() * (each ? requests[predecessors_[v].front()] : 1);
  }
  return requests;
}

std::vector<double> StageGraph::most_requests(const std::vector<Stage>& stages) const {
  std::vector<double> requests(stages.size());
  for (const std::uint32_t v : order_) {
    const bool each = stages[v].wait == Stage::Wait::kEach && !predecessors_[v].empty();
    requests[v] = stages[v].fan_out.most() * (each ? requests[predecessors_[v].front()] : 1);
  }
  return requests;
}

const std::vector<Application>& known_applications() {
  // gpulet (Choi et al., ATC'22, section 6.1 and its released clients): game reads six digits and
  // one image in parallel; traffic detects, then names what it found, one request each.
  static const std::vector<Application> known{game(), traffic()};
  return known;
}

ArrivalSpec stage_arrivals(double rate_rps) {
  ArrivalSpec arrivals;
  arrivals.process = ArrivalSpec::Process::kStage;
  arrivals.rate_rps = rate_rps;
  return arrivals;
}

}  // namespace tangram
