// The HDF5 store of profiles: one file per GPU type, one group per model, one dataset per column.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "profiles/profile_io.h"
#include "profiles/profile_limits.h"
#include "sim/core/hdf5_file.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "tangram profiles";
constexpr double kSchema = 1;

// Optional columns hold NaN where a point has no value, and are left out when no point has one.
struct Column {
  const char* name;
  std::optional<double> LatencyPoint::*member;
  double high;
};
constexpr std::array<Column, 6> kColumns{{
    {"reported_latency_ms", &LatencyPoint::reported_latency_ms, kLongestLatencyMs},
    {"reported_throughput_rps", &LatencyPoint::reported_throughput_rps, kMostItemsPerSecond},
    {"l2_utilisation", &LatencyPoint::l2_utilisation, 1},
    {"dram_utilisation", &LatencyPoint::dram_utilisation, 1},
    {"sm_occupancy", &LatencyPoint::sm_occupancy, 1},
    {"power_w", &LatencyPoint::power_w, kMostPowerW},
}};

struct Scalar {
  const char* name;
  std::optional<double> Profile::*member;
  double low, high;
};
constexpr std::array<Scalar, 6> kScalars{{
    {"memory_mib", &Profile::memory_mib, 0, kMostMemoryMib},
    {"memory_per_item_mib", &Profile::memory_per_item_mib, 0, kMostMemoryMib},
    {"weights_mib", &Profile::weights_mib, 0, kMostMemoryMib},
    {"load_ms", &Profile::load_ms, 0, kLongestLatencyMs},
    {"launches", &Profile::launches, 1, kMostKernels},
    {"interference_factor", &Profile::interference_factor, 1, kLargestSlowdown},
}};

struct Text {
  const char* name;
  std::string Provenance::*member;
};
constexpr std::array<Text, 7> kTexts{{
    {"provenance_kind", &Provenance::kind},
    {"provenance_device", &Provenance::device},
    {"provenance_driver", &Provenance::driver},
    {"provenance_framework", &Provenance::framework},
    {"provenance_date", &Provenance::date},
    {"provenance_command", &Provenance::command},
    {"provenance_source", &Provenance::source},
}};

const std::vector<std::string>& share_names() {
  static const std::vector<std::string> names{"whole", "mig", "percent", "sms"};
  return names;
}

template <typename T>
void write_column(Hdf5Writer& file, const std::string& path, const std::vector<T>& values) {
  file.write(path, std::span<const T>(values));
}

template <typename T, typename Item, typename Get>
std::vector<T> column(const std::vector<Item>& items, Get get) {
  std::vector<T> values;
  values.reserve(items.size());
  for (const Item& item : items) values.push_back(static_cast<T>(get(item)));
  return values;
}

void write_points(Hdf5Writer& file,
                  const std::string& group,
                  const std::vector<LatencyPoint>& points) {
  using P = LatencyPoint;
  std::vector<std::string> kinds;
  std::vector<std::string> suspicions;
  std::vector<std::uint32_t> sample_counts;
  std::vector<double> samples;
  for (const P& p : points) {
    kinds.push_back(share_names()[static_cast<std::size_t>(p.share.kind)]);
    suspicions.push_back(p.suspicion);
    sample_counts.push_back(static_cast<std::uint32_t>(p.samples_ms.size()));
    samples.insert(samples.end(), p.samples_ms.begin(), p.samples_ms.end());
  }
  file.write(group + "/share_kind", kinds);
  write_column(file, group + "/share_amount",
               column<double>(points, [](const P& p) { return p.share.amount; }));
  write_column(file, group + "/processes",
               column<std::uint32_t>(points, [](const P& p) { return p.processes; }));
  write_column(file, group + "/batch",
               column<std::uint32_t>(points, [](const P& p) { return p.batch; }));
  write_column(file, group + "/latency_ms",
               column<double>(points, [](const P& p) { return p.latency_ms; }));
  for (const Column& c : kColumns) {
    const auto has = [&](const P& p) { return (p.*c.member).has_value(); };
    if (std::none_of(points.begin(), points.end(), has)) continue;
    write_column(file, group + "/" + c.name, column<double>(points, [&](const P& p) {
                   return (p.*c.member).value_or(std::numeric_limits<double>::quiet_NaN());
                 }));
  }
  if (!samples.empty()) {
    write_column(file, group + "/sample_count", sample_counts);
    write_column(file, group + "/samples_ms", samples);
  }
  const auto suspect = [](const P& p) { return !p.suspicion.empty(); };
  if (std::any_of(points.begin(), points.end(), suspect)) {
    file.write(group + "/suspicion", suspicions);
  }
}

void write_co_runs(Hdf5Writer& file, const std::string& group, const std::vector<CoRun>& runs) {
  std::vector<std::string> others;
  for (const CoRun& run : runs) others.push_back(run.other);
  file.write(group + "/other", others);
  write_column(file, group + "/batch",
               column<std::uint32_t>(runs, [](const CoRun& r) { return r.batch; }));
  write_column(file, group + "/other_batch",
               column<std::uint32_t>(runs, [](const CoRun& r) { return r.other_batch; }));
  write_column(file, group + "/share_pct",
               column<double>(runs, [](const CoRun& r) { return r.share_pct; }));
  write_column(file, group + "/other_share_pct",
               column<double>(runs, [](const CoRun& r) { return r.other_share_pct; }));
  write_column(file, group + "/slowdown",
               column<double>(runs, [](const CoRun& r) { return r.slowdown; }));
}

// The columns of a kernel that are whole numbers.
struct KernelColumn {
  const char* name;
  std::uint32_t Kernel::*member;
  std::uint32_t low, high;
};
constexpr std::array<KernelColumn, 5> kKernelColumns{{
    {"batch", &Kernel::batch, 1, kLargestBatch},
    {"grid", &Kernel::grid, 1, kMostBlocks},
    {"threads", &Kernel::threads, 1, kMostThreads},
    {"registers", &Kernel::registers, 0, kMostRegisters},
    {"shared_memory", &Kernel::shared_memory, 0, kMostSharedMemory},
}};

void write_kernels(Hdf5Writer& file, const std::string& group, const std::vector<Kernel>& kernels) {
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels) names.push_back(kernel.name);
  file.write(group + "/name", names);
  for (const KernelColumn& c : kKernelColumns) {
    write_column(file, group + "/" + c.name,
                 column<std::uint32_t>(kernels, [&](const Kernel& k) { return k.*c.member; }));
  }
  write_column(file, group + "/duration_us",
               column<double>(kernels, [](const Kernel& k) { return k.duration_us; }));
}

void write_igniter(Hdf5Writer& file, const std::string& group, IgniterModel model) {
  file.group(group);
  for (const IgniterField& field : igniter_fields()) {
    file.attribute(group, field.key, field.of(model));
  }
  file.attribute(group, "max_batch", std::uint64_t{model.max_batch});
}

void write_profile(Hdf5Writer& file, const Profile& profile) {
  // A slash would make a group inside a group; the attribute has the true name.
  std::string name = profile.model;
  std::replace(name.begin(), name.end(), '/', '|');
  const std::string group = "/models/" + name;
  file.group(group);
  file.attribute(group, "model", profile.model);
  file.attribute(group, "interpolation",
                 interpolation_names()[static_cast<std::size_t>(profile.interpolation)]);
  file.attribute(group, "variability",
                 variability_names()[static_cast<std::size_t>(profile.variability.kind)]);
  file.attribute(group, "cv", profile.variability.cv);
  for (const Scalar& scalar : kScalars) {
    if (profile.*scalar.member) file.attribute(group, scalar.name, *(profile.*scalar.member));
  }
  for (const Text& text : kTexts) {
    file.attribute(group, text.name, profile.provenance.*text.member);
  }
  file.attribute(group, "provenance_repetitions", std::uint64_t{profile.provenance.repetitions});
  if (profile.linear) {
    file.attribute(group, "fixed_ms", profile.linear->fixed_ms);
    file.attribute(group, "per_item_ms", profile.linear->per_item_ms);
    file.attribute(group, "max_batch", std::uint64_t{profile.linear->max_batch});
  } else {
    write_points(file, group + "/points", profile.points);
  }
  if (profile.igniter) write_igniter(file, group + "/igniter", *profile.igniter);
  if (!profile.co_runs.empty()) write_co_runs(file, group + "/co_runs", profile.co_runs);
  if (!profile.kernels.empty()) write_kernels(file, group + "/kernels", profile.kernels);
}

// Reads one model's group. Each problem throws ConfigError through Hdf5Reader::fail: a store is
// written by a program, so its first fault in a model says enough.
class ModelReader {
 public:
  ModelReader(const Hdf5Reader& file, std::string group) : file_(file), group_(std::move(group)) {}
  Profile read(const std::string& gpu) const;

 private:
  double number(const char* name, double low, double high) const;
  std::string text(const char* name) const {
    return file_.string_attribute(group_, name).value_or("");
  }
  std::size_t one_of(const char* name, const std::vector<std::string>& known) const;
  std::vector<double> doubles(
      const std::string& path, std::size_t size, double low, double high, bool may_lack) const;
  std::vector<std::uint32_t> counts(const std::string& path,
                                    std::size_t size,
                                    std::uint32_t low,
                                    std::uint32_t high) const;
  void read_points(Profile& profile) const;
  void read_samples(const std::string& points, Profile& profile) const;
  void read_igniter(Profile& profile) const;
  void read_co_runs(Profile& profile) const;
  void read_kernels(Profile& profile) const;

  const Hdf5Reader& file_;
  std::string group_;
};

double ModelReader::number(const char* name, double low, double high) const {
  const auto value = file_.number_attribute(group_, name);
  if (!value || !(*value >= low && *value <= high)) {
    file_.fail(group_, fmt::format("attribute {} must be a number from {} to {}", name, low, high));
  }
  return *value;
}

std::size_t ModelReader::one_of(const char* name, const std::vector<std::string>& known) const {
  const std::string value = text(name);
  const auto found = std::find(known.begin(), known.end(), value);
  if (found == known.end()) {
    file_.fail(group_, fmt::format("attribute {}: {}", name, unknown_name(name, value, known)));
  }
  return static_cast<std::size_t>(found - known.begin());
}

std::vector<double> ModelReader::doubles(
    const std::string& path, std::size_t size, double low, double high, bool may_lack) const {
  std::vector<double> values = file_.read<double>(path);
  if (values.size() != size) file_.fail(path, fmt::format("must have {} values", size));
  for (std::size_t i = 0; i < size; ++i) {
    const bool fits =
        (values[i] >= low && values[i] <= high) || (may_lack && std::isnan(values[i]));
    if (!fits) {
      file_.fail(fmt::format("{}[{}]", path, i),
                 fmt::format("must be from {} to {}, not {}", low, high, values[i]));
    }
  }
  return values;
}

std::vector<std::uint32_t> ModelReader::counts(const std::string& path,
                                               std::size_t size,
                                               std::uint32_t low,
                                               std::uint32_t high) const {
  std::vector<std::uint32_t> values = file_.read<std::uint32_t>(path);
  if (values.size() != size) file_.fail(path, fmt::format("must have {} values", size));
  for (std::size_t i = 0; i < size; ++i) {
    if (values[i] < low || values[i] > high) {
      file_.fail(fmt::format("{}[{}]", path, i),
                 fmt::format("must be from {} to {}, not {}", low, high, values[i]));
    }
  }
  return values;
}

void ModelReader::read_points(Profile& profile) const {
  const std::string group = group_ + "/points";
  const std::vector<std::string> kinds = file_.strings(group + "/share_kind");
  const std::size_t n = kinds.size();
  const double least = std::numeric_limits<double>::min();
  const auto amounts = doubles(group + "/share_amount", n, least, kMostSms, false);
  const auto processes = counts(group + "/processes", n, 1, kMostProcesses);
  const auto batches = counts(group + "/batch", n, 1, kLargestBatch);
  const auto latencies = doubles(group + "/latency_ms", n, least, kLongestLatencyMs, false);
  profile.points.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    LatencyPoint& p = profile.points[i];
    const auto kind = std::find(share_names().begin(), share_names().end(), kinds[i]);
    if (kind == share_names().end()) {
      file_.fail(fmt::format("{}/share_kind[{}]", group, i),
                 unknown_name("share", kinds[i], share_names()));
    }
    p.share = {static_cast<ShareKind>(kind - share_names().begin()), amounts[i]};
    p.processes = processes[i];
    p.batch = batches[i];
    p.latency_ms = latencies[i];
    const bool in_order = i == 0 || point_before(profile.points[i - 1], p);
    if (!in_order) {
      file_.fail(fmt::format("{}[{}]", group, i),
                 "points must ascend in share, processes and batch, each once");
    }
  }
  for (const Column& c : kColumns) {
    if (!file_.has(group + "/" + c.name)) continue;
    const auto values = doubles(group + "/" + c.name, n, 0, c.high, true);
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isnan(values[i])) profile.points[i].*c.member = values[i];
    }
  }
  if (file_.has(group + "/suspicion")) {
    const std::vector<std::string> suspicions = file_.strings(group + "/suspicion");
    if (suspicions.size() != n)
      file_.fail(group + "/suspicion", fmt::format("must have {} values", n));
    for (std::size_t i = 0; i < n; ++i) profile.points[i].suspicion = suspicions[i];
  }
  read_samples(group, profile);
}

void ModelReader::read_samples(const std::string& points, Profile& profile) const {
  if (!file_.has(points + "/samples_ms")) return;
  const auto sizes = counts(points + "/sample_count", profile.points.size(), 0,
                            std::numeric_limits<std::uint32_t>::max());
  std::size_t total = 0;
  for (const std::uint32_t size : sizes) total += size;
  const auto samples = doubles(points + "/samples_ms", total, std::numeric_limits<double>::min(),
                               kLongestLatencyMs, false);
  auto next = samples.begin();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto last = next + static_cast<std::ptrdiff_t>(sizes[i]);
    if (!std::is_sorted(next, last))
      file_.fail(points + "/samples_ms", "must ascend in each point");
    profile.points[i].samples_ms.assign(next, last);
    next = last;
  }
}

void ModelReader::read_igniter(Profile& profile) const {
  const std::string group = group_ + "/igniter";
  if (!file_.has(group)) {
    if (profile.interpolation != Interpolation::kIgniter) return;
    file_.fail(group_, "the interpolation igniter needs the group igniter");
  }
  const ModelReader own(file_, group);
  IgniterModel model;
  for (const IgniterField& field : igniter_fields()) {
    field.of(model) = own.number(field.key, field.low, field.high);
  }
  model.max_batch = static_cast<std::uint32_t>(own.number("max_batch", 1, kLargestBatch));
  profile.igniter = model;
}

void ModelReader::read_co_runs(Profile& profile) const {
  const std::string group = group_ + "/co_runs";
  if (!file_.has(group)) return;
  const std::vector<std::string> others = file_.strings(group + "/other");
  const std::size_t n = others.size();
  const double least = std::numeric_limits<double>::min();
  const auto batches = counts(group + "/batch", n, 1, kLargestBatch);
  const auto other_batches = counts(group + "/other_batch", n, 1, kLargestBatch);
  const auto shares = doubles(group + "/share_pct", n, least, 100, false);
  const auto other_shares = doubles(group + "/other_share_pct", n, least, 100, false);
  const auto slowdowns =
      doubles(group + "/slowdown", n, kLeastMeasuredSlowdown, kLargestSlowdown, false);
  for (std::size_t i = 0; i < n; ++i) {
    profile.co_runs.push_back(
        {others[i], batches[i], other_batches[i], shares[i], other_shares[i], slowdowns[i]});
  }
}

void ModelReader::read_kernels(Profile& profile) const {
  const std::string group = group_ + "/kernels";
  if (!file_.has(group)) return;
  const std::vector<std::string> names = file_.strings(group + "/name");
  const auto durations = doubles(group + "/duration_us", names.size(),
                                 std::numeric_limits<double>::min(), kLongestKernelUs, false);
  profile.kernels.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    profile.kernels[i].name = names[i];
    profile.kernels[i].duration_us = durations[i];
  }
  for (const KernelColumn& c : kKernelColumns) {
    const auto values = counts(group + "/" + c.name, names.size(), c.low, c.high);
    for (std::size_t i = 0; i < names.size(); ++i) profile.kernels[i].*c.member = values[i];
  }
  if (!std::ranges::is_sorted(profile.kernels, {}, &Kernel::batch)) {
    file_.fail(group + "/batch", "must ascend");
  }
}

Profile ModelReader::read(const std::string& gpu) const {
  Profile profile;
  profile.gpu = gpu;
  profile.model = text("model");
  if (profile.model.empty()) file_.fail(group_, "attribute model must be the model's name");
  profile.interpolation =
      static_cast<Interpolation>(one_of("interpolation", interpolation_names()));
  profile.variability.kind =
      static_cast<Variability::Kind>(one_of("variability", variability_names()));
  const bool wants_cv = profile.variability.kind == Variability::Kind::kLognormal ||
                        profile.variability.kind == Variability::Kind::kGamma;
  profile.variability.cv =
      number("cv", wants_cv ? std::numeric_limits<double>::min() : 0, kLargestCv);
  for (const Scalar& scalar : kScalars) {
    if (!file_.number_attribute(group_, scalar.name)) continue;
    profile.*scalar.member = number(scalar.name, scalar.low, scalar.high);
  }
  for (const Text& t : kTexts) profile.provenance.*t.member = text(t.name);
  profile.provenance.repetitions = static_cast<std::uint32_t>(
      number("provenance_repetitions", 0, std::numeric_limits<std::uint32_t>::max()));
  if (file_.number_attribute(group_, "max_batch")) {
    profile.linear = Profile::Linear{
        number("fixed_ms", 0, kLongestLatencyMs), number("per_item_ms", 0, kLongestLatencyMs),
        static_cast<std::uint32_t>(number("max_batch", 1, kLargestBatch))};
    if (profile.linear->fixed_ms + profile.linear->per_item_ms <= 0) {
      file_.fail(group_, "fixed_ms and per_item_ms are both 0; a batch must take some time");
    }
  } else {
    read_points(profile);
  }
  read_igniter(profile);
  read_co_runs(profile);
  read_kernels(profile);
  return profile;
}

std::vector<Profile> read_store(const std::string& path, Faults& faults) {
  std::vector<Profile> profiles;
  try {
    const Hdf5Reader file(path);
    if (file.string_attribute("/", "format") != kFormat) {
      file.fail("/", fmt::format("not a profile store: attribute format must be \"{}\"", kFormat));
    }
    if (file.number_attribute("/", "schema") != kSchema) {
      file.fail("/", fmt::format("attribute schema must be {}", kSchema));
    }
    const std::string gpu = file.string_attribute("/", "gpu").value_or("");
    if (gpu.empty()) file.fail("/", "attribute gpu must be the GPU type's name");
    for (const std::string& name : file.children("/models")) {
      try {
        profiles.push_back(ModelReader(file, "/models/" + name).read(gpu));
      } catch (const ConfigError& error) {
        faults.append(error);
      }
    }
  } catch (const ConfigError& error) {
    faults.append(error);
  }
  return profiles;
}

std::vector<Profile> read_json_profiles(const std::string& path,
                                        Faults& faults,
                                        const std::vector<GpuType>& gpu_types) {
  std::vector<Profile> profiles;
  const auto json = read_json_file(path, faults);
  if (!json) return profiles;
  const JsonNode root(*json, path, faults);
  const std::vector<JsonNode> nodes = json->is_array() ? root.items() : std::vector<JsonNode>{root};
  for (const JsonNode& node : nodes) {
    if (auto profile = read_profile(node, gpu_types)) profiles.push_back(std::move(*profile));
  }
  return profiles;
}

}  // namespace

void write_profile_store(const std::string& path, const std::vector<Profile>& profiles) {
  for (const Profile& profile : profiles) {
    if (profile.gpu != profiles.front().gpu) {
      throw ConfigError(path, fmt::format("a profile store holds one GPU type, but there are "
                                          "profiles of {} and of {}; write one file for each",
                                          profiles.front().gpu, profile.gpu));
    }
  }
  Hdf5Writer file(path);
  file.attribute("/", "format", kFormat);
  file.attribute("/", "schema", kSchema);
  file.attribute("/", "gpu", profiles.empty() ? std::string() : profiles.front().gpu);
  file.group("/models");
  for (const Profile& profile : profiles) write_profile(file, profile);
  file.commit();
}

std::vector<Profile> read_profile_file(const std::string& path,
                                       Faults& faults,
                                       const std::vector<GpuType>& gpu_types) {
  const std::string extension = fs::path(path).extension().string();
  if (extension == ".json") return read_json_profiles(path, faults, gpu_types);
  if (extension == ".h5" || extension == ".hdf5") return read_store(path, faults);
  faults.add(path, "a profile file ends in .json, .h5 or .hdf5");
  return {};
}

}  // namespace tangram
