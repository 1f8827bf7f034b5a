// Two worlds, each into a result file of its own; then one file of both and their comparison.
#include "validate/validation.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sys/utsname.h>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "profiles/profile_io.h"
#include "sim/results/result_file.h"
#include "sim/results/version.h"
#include "sim/scenario/plan_of_scenario.h"
#include "sim/simulation.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "tangram validation";

// A folder of its own that goes away with it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "tangram-validate-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw SystemError(name + ": no temporary folder");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// The scenario with its logs on, checked for what only a comparison cannot take.
Scenario load(const ScenarioArguments& arguments) {
  Scenario scenario = load_scenario(arguments);
  Faults faults;
  if (!scenario.applications.empty()) {
    faults.add(arguments.path + "#/workloads",
               "the stages of an application ask when others were answered, so that the two worlds "
               "would not have the same requests; take workloads with a model");
    faults.throw_if_any();
  }
  if (scenario.replanning) {
    faults.add(arguments.path + "#/replanning",
               "only tangram run plans again during a run: leave it out");
  }
  for (std::size_t w = 0; w < scenario.workloads.size(); ++w) {
    if (scenario.workloads[w].arrivals.process != ArrivalSpec::Process::kClosedLoop) continue;
    faults.add(fmt::format("{}#/workloads/{}/arrivals/process", arguments.path, w),
               "a closed loop asks when it was answered, so that the two worlds would not have the "
               "same requests; take open arrivals");
  }
  faults.throw_if_any();
  return scenario;
}

// Where a real run's result lies.
struct StoredRealRun {
  std::string file, group;
  std::uint64_t seed = 0;
};

// Run r of n.
struct Turn {
  std::uint64_t r = 0, n = 1;
};

void simulate_to(const std::string& path,
                 const ValidateOptions& options,
                 const Scenario& scenario,
                 Turn turn,
                 const Interrupt& interrupt) {
  Scenario copy = scenario;
  const Plan plan = make_plan(copy, copy.notes);
  RunOptions run;
  run.progress = [&](double share) {
    if (interrupt.pending()) throw NoAnswer("interrupted; nothing was written");
    const double done = static_cast<double>(turn.r) + share;
    if (options.progress) options.progress(done / static_cast<double>(turn.n));
  };
  const RunResult result = simulate(copy, plan, run);
  write_result_file(path, {&result, 1});
}

void write_figures(Hdf5Writer& file, const std::vector<const ComparedWorkload*>& all) {
  std::vector<std::string> workload;
  std::vector<std::string> metric;
  std::vector<double> simulated;
  std::vector<double> real;
  std::vector<double> difference;
  std::vector<double> relative;
  for (const ComparedWorkload* w : all) {
    for (const Metric& m : metrics()) {
      workload.push_back(w->name);
      metric.emplace_back(m.name);
      simulated.push_back(w->simulated.*m.value);
      real.push_back(w->real.*m.value);
      difference.push_back(simulated.back() - real.back());
      relative.push_back(relative_error(simulated.back(), real.back()));
    }
  }
  const std::string group = "/comparison/figures/";
  file.write(group + "workload", workload);
  file.write(group + "metric", metric);
  file.write<double>(group + "simulated", simulated);
  file.write<double>(group + "real", real);
  file.write<double>(group + "difference", difference);
  file.write<double>(group + "relative_error", relative);
}

template <typename T, typename Item, typename Get>
void write_column(Hdf5Writer& file,
                  const std::string& path,
                  const std::vector<Item>& items,
                  Get get) {
  std::vector<T> values;
  values.reserve(items.size());
  for (const Item& item : items) values.push_back(static_cast<T>(get(item)));
  file.write<T>(path, values);
}

void write_pairing(Hdf5Writer& file, const std::vector<const ComparedWorkload*>& all) {
  std::vector<std::string> names;
  for (const ComparedWorkload* w : all) names.push_back(w->name);
  const std::string group = "/comparison/pairing/";
  file.write(group + "workload", names);
  const auto column = [&](const char* name, auto Pairing::*member) {
    write_column<double>(file, group + name, all,
                         [member](const ComparedWorkload* w) { return w->pairing.*member; });
  };
  column("requests", &Pairing::requests);
  column("completed", &Pairing::completed);
  column("within_5", &Pairing::within_5);
  column("within_10", &Pairing::within_10);
  column("within_20", &Pairing::within_20);
  column("mean_ms", &Pairing::mean_ms);
  column("mean_absolute_ms", &Pairing::mean_absolute_ms);
  column("p5_ms", &Pairing::p5_ms);
  column("p25_ms", &Pairing::p25_ms);
  column("p50_ms", &Pairing::p50_ms);
  column("p75_ms", &Pairing::p75_ms);
  column("p95_ms", &Pairing::p95_ms);
}

void write_answers(Hdf5Writer& file, const std::vector<const ComparedWorkload*>& all) {
  std::vector<std::string> workload;
  std::vector<std::string> simulated;
  std::vector<std::string> real;
  std::vector<std::uint64_t> count;
  for (const ComparedWorkload* w : all) {
    for (std::size_t s = 0; s < kAnswers; ++s) {
      for (std::size_t r = 0; r < kAnswers; ++r) {
        workload.push_back(w->name);
        simulated.push_back(answer_names()[s]);
        real.push_back(answer_names()[r]);
        count.push_back(w->pairing.answers[s][r]);
      }
    }
  }
  const std::string group = "/comparison/answers/";
  file.write(group + "workload", workload);
  file.write(group + "simulated", simulated);
  file.write(group + "real", real);
  file.write<std::uint64_t>(group + "count", count);
}

void write_batches(Hdf5Writer& file, const Comparison& comparison) {
  const std::string group = "/comparison/batches/";
  const std::vector<BatchDurations>& rows = comparison.batches;
  using Row = const BatchDurations&;
  write_column<std::uint32_t>(file, group + "workload", rows, [](Row r) { return r.workload; });
  write_column<std::uint32_t>(file, group + "batch", rows, [](Row r) { return r.size; });
  write_column<double>(file, group + "predicted_ms", rows, [](Row r) { return r.predicted_ms; });
  write_column<std::uint64_t>(file, group + "simulated_count", rows,
                              [](Row r) { return r.simulated; });
  write_column<std::uint64_t>(file, group + "real_count", rows, [](Row r) { return r.real; });
  write_column<double>(file, group + "simulated_ms", rows, [](Row r) { return r.simulated_ms; });
  write_column<double>(file, group + "real_ms", rows, [](Row r) { return r.real_ms; });
}

void write_pairs(Hdf5Writer& file, const Comparison& comparison) {
  const std::string group = "/comparison/pairs/";
  const std::vector<PairedRequest>& rows = comparison.pairs;
  using Row = const PairedRequest&;
  write_column<std::uint32_t>(file, group + "point", rows, [](Row r) { return r.point; });
  write_column<std::uint32_t>(file, group + "workload", rows,
                              [](Row r) { return r.id.workload().value(); });
  write_column<std::uint64_t>(file, group + "number", rows, [](Row r) { return r.id.number(); });
  write_column<std::int64_t>(file, group + "simulated_ns", rows,
                             [](Row r) { return r.simulated.count(); });
  write_column<std::int64_t>(file, group + "real_ns", rows, [](Row r) { return r.real.count(); });
}

std::string world_group(const char* world, std::uint64_t replication) {
  return fmt::format("/{}/{}", world, replication);
}

void write_validation(const std::string& path,
                      const Validation& validation,
                      const std::vector<StoredRealRun>& real_runs,
                      const ScratchFolder& scratch) {
  Hdf5Writer file(path);
  const ValidationRecord& record = validation.record;
  file.attribute("/", "format", kFormat);
  file.attribute("/", "schema", std::uint64_t{1});
  file.attribute("/", "version", version());
  file.attribute("/", "git_hash", git_hash());
  file.attribute("/", "name", validation.real.front().name);
  file.attribute("/", "backend", record.backend);
  file.attribute("/", "command", record.command);
  file.attribute("/", "date", record.date);
  file.attribute("/", "machine", record.machine);
  file.attribute("/", "replications", static_cast<std::uint64_t>(validation.real.size()));
  Json profiles = Json::array();
  for (const Profile& profile : validation.profiles) profiles.push_back(to_json(profile));
  file.text("/profiles", profiles.dump());
  for (std::size_t r = 0; r < validation.real.size(); ++r) {
    file.copy(world_group("simulated", r), scratch.file(fmt::format("simulated{}.h5", r)));
    file.copy(world_group("real", r), real_runs[r].file, real_runs[r].group);
  }
  std::vector<const ComparedWorkload*> all;
  for (const ComparedWorkload& w : validation.comparison.workloads) all.push_back(&w);
  all.push_back(&validation.comparison.total);
  write_figures(file, all);
  write_pairing(file, all);
  write_answers(file, all);
  write_batches(file, validation.comparison);
  write_pairs(file, validation.comparison);
  file.attribute("/comparison", "overhead_ms", validation.overhead.overhead_ms());
  file.attribute("/comparison", "dispatch_ms", validation.overhead.dispatch_ms);
  file.attribute("/comparison", "beyond_profile_ms", validation.overhead.execution_ms);
  file.commit();
}

// GPU types of the scenario's own are known by their names alone.
std::vector<Profile> read_profiles(const Hdf5Reader& file) {
  const std::string place = file.path() + "#/profiles";
  Faults faults;
  const std::optional<Json> json = parse_json(file.text("/profiles"), place, faults);
  faults.throw_if_any();
  std::vector<Profile> profiles;
  for (const JsonNode& node : JsonNode(*json, place, faults).items()) {
    GpuType own;
    if (node.value().is_object()) own.name = node.value().value("gpu", "");
    std::vector<GpuType> types;
    if (find_gpu_type(own.name) == nullptr) types.push_back(own);
    if (auto profile = read_profile(node, types)) profiles.push_back(std::move(*profile));
  }
  faults.throw_if_any();
  return profiles;
}

// The real runs of earlier validations, and their backend and machine, into `validation`.
std::vector<StoredRealRun> stored_real_runs(const std::vector<std::string>& paths,
                                            Validation& validation) {
  std::vector<StoredRealRun> runs;
  for (const std::string& path : paths) {
    Validation earlier = read_validation_file(path);
    for (std::size_t r = 0; r < earlier.real.size(); ++r) {
      runs.push_back({path, world_group("real", r), earlier.real[r].runs.front().seed});
      validation.real.push_back(std::move(earlier.real[r]));
    }
    validation.record.backend = earlier.record.backend;
    validation.record.machine = earlier.record.machine;
  }
  return runs;
}

std::vector<std::string> engine_arguments(const ValidateOptions& options,
                                          const ScenarioArguments& scenario,
                                          const std::string& out) {
  std::vector<std::string> words{"run",   scenario.path, "--backend", options.backend,
                                 "--out", out,           "--seed",    *scenario.seed};
  for (const std::string& text : scenario.set) {
    words.emplace_back("--set");
    words.push_back(text);
  }
  words.insert(words.end(), options.engine_options.begin(), options.engine_options.end());
  return words;
}

}  // namespace

Validation validate(const ValidateOptions& options,
                    const std::string& path,
                    const Interrupt& interrupt) {
  ScenarioArguments arguments = options.scenario;
  arguments.set.emplace_back("/outputs/requests=true");
  arguments.set.emplace_back("/outputs/timeline=true");
  const std::uint64_t first_seed = load(arguments).seed;
  const ScratchFolder scratch;
  Validation validation;
  validation.record = {options.backend, options.command, options.date, machine_description()};
  std::vector<StoredRealRun> real_runs = stored_real_runs(options.real, validation);
  const std::string engine = options.real.empty() ? find_engine() : "";
  const std::uint64_t runs = options.real.empty() ? options.replications : real_runs.size();
  for (std::uint64_t r = 0; r < runs; ++r) {
    const bool is_stored = !options.real.empty();
    arguments.seed = std::to_string(is_stored ? real_runs[r].seed : first_seed + r);
    const Scenario scenario = load(arguments);
    const std::string simulated = scratch.file(fmt::format("simulated{}.h5", r));
    validation.profiles = scenario.profiles.all();
    simulate_to(simulated, options, scenario, {r, runs}, interrupt);
    validation.simulated.push_back(read_result_file(simulated));
    if (is_stored) continue;
    real_runs.push_back({scratch.file(fmt::format("real{}.h5", r)), "/", first_seed + r});
    run_engine_process(engine, engine_arguments(options, arguments, real_runs.back().file),
                       interrupt);
    validation.real.push_back(read_result_file(real_runs.back().file));
  }
  validation.comparison = compare(validation.simulated, validation.real);
  validation.overhead = fit_overhead(validation.real);
  write_validation(path, validation, real_runs, scratch);
  return validation;
}

Validation read_validation_file(const std::string& path) {
  const Hdf5Reader file(path);
  if (file.string_attribute("/", "format") != kFormat) {
    file.fail("/", fmt::format("not a validation: attribute format must be \"{}\"", kFormat));
  }
  if (file.number_attribute("/", "schema") != 1.0) file.fail("/", "attribute schema must be 1");
  const auto text = [&](const char* name) { return file.string_attribute("/", name).value_or(""); };
  Validation validation;
  validation.record = {text("backend"), text("command"), text("date"), text("machine")};
  for (std::size_t r = 0; file.has(world_group("real", r)); ++r) {
    validation.simulated.push_back(read_result(file, world_group("simulated", r)));
    validation.real.push_back(read_result(file, world_group("real", r)));
  }
  if (validation.real.empty()) file.fail("/real", "has no result");
  validation.profiles = read_profiles(file);
  validation.comparison = compare(validation.simulated, validation.real);
  validation.overhead = fit_overhead(validation.real);
  return validation;
}

bool is_validation_file(const std::string& path) {
  std::error_code ignored;
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".json" || !std::filesystem::is_regular_file(path, ignored)) return false;
  return Hdf5Reader(path).string_attribute("/", "format") == kFormat;
}

std::string machine_description() {
  std::ifstream info("/proc/cpuinfo");
  std::string cpu;
  for (std::string line; cpu.empty() && std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) cpu = line.substr(colon + 2);
  }
  utsname system{};
  ::uname(&system);
  return fmt::format("{}, {} cores, {} {}", cpu.empty() ? system.machine : cpu.c_str(),
                     std::thread::hardware_concurrency(), system.sysname, system.release);
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(now));
}

}  // namespace tangram
