#include "sim/sweep/sweep_row.h"

#include "sim/results/summary.h"

namespace tangram {
namespace {

// Every number of a summary under its keys, joined by dots.
void flatten(const std::string& prefix, const Json& values, NamedFigures& figures) {
  for (const auto& [key, value] : values.items()) {
    const std::string name = prefix.empty() ? key : prefix + '.' + key;
    if (value.is_object()) flatten(name, value, figures);
    if (value.is_number()) figures.emplace_back(name, value.get<double>());
  }
}

Json json_of(const NamedFigures& figures) {
  Json json = Json::object();
  for (const auto& [name, value] : figures) json[name] = value;
  return json;
}

NamedFigures figures_from(const Json& json) {
  NamedFigures figures;
  for (const auto& [name, value] : json.items()) figures.emplace_back(name, value.get<double>());
  return figures;
}

Json json_of(const std::vector<Histogram::Bin>& bins) {
  Json json = Json::array();
  for (const Histogram::Bin& bin : bins) {
    json.push_back(bin.lower);
    json.push_back(bin.upper);
    json.push_back(bin.count);
  }
  return json;
}

std::vector<Histogram::Bin> bins_from(const Json& json) {
  std::vector<Histogram::Bin> bins;
  for (std::size_t i = 0; i + 2 < json.size(); i += 3) {
    bins.push_back({json[i].get<std::uint64_t>(), json[i + 1].get<std::uint64_t>(),
                    json[i + 2].get<std::uint64_t>()});
  }
  return bins;
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> optional_from(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

Json json_of(const SweepRow& row) {
  Json workloads = Json::array();
  for (const SweepRow::Workload& workload : row.workloads) {
    workloads.push_back({{"name", workload.name},
                         {"model", workload.model},
                         {"figures", json_of(workload.figures)},
                         {"latency", json_of(workload.latency)}});
  }
  return {{"point", row.point},
          {"replication", row.replication},
          {"seed", row.seed},
          {"values", row.values},
          {"error", row.error},
          {"figures", json_of(row.figures)},
          {"workloads", std::move(workloads)}};
}

SweepRow row_from(const Json& json) {
  SweepRow row;
  row.point = json.at("point").get<std::uint32_t>();
  row.replication = json.at("replication").get<std::uint32_t>();
  row.seed = json.at("seed").get<std::uint64_t>();
  row.values = json.at("values").get<std::vector<Json>>();
  row.error = json.at("error").get<std::string>();
  row.figures = figures_from(json.at("figures"));
  for (const Json& workload : json.at("workloads")) {
    row.workloads.push_back(
        {workload.at("name").get<std::string>(), workload.at("model").get<std::string>(),
         figures_from(workload.at("figures")), bins_from(workload.at("latency"))});
  }
  return row;
}

}  // namespace

void fill_figures(const RunResult& run, bool histograms, SweepRow& row) {
  const Json summary = summarize(std::span(&run, 1));
  for (const char* key : {"events", "measured_s", "simulated_s"}) {
    row.figures.emplace_back(key, summary[key].get<double>());
  }
  flatten("total", summary["total"], row.figures);
  flatten("gpus", summary["gpus"], row.figures);
  for (std::size_t w = 0; w < run.workloads.size(); ++w) {
    SweepRow::Workload workload;
    workload.name = run.workloads[w].name;
    workload.model = run.workloads[w].model;
    workload.figures.emplace_back("slo_ms", to_ms(run.workloads[w].slo));
    flatten("", summarize(run.metrics[w], run.measured_s), workload.figures);
    if (histograms) workload.latency = run.metrics[w].latency.bins();
    row.workloads.push_back(std::move(workload));
  }
}

Json to_json(const SweepItem& item) {
  Json rows = Json::array();
  for (const SweepRow& row : item.rows) rows.push_back(json_of(row));
  Json searches = Json::array();
  for (const SearchRow& search : item.searches) {
    searches.push_back({{"point", search.point},
                        {"values", search.values},
                        {"highest_pass", optional_json(search.capacity.highest_pass)},
                        {"first_fail", optional_json(search.capacity.first_fail)},
                        {"monotone", search.capacity.monotone},
                        {"evaluations", search.evaluations}});
  }
  return {{"item", item.index}, {"rows", std::move(rows)}, {"searches", std::move(searches)}};
}

SweepItem sweep_item_from(const Json& json) {
  try {
    SweepItem item;
    item.index = json.at("item").get<std::uint32_t>();
    for (const Json& row : json.at("rows")) item.rows.push_back(row_from(row));
    for (const Json& search : json.at("searches")) {
      SearchRow& row = item.searches.emplace_back();
      row.point = search.at("point").get<std::uint32_t>();
      row.values = search.at("values").get<std::vector<Json>>();
      row.capacity.highest_pass = optional_from(search.at("highest_pass"));
      row.capacity.first_fail = optional_from(search.at("first_fail"));
      row.capacity.monotone = search.at("monotone").get<bool>();
      row.evaluations = search.at("evaluations").get<std::uint32_t>();
    }
    return item;
  } catch (const nlohmann::json::exception& error) {
    throw ConfigError("", std::string("not an item of a sweep: ") + error.what());
  }
}

}  // namespace tangram
