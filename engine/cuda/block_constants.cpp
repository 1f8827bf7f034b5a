#include "engine/cuda/block_constants.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/cuda/partition.h"

namespace tangram {
namespace {

using Steady = std::chrono::steady_clock;
using Interval = std::pair<std::uint64_t, std::uint64_t>;  // of the device's clock, ns

double us_since(Steady::time_point begin) {
  return std::chrono::duration<double, std::micro>(Steady::now() - begin).count();
}

Json spread(std::vector<double> values) {
  std::ranges::sort(values);
  const auto rank = [&](double q) {
    const auto n = static_cast<double>(values.size());
    return values[static_cast<std::size_t>(std::max(std::ceil(q * n), 1.0)) - 1];
  };
  return {{"median", rank(0.5)},
          {"p90", rank(0.9)},
          {"least", values.front()},
          {"samples", values.size()}};
}

// Start and end of kernels on the device's clock, as tangram_stamp leaves them.
class Stamps {
 public:
  Stamps(const CudaDriver& driver, CUstream stream, std::size_t count)
      : driver_(driver),
        stream_(stream),
        values_(2 * count),
        memory_(device_memory(driver, bytes())) {
    for (std::size_t i = 0; i < count; ++i) {
      values_[2 * i] = std::numeric_limits<std::uint64_t>::max();
    }
    check(driver_, driver_.MemcpyHtoDAsync(memory_.get(), values_.data(), bytes(), stream_),
          "cuMemcpyHtoDAsync");
    check(driver_, driver_.StreamSynchronize(stream_), "cuStreamSynchronize");
  }
  CUdeviceptr at(std::size_t i) const { return memory_.get() + 2 * i * sizeof(std::uint64_t); }
  // Requires: the kernels have ended.
  std::vector<Interval> read() {
    check(driver_, driver_.MemcpyDtoHAsync(values_.data(), memory_.get(), bytes(), stream_),
          "cuMemcpyDtoHAsync");
    check(driver_, driver_.StreamSynchronize(stream_), "cuStreamSynchronize");
    std::vector<Interval> intervals;
    for (std::size_t i = 0; i < values_.size(); i += 2) {
      intervals.emplace_back(values_[i], values_[i + 1]);
    }
    return intervals;
  }

 private:
  std::size_t bytes() const { return values_.size() * sizeof(std::uint64_t); }
  const CudaDriver& driver_;
  CUstream stream_;
  std::vector<std::uint64_t> values_;
  DeviceMemory memory_;
};

double span_us(const std::vector<Interval>& intervals) {
  const auto first = std::ranges::min(intervals, {}, &Interval::first).first;
  const auto last = std::ranges::max(intervals, {}, &Interval::second).second;
  return static_cast<double>(last - first) / 1e3;
}

// A number that the host and the device both see.
class SharedNumber {
 public:
  explicit SharedNumber(const CudaDriver& driver)
      : memory_(pinned_memory(driver, kLine)), view_(device_view(driver, memory_)) {
    write(0);
  }
  CUdeviceptr view() const { return view_; }
  void write(std::uint32_t value) { number().store(value, std::memory_order_release); }
  // Spins. Throws RunnerError when the device does not answer.
  void wait_for(std::uint32_t value) {
    const auto give_up = Steady::now() + std::chrono::seconds(5);
    while (number().load(std::memory_order_acquire) != value) {
      if (Steady::now() > give_up) {
        throw RunnerError(RunnerFault::kDeviceLost, "a kernel did not answer for 5 s");
      }
    }
  }

 private:
  static constexpr std::size_t kLine = 64;
  std::atomic_ref<std::uint32_t> number() const {
    return std::atomic_ref<std::uint32_t>(*static_cast<std::uint32_t*>(memory_.get()));
  }
  PinnedMemory memory_;
  CUdeviceptr view_;
};

class Bench {
 public:
  Bench(const CudaDriver& driver, KernelImage image, CUdevice device, const BenchSizes& sizes)
      : driver_(driver),
        device_(device),
        sizes_(sizes),
        module_(driver, image),
        empty_(module_.function("tangram_empty")),
        spin_(module_.function("tangram_spin")),
        stamp_(module_.function("tangram_stamp")),
        scratch_(device_memory(driver, 4096)),
        stream_(make_stream(driver)) {
    for (unsigned i = 0; i < std::max(sizes.jobs, sizes.grids); ++i) {
      streams_.push_back(make_stream(driver));
    }
    launch(driver_, empty_, {}, stream_.get(), {});  // loads what is loaded lazily
    wait();
  }

  Json measure() {
    Json json;
    json["launch_us"] = repeated([&] { return launch_us(); });
    json["back_to_back_us"] = repeated([&] { return back_to_back_us(); });
    json["gap_us"] = repeated([&] { return gap_us(); });
    json["launch_to_flag_us"] = launch_to_flag();
    json["round_trip_us"] = repeated([&] { return round_trip_us(); });
    json["synchronize_us"] = repeated([&] { return synchronize_us(); });
    if (driver_.has_green_contexts()) {
      json["partition_us"] = repeated([&] { return partition_us(); });
    }
    add_waves(json);
    json["grids"] = grids();
    json["queues"] = queues();
    return json;
  }

 private:
  static constexpr LaunchShape kOneBlock{1, 32, 0};
  static constexpr std::uint64_t kGateNs = 10'000'000;

  void wait() { check(driver_, driver_.StreamSynchronize(stream_.get()), "cuStreamSynchronize"); }

  template <typename Measure>
  Json repeated(Measure measure) {
    measure();  // warms up
    std::vector<double> values;
    for (unsigned i = 0; i < sizes_.repetitions; ++i) values.push_back(measure());
    return spread(std::move(values));
  }

  // Keeps the stream busy until everything behind it has been submitted.
  void gate() { spin(kGateNs); }
  void spin(std::uint64_t ns) {
    const CUdeviceptr scratch = scratch_.get();
    launch(driver_, spin_, kOneBlock, stream_.get(), {&ns, &scratch});
  }
  // Lets no stream start before the gate opens.
  void gate_all() {
    gate();
    const CudaEvent open = make_event(driver_);
    check(driver_, driver_.EventRecord(open.get(), stream_.get()), "cuEventRecord");
    for (const CudaStream& stream : streams_) {
      check(driver_, driver_.StreamWaitEvent(stream.get(), open.get(), 0), "cuStreamWaitEvent");
    }
  }
  void wait_all() {
    for (const CudaStream& stream : streams_) {
      check(driver_, driver_.StreamSynchronize(stream.get()), "cuStreamSynchronize");
    }
  }
  void stamp(const Stamps& stamps,
             std::size_t index,
             double us,
             CUstream stream,
             const LaunchShape& shape = kOneBlock) {
    const auto ns = static_cast<std::uint64_t>(us * 1e3);
    const CUdeviceptr out = stamps.at(index);
    launch(driver_, stamp_, shape, stream, {&ns, &out});
  }

  double launch_us() {
    const auto begin = Steady::now();
    for (unsigned i = 0; i < sizes_.launches; ++i) launch(driver_, empty_, {}, stream_.get(), {});
    const double us = us_since(begin) / sizes_.launches;
    wait();
    return us;
  }

  double back_to_back_us() {
    const CudaEvent begin = make_event(driver_);
    const CudaEvent end = make_event(driver_);
    gate();
    check(driver_, driver_.EventRecord(begin.get(), stream_.get()), "cuEventRecord");
    for (unsigned i = 0; i < sizes_.launches; ++i) launch(driver_, empty_, {}, stream_.get(), {});
    check(driver_, driver_.EventRecord(end.get(), stream_.get()), "cuEventRecord");
    wait();
    float ms = 0;
    check(driver_, driver_.EventElapsedTime(&ms, begin.get(), end.get()), "cuEventElapsedTime");
    return static_cast<double>(ms) * 1e3 / sizes_.launches;
  }

  // The device's clock may tick coarsely: the mean of many gaps is finer than a tick.
  double gap_us() {
    constexpr double kKernelUs = 5;
    Stamps stamps(driver_, stream_.get(), sizes_.launches);
    gate();
    for (unsigned i = 0; i < sizes_.launches; ++i) stamp(stamps, i, kKernelUs, stream_.get());
    wait();
    const std::vector<Interval> kernels = stamps.read();
    double sum = 0;
    for (std::size_t i = 1; i < kernels.size(); ++i) {
      sum += static_cast<double>(kernels[i].first) - static_cast<double>(kernels[i - 1].second);
    }
    return sum / 1e3 / static_cast<double>(kernels.size() - 1);
  }

  Json launch_to_flag() {
    const CUfunction flag = module_.function("tangram_flag");
    SharedNumber number(driver_);
    const CUdeviceptr view = number.view();
    std::vector<double> values;
    for (std::uint32_t i = 1; i <= sizes_.launches; ++i) {
      const auto begin = Steady::now();
      launch(driver_, flag, {}, stream_.get(), {&view, &i});
      number.wait_for(i);
      values.push_back(us_since(begin));
    }
    wait();
    return spread(std::move(values));
  }

  double round_trip_us() {
    constexpr std::uint64_t kTimeoutNs = 5'000'000'000;
    SharedNumber to_device(driver_), to_host(driver_);
    const CUdeviceptr from = to_device.view(), to = to_host.view();
    const std::uint32_t rounds = sizes_.launches;
    launch(driver_, module_.function("tangram_ping_pong"), {}, stream_.get(),
           {&from, &to, &rounds, &kTimeoutNs});
    to_device.write(1);
    to_host.wait_for(1);  // the kernel runs
    const auto begin = Steady::now();
    for (std::uint32_t i = 2; i <= rounds; ++i) {
      to_device.write(i);
      to_host.wait_for(i);
    }
    const double us = us_since(begin) / (rounds - 1);
    wait();
    return us;
  }

  double synchronize_us() {
    const auto begin = Steady::now();
    launch(driver_, empty_, {}, stream_.get(), {});
    wait();
    return us_since(begin);
  }

  double partition_us() {
    const double half = device_sms(driver_, device_) / 2.0;
    const auto begin = Steady::now();
    const auto partitions = make_green_partitions(driver_, device_, {half, half});
    return us_since(begin);
  }

  // Spans of 1 to 8 full waves of equal blocks, and the slope of a line through them.
  void add_waves(Json& json) {
    constexpr unsigned kThreads = 256, kMostWaves = 8;
    constexpr double kBlockUs = 100;
    int per_sm = 0;
    check(driver_, driver_.OccupancyMaxActiveBlocksPerMultiprocessor(&per_sm, stamp_, kThreads, 0),
          "cuOccupancyMaxActiveBlocksPerMultiprocessor");
    const int sms = attribute(driver_, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device_);
    const auto wave = static_cast<unsigned>(per_sm * sms);
    double sum_w = 0, sum_s = 0, sum_ws = 0, sum_ww = 0;
    json["block_us"] = kBlockUs;
    json["blocks_of_wave"] = wave;
    for (unsigned waves = 1; waves <= kMostWaves; ++waves) {
      Stamps stamps(driver_, stream_.get(), 1);
      stamp(stamps, 0, kBlockUs, stream_.get(), {waves * wave, kThreads, 0});
      const double span = span_us(stamps.read());
      json["waves"].push_back({{"waves", waves}, {"span_us", span}});
      sum_w += waves;
      sum_s += span;
      sum_ws += waves * span;
      sum_ww += waves * waves;
    }
    json["wave_us"] = (kMostWaves * sum_ws - sum_w * sum_s) / (kMostWaves * sum_ww - sum_w * sum_w);
  }

  Json grids() {
    constexpr double kKernelUs = 2000;
    Stamps stamps(driver_, stream_.get(), sizes_.grids);
    gate_all();
    for (unsigned i = 0; i < sizes_.grids; ++i) stamp(stamps, i, kKernelUs, streams_[i].get());
    wait_all();
    const std::vector<Interval> kernels = stamps.read();
    return {{"started", sizes_.grids},
            {"kernel_us", kKernelUs},
            {"span_us", span_us(kernels)},
            {"most_at_once", most_at_once(kernels)}};
  }

  double jobs_span_us(bool job_by_job) {
    const unsigned jobs = sizes_.jobs, kernels = sizes_.kernels_of_job;
    Stamps stamps(driver_, stream_.get(), std::size_t{jobs} * kernels);
    gate_all();
    for (unsigned i = 0; i < jobs * kernels; ++i) {
      const unsigned job = job_by_job ? i / kernels : i % jobs;
      stamp(stamps, i, sizes_.job_kernel_us, streams_[job].get());
    }
    wait_all();
    return span_us(stamps.read());
  }

  Json queues() {
    const double t = sizes_.job_kernel_us;
    const double by_job = jobs_span_us(true);
    const double by_kernel = jobs_span_us(false);
    const double queues = sizes_.jobs * (sizes_.kernels_of_job - 1) * t / (by_job - t);
    return {{"jobs", sizes_.jobs},
            {"kernels_of_job", sizes_.kernels_of_job},
            {"kernel_us", t},
            {"span_job_by_job_us", by_job},
            {"span_kernel_by_kernel_us", by_kernel},
            {"hardware_queues", queues}};
  }

  const CudaDriver& driver_;
  CUdevice device_;
  BenchSizes sizes_;
  KernelModule module_;
  CUfunction empty_, spin_, stamp_;
  DeviceMemory scratch_;
  CudaStream stream_;
  std::vector<CudaStream> streams_;
};

}  // namespace

Json measure_block_constants(const CudaDriver& driver,
                             KernelImage image,
                             int ordinal,
                             const BenchSizes& sizes) {
  CUdevice device = 0;
  check(driver, driver.DeviceGet(&device, ordinal), "cuDeviceGet");
  const PrimaryContext primary(driver, device);
  check(driver, driver.CtxSetCurrent(primary.get()), "cuCtxSetCurrent");
  return Bench(driver, image, device, sizes).measure();
}

unsigned most_at_once(const std::vector<Interval>& intervals) {
  std::vector<std::pair<std::uint64_t, int>> changes;
  for (const auto& [first, last] : intervals) {
    changes.emplace_back(first, 1);
    changes.emplace_back(last, -1);
  }
  std::ranges::sort(changes);  // at one instant, ends come first
  int now = 0, most = 0;
  for (const auto& [instant, change] : changes) {
    now += change;
    most = std::max(most, now);
  }
  return static_cast<unsigned>(most);
}

}  // namespace tangram
