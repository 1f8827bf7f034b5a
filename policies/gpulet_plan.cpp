// Schedules of gpulet's scheduler (USENIX ATC'22), ModelList.txt: one row per model on a partition,
// or one for an empty partition.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "policies/detail/plan_limits.h"
#include "policies/detail/workload_of_model.h"
#include "policies/plan_io.h"

namespace tangram {
namespace {

constexpr std::string_view kEmpty = "reserved";
constexpr std::string_view kNoSchedule = "EMPTY";
constexpr int kEmptyBatch = 32;  // what the original writes for an empty partition
constexpr double kLongestDutyMs = 1e9;

class GpuletReader {
 public:
  GpuletReader(const std::string& name,
               const Cluster& cluster,
               const std::vector<Workload>& workloads,
               Faults& faults)
      : name_(name), faults_(faults), workloads_(workloads) {
    for (const GpuGroup& group : cluster.gpus) types_.insert(types_.end(), group.count, group.type);
    std::stable_sort(types_.begin(), types_.end());
  }

  void read(std::string_view text) {
    std::size_t line = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      std::string_view row = text.substr(0, end);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (row.ends_with('\r')) row.remove_suffix(1);
      ++line;
      if (row == kNoSchedule) {
        fault(line, "EMPTY: gpulet's scheduler found no schedule, so there is no plan");
      } else if (!row.empty()) {
        read_row(row, line);
      }
    }
    if (line == 0)
      fault(1, "the file is empty; a row is GPU,partition,twin,model,batch,duty cycle");
  }

  std::vector<PlanGpu> gpus() {
    std::vector<PlanGpu> result;
    for (auto& [index, rows] : rows_) {
      PlanGpu gpu{index, types_[index], GpuMode::kMps, {}};
      for (Part& part : rows) gpu.partitions.push_back(std::move(part.partition));
      result.push_back(std::move(gpu));
    }
    return result;
  }

 private:
  enum Field : std::size_t { kGpu, kShare, kTwin, kModel, kBatch, kDuty, kFields };
  static constexpr std::array<std::string_view, kFields> kFieldNames{
      "GPU", "partition", "twin", "model", "batch", "duty cycle"};

  struct Part {
    int twin = 0;
    PlanPartition partition;
  };

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
    const auto gpu = number(cells, kGpu, 0, static_cast<int>(types_.size()) - 1, line);
    const auto share = number(cells, kShare, 1, 100, line);
    const auto twin = number(cells, kTwin, 0, 1, line);
    const auto batch = number(cells, kBatch, 1, detail::kLargestPlannedBatch, line);
    const auto duty = duty_ms(cells[kDuty], line);
    std::optional<PlanReplica> replica;
    const bool is_empty = cells[kModel] == kEmpty;
    if (!is_empty) {
      const auto workload = workload_of(cells[kModel], line);
      if (!workload || !batch || !duty) return;
      replica.emplace();
      replica->workload = *workload;
      replica->model = cells[kModel];
      replica->batch = static_cast<std::uint32_t>(*batch);
      replica->duty_ms = duty;
    }
    if (!gpu || !share || !twin || !batch || !duty) return;
    std::vector<Part>& parts = rows_[static_cast<std::uint32_t>(*gpu)];
    const auto known = std::find_if(parts.begin(), parts.end(), [&](const Part& part) {
      return part.twin == *twin && part.partition.share_pct == *share;
    });
    if (known == parts.end()) {
      Part& part = parts.emplace_back();
      part.twin = *twin;
      part.partition.share_pct = *share;
      if (replica) part.partition.replicas.push_back(std::move(*replica));
    } else if (replica && !known->partition.replicas.empty()) {
      known->partition.replicas.push_back(std::move(*replica));
    } else {
      fault(line, fmt::format("GPU {}: the partition of {} % appears twice, and once as {}", *gpu,
                              *share, kEmpty));
    }
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

  std::optional<double> duty_ms(std::string_view cell, std::size_t line) {
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error == std::errc() && end == cell.data() + cell.size() && value >= 0 &&
        value <= kLongestDutyMs) {
      return value;
    }
    fault(line, fmt::format("duty cycle must be a number of ms from 0 to {}, not \"{}\"",
                            kLongestDutyMs, cell));
    return std::nullopt;
  }

  std::optional<std::string> workload_of(std::string_view model, std::size_t line) {
    std::string why;
    if (const std::string* name = workloads_.find(model, why)) return *name;
    fault(line, std::move(why));
    return std::nullopt;
  }

  const std::string& name_;
  Faults& faults_;
  std::vector<std::string> types_;  // by GPU
  detail::WorkloadOfModel workloads_;
  std::map<std::uint32_t, std::vector<Part>> rows_;  // by GPU
};

class Writer {
 public:
  std::string write(const Plan& plan) {
    for (const PlanGpu& gpu : plan.gpus) {
      gpu_ = gpu.index;
      std::vector<int> shares;
      for (const PlanPartition& partition : gpu.partitions) {
        const int share = share_of(gpu, partition);
        const auto twins = std::count(shares.begin(), shares.end(), share);
        if (twins > 1) refuse("more than two partitions have one size");
        shares.push_back(share);
        write_rows(partition, fmt::format("{},{},{}", gpu.index, share, twins));
      }
    }
    return std::move(text_);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw NoAnswer(fmt::format("the gpulet format cannot say this plan: on GPU {}, {}", gpu_, why));
  }

  int share_of(const PlanGpu& gpu, const PlanPartition& partition) const {
    if (gpu.mode == GpuMode::kWhole) return 100;
    const double share = partition.share_pct.value_or(0);
    if (gpu.mode != GpuMode::kMps || share != std::floor(share) || share < 1) {
      refuse("a partition is not a whole percentage of it under MPS");
    }
    return static_cast<int>(share);
  }

  void write_rows(const PlanPartition& partition, const std::string& place) {
    if (partition.replicas.empty()) {
      text_ += fmt::format("{},{},{},{:.6f}\n", place, kEmpty, kEmptyBatch, 0.0);
    }
    for (const PlanReplica& replica : partition.replicas) {
      if (!replica.batch || !replica.duty_ms) {
        refuse(fmt::format("\"{}\" has no planned batch or no duty cycle", replica.workload));
      }
      if (replica.processes != 1 || replica.group != partition.replicas.front().group) {
        refuse("a partition has several processes");
      }
      if (replica.model == kEmpty || replica.model.find_first_of(",\r\n") != std::string::npos) {
        refuse(fmt::format("the model's name \"{}\" is reserved or has a comma or a line feed",
                           replica.model));
      }
      const auto known = workload_of_.emplace(replica.model, replica.workload).first;
      if (known->second != replica.workload) {
        refuse(fmt::format("{} belongs to the workloads \"{}\" and \"{}\", and it names models",
                           replica.model, known->second, replica.workload));
      }
      text_ +=
          fmt::format("{},{},{},{:.6f}\n", place, replica.model, *replica.batch, *replica.duty_ms);
    }
  }

  std::uint32_t gpu_ = 0;
  std::string text_;
  std::map<std::string, std::string> workload_of_;  // by model
};

}  // namespace

std::string to_gpulet(const Plan& plan) {
  return Writer().write(plan);
}

Plan parse_gpulet_plan(const std::string& text,
                       const std::string& name,
                       const Cluster& cluster,
                       const std::vector<Workload>& workloads,
                       Faults& faults) {
  Plan plan;
  plan.planner = "imported";
  GpuletReader reader(name, cluster, workloads, faults);
  reader.read(text);
  plan.gpus = reader.gpus();
  return plan;
}

}  // namespace tangram
