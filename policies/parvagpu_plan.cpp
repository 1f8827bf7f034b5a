// Deployment maps of the released ParvaGPU scheduler (SC'24): one row per MIG instance, grouped by
// GPU. Its slot labels may overlap, because it marks an instance's first slot only; the sizes on a
// GPU are always a legal set, so they are kept and the starts relabelled.
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "policies/detail/plan_limits.h"
#include "policies/detail/workload_of_model.h"
#include "policies/placement.h"
#include "policies/plan_io.h"

namespace tangram {
namespace {

constexpr std::string_view kHeader =
    "Num instance,Num GPU,Model,Placement,Instance size,Batch size,Num proc";
constexpr std::uint32_t kGpusPerNode = 8;
constexpr int kMostNodes = 1'000'000;
constexpr int kLastSlot = 7;

struct GpuRows {
  std::size_t first_line = 0;
  std::vector<PlanPartition> partitions;
};

class ParvagpuReader {
 public:
  ParvagpuReader(const std::string& name,
                 const GpuType& type,
                 const std::vector<Workload>& workloads,
                 Faults& faults)
      : name_(name), type_(type), faults_(faults), workloads_(workloads) {}

  void read(std::string_view text) {
    std::size_t line = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      std::string_view row = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (row.ends_with('\r')) row.remove_suffix(1);
      ++line;
      if (line == 1) {
        if (row != kHeader) fault(line, fmt::format("the header must be \"{}\"", kHeader));
      } else if (!row.empty()) {
        read_row(row, line);
      }
    }
    if (line == 0) fault(1, fmt::format("the file is empty; it begins with \"{}\"", kHeader));
  }

  std::vector<PlanGpu> gpus() {
    std::vector<PlanGpu> result;
    for (auto& [index, rows] : rows_) {
      std::vector<PlanPartition>& partitions = rows.partitions;
      std::string sizes;
      std::vector<int> labels;
      for (const PlanPartition& partition : partitions) {
        sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", *partition.size);
        labels.push_back(*partition.start);
      }
      if (!place_mig_partitions(type_, partitions)) {
        fault(rows.first_line,
              fmt::format("GPU {}: {} has no legal placement of instances of {} slices", index,
                          type_.name, sizes));
      }
      for (std::size_t i = 0; i < partitions.size(); ++i) {
        if (partitions[i].start != labels[i]) partitions[i].released_start = labels[i];
      }
      result.push_back({index, type_.name, GpuMode::kMig, std::move(partitions)});
    }
    return result;
  }

 private:
  // In the order of the header.
  enum Field : std::size_t { kNode, kGpu, kModel, kPlacement, kSize, kBatch, kProcesses, kFields };
  static constexpr std::array<std::string_view, kFields> kFieldNames{
      "Num instance", "Num GPU", "Model", "Placement", "Instance size", "Batch size", "Num proc"};

  void fault(std::size_t line, std::string what) {
    faults_.add(fmt::format("{}:{}", name_, line), std::move(what));
  }

  void read_row(std::string_view row, std::size_t line) {
    std::array<std::string_view, kFields> cells;
    std::size_t count = 0;
    while (true) {
      const std::size_t comma = row.find(',');
      if (count < kFields) cells[count] = row.substr(0, comma);
      ++count;
      if (comma == std::string_view::npos) break;
      row.remove_prefix(comma + 1);
    }
    if (count != kFields) {
      fault(line, fmt::format("must have {} fields, not {}", +kFields, count));
      return;
    }
    const auto node = number(cells, kNode, 0, kMostNodes, line);
    const auto gpu = number(cells, kGpu, 0, static_cast<int>(kGpusPerNode) - 1, line);
    const auto start = number(cells, kPlacement, 0, kLastSlot, line);
    const auto size = instance_size(cells, line);
    const auto batch = number(cells, kBatch, 1, detail::kLargestPlannedBatch, line);
    const auto processes = number(cells, kProcesses, 1, detail::kMostPlannedProcesses, line);
    const auto workload = workload_of(cells[kModel], line);
    if (!node || !gpu || !start || !size || !batch || !processes || !workload) return;
    PlanReplica replica;
    replica.workload = *workload;
    replica.model = cells[kModel];
    replica.batch = static_cast<std::uint32_t>(*batch);
    replica.processes = static_cast<std::uint32_t>(*processes);
    PlanPartition partition;
    partition.size = size;
    partition.start = start;
    partition.replicas.push_back(std::move(replica));
    const auto index =
        static_cast<std::uint32_t>(*node) * kGpusPerNode + static_cast<std::uint32_t>(*gpu);
    GpuRows& rows = rows_[index];
    if (rows.partitions.empty()) rows.first_line = line;
    rows.partitions.push_back(std::move(partition));
  }

  std::optional<int> number(const std::array<std::string_view, kFields>& cells,
                            Field field,
                            int low,
                            int high,
                            std::size_t line) {
    const std::string_view cell = cells[field];
    int value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error == std::errc() && end == cell.data() + cell.size() && value >= low && value <= high) {
      return value;
    }
    fault(line, fmt::format("{} must be an integer from {} to {}, not \"{}\"", kFieldNames[field],
                            low, high, cell));
    return std::nullopt;
  }

  std::optional<int> instance_size(const std::array<std::string_view, kFields>& cells,
                                   std::size_t line) {
    const auto size = number(cells, kSize, 1, type_.mig_slices, line);
    if (!size || find_mig_size(type_, *size) != nullptr) return size;
    fault(line, fmt::format("{} has no MIG instance of {} slices; known: {}", type_.name, *size,
                            mig_size_names(type_)));
    return std::nullopt;
  }

  std::optional<std::string> workload_of(std::string_view model, std::size_t line) {
    std::string why;
    if (const std::string* name = workloads_.find(model, why)) return *name;
    fault(line, std::move(why));
    return std::nullopt;
  }

  const std::string& name_;
  const GpuType& type_;
  Faults& faults_;
  detail::WorkloadOfModel workloads_;
  std::map<std::uint32_t, GpuRows> rows_;  // by GPU
};

// The one replica of a partition that the format can say.
const PlanReplica& replica_for_parvagpu(const PlanGpu& gpu, const PlanPartition& partition) {
  const auto refuse = [&](const char* why) {
    throw NoAnswer(
        fmt::format("the ParvaGPU format cannot say this plan: on GPU {}, {}", gpu.index, why));
  };
  if (gpu.mode != GpuMode::kMig || !partition.size || !partition.start) {
    refuse("a partition is no MIG instance");
  }
  if (partition.replicas.size() != 1) refuse("an instance does not have exactly one replica");
  const PlanReplica& replica = partition.replicas.front();
  if (!replica.batch) refuse("a replica has no planned batch");
  if (replica.model.find_first_of(",\r\n") != std::string::npos) {
    refuse("a model's name has a comma or a line feed");
  }
  return replica;
}

}  // namespace

std::string to_parvagpu(const Plan& plan) {
  std::string text = std::string(kHeader) + '\n';
  std::map<std::string, std::string> workload_of;  // by model
  for (const PlanGpu& gpu : plan.gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      const PlanReplica& replica = replica_for_parvagpu(gpu, partition);
      const auto known = workload_of.emplace(replica.model, replica.workload).first;
      if (known->second != replica.workload) {
        throw NoAnswer(fmt::format(
            "the ParvaGPU format names models, and {} belongs to the workloads \"{}\" and \"{}\"",
            replica.model, known->second, replica.workload));
      }
      text +=
          fmt::format("{},{},{},{},{},{},{}\n", gpu.index / kGpusPerNode, gpu.index % kGpusPerNode,
                      replica.model, partition.released_start.value_or(*partition.start),
                      *partition.size, *replica.batch, replica.processes);
    }
  }
  return text;
}

Plan parse_parvagpu_plan(const std::string& text,
                         const std::string& name,
                         const std::string& gpu_type,
                         const std::vector<Workload>& workloads,
                         Faults& faults) {
  Plan plan;
  plan.planner = "imported";
  const GpuType* type = find_gpu_type(gpu_type);
  if (type == nullptr || type->mig_slices == 0) {
    faults.add(name,
               fmt::format("a ParvaGPU plan needs a GPU type with MIG, not \"{}\"", gpu_type));
    return plan;
  }
  ParvagpuReader reader(name, *type, workloads, faults);
  reader.read(text);
  plan.gpus = reader.gpus();
  return plan;
}

}  // namespace tangram
