#include "policies/application_tracker.h"

#include <algorithm>

#include "sim/core/check.h"

namespace tangram {
namespace {

constexpr std::uint64_t kNumbers = std::uint64_t{1} << 40;  // that a RequestId can hold

}  // namespace

ApplicationTracker::ApplicationTracker(const std::vector<ApplicationLoad>& loads,
                                       std::uint32_t workloads,
                                       StreamKey key)
    : workloads_(workloads), stage_of_(loads.empty() ? 0 : workloads + loads.size()) {
  for (std::uint32_t a = 0; a < loads.size(); ++a) {
    const ApplicationLoad& load = loads[a];
    App app{&load,
            WorkloadId(workloads + a),
            StageGraph(load.application.stages),
            {},
            key.with("fan_out").with(load.load.name),
            {},
            {},
            {}};
    for (const double most : app.graph.most_requests(load.application.stages)) {
      TANGRAM_CHECK(most <= kMostStageRequests, "too many requests of one stage; most ", most);
      app.stride.push_back(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(most)));
    }
    for (std::uint32_t v = 0; v < load.stages.size(); ++v) {
      stage_of_[load.stages[v].index()] = {a, v};
    }
    apps_.push_back(std::move(app));
  }
}

void ApplicationTracker::arrived(const Request& request) {
  App& app = apps_[request.id.workload().value() - workloads_];
  if (app.free.empty()) {
    app.free.push_back(static_cast<std::uint32_t>(app.states.size()));
    app.states.emplace_back();
  }
  const std::uint32_t slot = app.free.back();
  app.free.pop_back();
  const bool is_new = app.states_of.emplace(request.id.number(), slot).second;
  TANGRAM_CHECK(is_new, "a request of an application came twice; number ", request.id.number());
  State& state = app.states[slot];
  state.request = request;
  state.is_used = true;
  state.is_dropped = false;
  state.stages.assign(app.load->stages.size(), {});
  state.live.clear();
  for (const std::uint32_t v : app.graph.order()) {
    if (!app.graph.predecessors(v).empty()) continue;
    state.stages[v].last_end = request.arrival;
    state.stages[v].is_asked = true;
    start(app, state, v, request.arrival, {}, 0);
  }
  settle(app, state);
}

// Requests of a stage have the number of the application's request times the most that one of those
// may cause, plus their ordinal: no table is needed to find the way back, and the same request has
// the same number in the simulator and in the engine wherever fan-out is constant.
ApplicationTracker::State& ApplicationTracker::state_of(App& app,
                                                        std::uint32_t stage,
                                                        RequestId id,
                                                        std::uint32_t& ordinal) {
  const std::uint64_t stride = app.stride[stage];
  ordinal = static_cast<std::uint32_t>(id.number() % stride);
  const auto found = app.states_of.find(id.number() / stride);
  TANGRAM_CHECK(found != app.states_of.end(), "a stage's request that nobody started; number ",
                id.number());
  return app.states[found->second];
}

ApplicationTracker::Live ApplicationTracker::take_live(State& state,
                                                       std::uint32_t stage,
                                                       std::uint32_t ordinal) {
  const auto found = std::find_if(state.live.begin(), state.live.end(), [&](const Live& live) {
    return live.stage == stage && live.ordinal == ordinal;
  });
  TANGRAM_CHECK(found != state.live.end(), "a stage's request that ends twice; ordinal ", ordinal);
  const Live live = *found;
  *found = state.live.back();
  state.live.pop_back();
  return live;
}

void ApplicationTracker::start(App& app,
                               State& state,
                               std::uint32_t stage,
                               TimePoint when,
                               const PathTime& before,
                               std::uint32_t asked_by) {
  const std::uint64_t number = state.request.id.number();
  const FanOut& fan_out = app.load->application.stages[stage].fan_out;
  // Drawn by place, not by time: whoever is faster, a request causes the same requests.
  RandomStream stream(app.fan_out.with(number).with(stage).with(asked_by));
  const std::uint32_t count = fan_out.draw(stream.uniform());
  StageState& at = state.stages[stage];
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t ordinal = at.started++;
    const std::uint64_t own = number * app.stride[stage] + ordinal;
    TANGRAM_CHECK(ordinal < app.stride[stage] && own < kNumbers,
                  "a run too long for the numbers of its requests; number ", number);
    ++at.open;
    state.live.push_back({stage, ordinal, before});
    started_.push_back({when, RequestId::of(app.load->stages[stage], own)});
  }
}

void ApplicationTracker::finished(const Request& request, TimePoint end, const PathTime& own) {
  const StageOf at = stage_of_[request.id.workload().index()];
  App& app = apps_[at.app];
  std::uint32_t ordinal = 0;
  State& state = state_of(app, at.stage, request.id, ordinal);
  const Live live = take_live(state, at.stage, ordinal);
  if (state.is_dropped) {
    if (state.live.empty()) release(app, state);
    return;
  }
  const PathTime path = live.before + own;
  StageState& stage = state.stages[at.stage];
  if (end >= stage.last_end) {
    stage.last_end = end;
    stage.path = path;
  }
  --stage.open;
  for (const std::uint32_t next : app.graph.successors(at.stage)) {
    if (app.load->application.stages[next].wait == Stage::Wait::kEach) {
      start(app, state, next, end, path, ordinal);
    }
  }
  settle(app, state);
}

void ApplicationTracker::dropped(const Request& request, DropReason reason) {
  const StageOf at = stage_of_[request.id.workload().index()];
  App& app = apps_[at.app];
  std::uint32_t ordinal = 0;
  State& state = state_of(app, at.stage, request.id, ordinal);
  take_live(state, at.stage, ordinal);
  if (!state.is_dropped) {
    state.is_dropped = true;
    ended_.push_back({state.request, kNever, reason, {}});
  }
  if (state.live.empty()) release(app, state);
}

bool ApplicationTracker::ready(const App& app, const State& state, std::uint32_t stage) const {
  const std::vector<std::uint32_t>& before = app.graph.predecessors(stage);
  return std::all_of(before.begin(), before.end(),
                     [&](std::uint32_t u) { return state.stages[u].is_complete; });
}

// The end of the stages before, for a join or a stage that got no requests.
void ApplicationTracker::inherit(const App& app, State& state, std::uint32_t stage) {
  StageState& at = state.stages[stage];
  for (const std::uint32_t u : app.graph.predecessors(stage)) {
    const StageState& before = state.stages[u];
    if (before.last_end < at.last_end) continue;
    at.last_end = before.last_end;
    at.path = before.path;
  }
}

void ApplicationTracker::settle(App& app, State& state) {
  const std::vector<Stage>& stages = app.load->application.stages;
  std::size_t complete = 0;
  for (const std::uint32_t v : app.graph.order()) {
    StageState& at = state.stages[v];
    if (!at.is_complete && at.open == 0 && ready(app, state, v)) {
      if (at.started == 0) inherit(app, state, v);
      if (!at.is_asked && stages[v].wait == Stage::Wait::kAll) {
        at.is_asked = true;
        start(app, state, v, at.last_end, at.path, 0);
      }
      at.is_complete = at.open == 0;
    }
    complete += at.is_complete ? 1 : 0;
  }
  if (complete < state.stages.size()) return;
  const auto last = std::max_element(
      state.stages.begin(), state.stages.end(),
      [](const StageState& a, const StageState& b) { return a.last_end < b.last_end; });
  ended_.push_back({state.request, last->last_end, std::nullopt, last->path});
  release(app, state);
}

void ApplicationTracker::release(App& app, State& state) {
  app.states_of.erase(state.request.id.number());
  state.is_used = false;
  app.free.push_back(static_cast<std::uint32_t>(&state - app.states.data()));
}

}  // namespace tangram
