// tangram profile measure: runs models on a device and stores what they cost.
#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "profiles/profile_io.h"
#include "sim/results/table.h"
#include "validate/validation.h"
#include "validate/worker_device.h"

namespace tangram::cli {
namespace {

struct MeasureArguments {
  MeasurePlan plan;
  std::string backend = "cpu", out, gpu;
  std::vector<std::string> one_by_one, one_pair, one_hog;  // names that may hold commas
  HogSettings hogs;
  std::vector<double> shares;  // percent
  std::vector<int> sms;
  PairArguments pairs;
  EngineSettings engine;
};

// What is wrong with the request, all of it, before anything runs.
void check(MeasureArguments& options) {
  Faults faults;
  check_outputs({{"--out", options.out}}, {}, faults);
  options.plan.models.insert(options.plan.models.end(), options.one_by_one.begin(),
                             options.one_by_one.end());
  options.pairs.models.insert(options.pairs.models.end(), options.one_pair.begin(),
                              options.one_pair.end());
  options.plan.hogs.insert(options.plan.hogs.end(), options.one_hog.begin(), options.one_hog.end());
  if (options.shares.empty() && options.sms.empty()) options.shares = {100};
  options.plan.shares.clear();
  for (const double percent : options.shares) {
    options.plan.shares.push_back(percent == 100 ? Share{} : Share{ShareKind::kPercent, percent});
  }
  for (const int sms : options.sms) {
    options.plan.shares.push_back({ShareKind::kSms, static_cast<double>(sms)});
  }
  check_plan(options.plan, faults);
  read_pairs(options.pairs, options.plan, faults);
  if (find_gpu_type(options.gpu) == nullptr) {
    faults.add("--gpu " + options.gpu, unknown_name("GPU type", options.gpu, gpu_type_names()));
  }
  faults.throw_if_any();
}

std::string profiles_table(const std::vector<Profile>& profiles) {
  TextTable table({"model, share, batch", "mean ms", "median ms", "MAD %", "outliers", "samples",
                   "used %", "DRAM %", "W"});
  for (const Profile& profile : profiles) {
    for (const LatencyPoint& point : profile.points) {
      const SampleSummary s = summarize_samples(point.samples_ms);
      table.add({fmt::format("{}, {}, {}", profile.model, to_string(point.share), point.batch),
                 fmt::format("{:.4g}", s.mean), fmt::format("{:.4g}", s.median),
                 fmt::format("{:.2f}", 100 * s.mad / s.median), std::to_string(s.outliers),
                 std::to_string(point.samples_ms.size()),
                 point.sm_occupancy ? fmt::format("{:.0f}", 100 * *point.sm_occupancy) : "",
                 point.dram_utilisation ? fmt::format("{:.0f}", 100 * *point.dram_utilisation) : "",
                 point.power_w ? fmt::format("{:.0f}", *point.power_w) : ""});
    }
  }
  std::string text = table.text();
  for (const Profile& profile : profiles) {
    for (const CoRun& run : profile.co_runs) {
      text += fmt::format(
          "{} batch {} on {:g} % beside {} batch {} on {:g} %: {:.3f} times as "
          "long as alone\n",
          profile.model, run.batch, run.share_pct, run.other, run.other_batch, run.other_share_pct,
          run.slowdown);
    }
  }
  for (const Profile& profile : profiles) {
    std::map<std::uint32_t, std::pair<std::size_t, double>> lists;  // by batch: kernels, ms
    for (const Kernel& kernel : profile.kernels) {
      ++lists[kernel.batch].first;
      lists[kernel.batch].second += kernel.duration_us / 1e3;
    }
    for (const auto& [batch, list] : lists) {
      text += fmt::format("{} batch {}: {} kernels, together {:.4g} ms\n", profile.model, batch,
                          list.first, list.second);
    }
  }
  return text;
}

int measure_command(MeasureArguments options) {
  options.plan.gpu = options.gpu;
  options.plan.date = utc_now();
  options.plan.command = command_line();
  check(options);
  const Interrupt interrupt;
  options.hogs.names = options.plan.hogs;
  MeasuredWorkers device(options.backend, options.engine, options.plan.models, options.hogs);
  const std::string journal_path = options.out + ".journal";
  Json key = key_of(options.plan);
  key["backend"] = options.backend;
  key["runner"] = options.engine.runner;
  key["models_folder"] = options.engine.models;
  key["hog_runner"] = options.hogs.runner;
  MeasureJournal journal(journal_path, key);
  if (journal.size() > 0) {
    print_note(
        fmt::format("going on with {}, which holds {} visits", journal_path, journal.size()));
  }
  std::vector<Profile> profiles;
  {
    Progress bar("measuring");
    profiles = measure(device, options.plan, journal, [&](double share) {
      if (interrupt.pending()) {
        throw NoAnswer("interrupted; give the same command again to go on from " + journal_path);
      }
      bar.update(share);
    });
  }
  write_profile_store(options.out, profiles);
  journal.remove();
  for (const std::string& note : device.notes()) print_note(note);
  print(profiles_table(profiles));
  return kDone;
}

}  // namespace

Action add_measure(CLI::App& app) {
  const auto options = std::make_shared<MeasureArguments>();
  MeasurePlan& plan = options->plan;
  options->gpu = "cpu";
  app.add_option("--backend", options->backend, "the device; describe backends lists them");
  app.add_option("--models", plan.models, "names, as a,b,c")->delimiter(',');
  app.add_option("--model", options->one_by_one, "one name, whatever is in it; repeatable")
      ->allow_extra_args(false);
  app.add_option("--batches", plan.batches, "batch sizes, as 1,2,4,8")->delimiter(',');
  app.add_option("--shares", options->shares,
                 "shares of the device in percent, as 100,50; default 100, or none beside --sms")
      ->delimiter(',');
  app.add_option("--sms", options->sms, "numbers of SMs, as 16,32,64")->delimiter(',');
  app.add_option("--pairs", options->pairs.models,
                 "models to measure beside each other, as A+B,A+C")
      ->delimiter(',');
  app.add_option("--pair", options->one_pair, "one pair, whatever is in its names; repeatable")
      ->allow_extra_args(false);
  app.add_option("--hogs", plan.hogs,
                 "synthetic neighbours for --pairs MODEL+HOG, of which nothing else is measured")
      ->delimiter(',');
  app.add_option("--hog", options->one_hog, "one hog, whatever is in its name; repeatable")
      ->allow_extra_args(false);
  app.add_option("--hog-runner", options->hogs.runner,
                 "what runs them; default: native, or kernels on a GPU");
  app.add_option(
         "--kernels", plan.kernel_batches,
         "batches whose kernels are listed (CUPTI), as 1,8; default on a GPU, without pairs: 1 and "
         "8, as far as --batches has them")
      ->delimiter(',');
  app.add_option("--pair-batches", options->pairs.batches,
                 "their batches, as 4/32,32/4; default: equal ones, as --batches says")
      ->delimiter(',');
  app.add_option("--pair-shares", options->pairs.shares,
                 "their percents of the device, as 20/80,50/50; default: 50/50")
      ->delimiter(',');
  app.add_option("--repetitions", plan.repetitions, "samples of each point, at least")
      ->check(CLI::Range(5, 100000));
  app.add_option("--min-time", plan.min_time_s, "seconds of running for each point, at least")
      ->check(CLI::Range(0.0, 3600.0));
  app.add_option("--gpu", options->gpu, "GPU type that the profiles are for; default: cpu");
  app.add_option("--out", options->out, "profile store to write (HDF5)")->required();
  app.add_option("--runner", options->engine.runner, "what runs the models");
  app.add_option("--models-folder", options->engine.models,
                 "folder of exported models, for the runner torch");
  app.add_option("--cores", options->engine.cores, "CPU cores for partitions, as 1,2,3")
      ->delimiter(',');
  app.add_option("--dispatcher-core", options->engine.dispatcher_core,
                 "CPU core of the measuring thread");
  const CLI::Option* const kernels = app.get_option("--kernels");
  return [options, kernels] {
    const bool has_pairs = !options->pairs.models.empty() || !options->one_pair.empty();
    if (kernels->count() == 0 && !has_pairs && options->backend.starts_with("cuda-")) {
      for (const std::uint32_t batch : {1U, 8U}) {
        const std::vector<std::uint32_t>& batches = options->plan.batches;
        if (std::find(batches.begin(), batches.end(), batch) != batches.end()) {
          options->plan.kernel_batches.push_back(batch);
        }
      }
    }
    return measure_command(*options);
  };
}

}  // namespace tangram::cli
