// tangram sweep and tangram merge: many runs of one scenario, on all cores or several machines.
#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "sim/core/interrupt.h"
#include "sim/sweep/sweep_file.h"

namespace tangram::cli {
namespace {

struct SweepArguments {
  std::string sweep;
  std::string out;
  std::string shard = "0/1";
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  bool resume = false;
};

// "I/N": part I of N, counted from 0.
SweepShard parse_shard(const std::string& text, Faults& faults) {
  const std::size_t slash = text.find('/');
  const auto number = [&](std::string_view digits) -> std::int64_t {
    const bool is_number = !digits.empty() && digits.size() < 7 &&
                           digits.find_first_not_of("0123456789") == std::string_view::npos;
    return is_number ? std::stoll(std::string(digits)) : -1;
  };
  if (slash != std::string::npos) {
    const std::int64_t index = number(std::string_view(text).substr(0, slash));
    const std::int64_t count = number(std::string_view(text).substr(slash + 1));
    if (index >= 0 && index < count) {
      return {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(count)};
    }
  }
  faults.add("--shard " + text,
             "must be I/N with 0 <= I < N, as in 0/4 for the first of four parts");
  return {};
}

std::string values_of(const std::vector<Json>& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : " ") + value.dump();
  return text;
}

// What a search found, a line for each point; and the points that failed.
void print_findings(const SweepFile& file) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:g}", *value) : std::string("none");
  };
  for (const SearchRow& row : file.searches) {
    const std::string place = row.values.empty() ? "" : values_of(row.values) + ": ";
    print(fmt::format("{}highest that passed {}, first that failed {}{} ({} values tried)\n", place,
                      number(row.capacity.highest_pass), number(row.capacity.first_fail),
                      row.capacity.monotone ? "" : "; NOT monotone in between", row.evaluations));
  }
  for (const SweepRow& row : file.rows) {
    if (row.error.empty()) continue;
    print_note(fmt::format("point {} ({}), replication {} failed: {}", row.point,
                           values_of(row.values), row.replication, row.error));
  }
}

// The mean over the replications of a point, for the first points.
void print_points(const SweepFile& file) {
  constexpr std::uint32_t kMost = 40;
  if (!file.searches.empty()) return;
  const std::array<const char*, 4> columns{"total.slo_attainment", "total.good_rate_rps",
                                           "total.latency_ms.p99", "gpus.busy_fraction"};
  print(fmt::format("{:>10} {:>10} {:>10} {:>7}  {}\n", "attained %", "good /s", "p99 ms", "busy %",
                    fmt::join(file.pointers, " ")));
  for (std::size_t i = 0; i < file.rows.size();) {
    const SweepRow& first = file.rows[i];
    if (first.point >= kMost) {
      print(fmt::format("... and {} points more\n", file.points - kMost));
      return;
    }
    std::array<double, 4> sums{};
    int runs = 0;
    for (; i < file.rows.size() && file.rows[i].point == first.point; ++i) {
      runs += file.rows[i].error.empty() ? 1 : 0;
      for (const auto& [name, value] : file.rows[i].figures) {
        for (std::size_t c = 0; c < columns.size(); ++c) sums[c] += name == columns[c] ? value : 0;
      }
    }
    if (runs == 0) continue;
    print(fmt::format("{:>10.2f} {:>10.1f} {:>10.2f} {:>7.1f}  {}\n", 100 * sums[0] / runs,
                      sums[1] / runs, sums[2] / runs, 100 * sums[3] / runs,
                      values_of(first.values)));
  }
}

int sweep_command(const SweepArguments& options) {
  Faults faults;
  check_outputs({{"--out", options.out}}, {options.sweep}, faults);
  SweepOptions sweep;
  sweep.shard = parse_shard(options.shard, faults);
  SweepSpec spec;
  try {
    spec = load_sweep(options.sweep);
  } catch (const ConfigError& error) {
    faults.append(error);
  }
  faults.throw_if_any();
  sweep.jobs = options.jobs;
  sweep.journal = options.out + ".journal";
  sweep.resume = options.resume;
  const Interrupt interrupt;
  sweep.stop = interrupt.token();
  std::optional<SweepResult> result;
  {
    Progress bar("sweeping");
    std::uint64_t done_so_far = 0;
    sweep.progress = [&](std::uint64_t done, std::uint64_t, std::uint64_t all) {
      done_so_far = done;
      bar.update(static_cast<double>(done) / static_cast<double>(all));
    };
    result = run_sweep(std::move(spec), sweep);
    if (!result) {
      throw NoAnswer(
          fmt::format("interrupted with {} items finished; go on with: --resume", done_so_far));
    }
  }
  const SweepFile file = sweep_file_of(*result);
  write_sweep_file(options.out, file);
  finish_sweep(sweep);
  print_points(file);
  print_findings(file);
  const auto failed = std::count_if(file.rows.begin(), file.rows.end(),
                                    [](const SweepRow& row) { return !row.error.empty(); });
  print(fmt::format("{}: {} runs of {} points, {} failed\n", options.out, file.rows.size(),
                    file.points, failed));
  if (failed > 0 && failed == static_cast<std::ptrdiff_t>(file.rows.size())) {
    throw NoAnswer("every run failed");
  }
  return kDone;
}

int merge(const std::vector<std::string>& inputs, const std::string& out) {
  Faults faults;
  check_outputs({{"--out", out}}, inputs, faults);
  faults.throw_if_any();
  const SweepFile file = merge_sweep_files(inputs);
  write_sweep_file(out, file);
  print_findings(file);
  print(fmt::format("{}: {} runs of {} points\n", out, file.rows.size(), file.points));
  return kDone;
}

}  // namespace

Action add_sweep(CLI::App& app) {
  const auto options = std::make_shared<SweepArguments>();
  app.add_option("SWEEP", options->sweep, "sweep file (JSON; docs/reference/sweep.md)")->required();
  app.add_option("--out", options->out, "write the result (HDF5)")->required();
  app.add_option("--jobs", options->jobs, "runs at a time; default: one per core")
      ->check(CLI::Range(1, 1024));
  app.add_option("--shard", options->shard, "only part I of N (I/N), to merge later");
  app.add_flag("--resume", options->resume, "go on with what an interrupted sweep finished");
  return [options] { return sweep_command(*options); };
}

Action add_merge(CLI::App& app) {
  const auto inputs = std::make_shared<std::vector<std::string>>();
  const auto out = std::make_shared<std::string>();
  app.add_option("RESULT", *inputs, "the results of all shards of one sweep")->required();
  app.add_option("--out", *out, "write the whole result (HDF5)")->required();
  return [inputs, out] { return merge(*inputs, *out); };
}

}  // namespace tangram::cli
