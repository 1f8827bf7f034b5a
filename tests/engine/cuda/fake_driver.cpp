#include "tests/engine/cuda/fake_driver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace tangram::fake {
namespace {

using Sms = std::set<unsigned>;
constexpr CUresult kLost = CUDA_ERROR_ILLEGAL_ADDRESS;

// What a split writes where only the driver looks, inside the resource.
struct Token {
  std::uint32_t split = 0;  // 0: the whole device
  std::array<std::uint64_t, 4> mask{};
};
static_assert(sizeof(Token) <= sizeof(CUdevResource::_internal_padding));

Token token_of(const CUdevResource& resource) {
  Token token;
  std::memcpy(&token, resource._internal_padding, sizeof token);
  return token;
}

CUdevResource resource_of(std::uint32_t split, const Sms& sms) {
  Token token{split, {}};
  for (const unsigned sm : sms) token.mask[sm / 64] |= std::uint64_t{1} << sm % 64;
  CUdevResource resource{};
  resource.type = CU_DEV_RESOURCE_TYPE_SM;
  std::memcpy(resource._internal_padding, &token, sizeof token);
  resource.sm.smCount = static_cast<unsigned>(sms.size());
  return resource;
}

Sms sms_of(const CUdevResource& resource) {
  const Token token = token_of(resource);
  Sms sms;
  for (unsigned sm = 0; sm < 256; ++sm) {
    if ((token.mask[sm / 64] >> sm % 64 & 1) != 0) sms.insert(sm);
  }
  return sms;
}

struct Green {
  Sms sms;
};
struct Stream;
struct Graph {
  std::vector<std::function<CUresult(Stream&)>> nodes;
};
struct Stream {
  Sms sms;
  int priority = 0;
  unsigned queue = 0;
  double end_ns = 0;  // of the last thing in it
  Graph* capture = nullptr;
  bool green = false;
};
struct Event {
  double ns = 0;
};
struct Kernel {
  std::string name;
};
struct Context {
  unsigned sms = 0;
};

}  // namespace

struct Driver::State {
  explicit State(Settings s) : settings(std::move(s)), primary{settings.sms} {}

  Settings settings;
  mutable std::mutex mutex;
  Context primary;
  std::vector<Launch> launches;
  bool lost = false;
  std::uint32_t splits = 0;
  unsigned streams = 0;
  std::size_t objects = 0;
  std::map<CUdeviceptr, std::pair<std::unique_ptr<char[]>, std::size_t>> memory;
  std::map<CUdevResourceDesc, Sms> descriptions;
  std::map<std::string, std::unique_ptr<Kernel>> kernels;
  std::map<unsigned, double> queue_free_ns;
  std::multiset<double> running;      // ends of resident grids
  std::vector<std::jthread> answers;  // ping-pong kernels

  std::size_t used() const {
    std::size_t sum = 0;
    for (const auto& [at, block] : memory) sum += block.second;
    return sum;
  }
  Sms all_sms() const {
    Sms sms;
    for (unsigned i = 0; i < settings.sms * settings.mps_percentage / 100; ++i) sms.insert(i);
    return sms;
  }

  // When a grid starts and ends: after its stream, after the full dispatch of what went into its
  // hardware queue before it, and when there is room for one more grid.
  std::pair<double, double> place(
      Stream& stream, unsigned grid, unsigned block, double block_ns, std::size_t sms) {
    double start = stream.end_ns + settings.gap_ns;
    start = std::max(start, queue_free_ns[stream.queue]);
    running.erase(running.begin(), running.upper_bound(start));
    while (running.size() >= settings.resident_grids) {
      start = std::max(start, *running.begin());
      running.erase(running.begin());
    }
    const double room = static_cast<double>(sms) * std::min(2048U / block, 32U);
    const double waves = std::ceil(grid / room);
    const double end = start + waves * block_ns;
    queue_free_ns[stream.queue] = end - block_ns;
    running.insert(end);
    stream.end_ns = end;
    return {start, end};
  }
};

namespace {

// The entry points of a driver are plain functions.
Driver::State* current = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// Every call after the device was lost fails.
template <typename Call>
CUresult guarded(Call call) {
  const std::lock_guard lock(current->mutex);
  return current->lost ? kLost : call(*current);
}

template <typename Handle, typename Object>
void give(Handle* handle, Object* object) {
  *handle = reinterpret_cast<Handle>(object);
  ++current->objects;
}
// Releases work on a lost device, too: tests look for leaks.
template <typename Object, typename Handle>
CUresult release(Handle handle) {
  const std::lock_guard lock(current->mutex);
  delete reinterpret_cast<Object*>(handle);
  --current->objects;
  return CUDA_SUCCESS;
}

template <typename Value>
Value argument(void** arguments, int index) {
  Value value;
  std::memcpy(&value, arguments[index], sizeof value);
  return value;
}
template <typename Value>
Value* at(CUdeviceptr address) {
  return reinterpret_cast<Value*>(address);  // device memory is host memory here
}

// What one kernel does, with its arguments taken when it was launched.
struct Work {
  double block_ns = 1000;
  std::function<void(double start, double end, const Sms& sms)> effect;
};

Work stamp_work(void** arguments) {
  auto* const out = at<unsigned long long>(argument<CUdeviceptr>(arguments, 1));
  return {static_cast<double>(argument<std::uint64_t>(arguments, 0)),
          [out](double start, double end, const Sms&) {
            out[0] = std::min(out[0], static_cast<unsigned long long>(start));
            out[1] = std::max(out[1], static_cast<unsigned long long>(end));
          }};
}

Work smid_work(void** arguments, unsigned leaking) {
  auto* const counts = at<std::uint32_t>(argument<CUdeviceptr>(arguments, 0));
  return {static_cast<double>(argument<std::uint64_t>(arguments, 1)),
          [counts, leaking](double, double, const Sms& sms) {
            for (const unsigned sm : sms) ++counts[sm];
            for (unsigned i = 0; i < leaking; ++i) ++counts[(*sms.rbegin() + 1 + i) % 256];
          }};
}

Work ping_pong_work(void** arguments) {
  const auto* const from = at<volatile std::uint32_t>(argument<CUdeviceptr>(arguments, 0));
  auto* const to = at<volatile std::uint32_t>(argument<CUdeviceptr>(arguments, 1));
  const auto rounds = argument<std::uint32_t>(arguments, 2);
  return {1000, [from, to, rounds](double, double, const Sms&) {
            current->answers.emplace_back([from, to, rounds](const std::stop_token& stop) {
              for (std::uint32_t i = 1; i <= rounds; ++i) {
                while (*from != i && !stop.stop_requested()) std::this_thread::yield();
                *to = i;
              }
            });
          }};
}

Work work_of(const std::string& kernel, void** arguments, const Driver::State& state) {
  if (kernel.starts_with("tangram_spin")) {
    return {static_cast<double>(argument<std::uint64_t>(arguments, 0)), {}};
  }
  if (kernel == "tangram_stamp") return stamp_work(arguments);
  if (kernel == "tangram_smid") return smid_work(arguments, state.settings.leaking_sms);
  if (kernel == "tangram_ping_pong") return ping_pong_work(arguments);
  if (kernel == "tangram_flag") {
    auto* const flag = at<std::uint32_t>(argument<CUdeviceptr>(arguments, 0));
    const auto value = argument<std::uint32_t>(arguments, 1);
    return {1000, [flag, value](double, double, const Sms&) { *flag = value; }};
  }
  return {};
}

CUresult run_kernel(const Launch& launch, const Work& work, Stream& stream) {
  Driver::State& state = *current;
  state.launches.push_back(launch);
  state.launches.back().sms = stream.sms;
  state.launches.back().priority = stream.priority;
  if (state.settings.lost_at_launch == state.launches.size()) state.lost = true;
  if (state.lost) return kLost;
  const auto [start, end] =
      state.place(stream, launch.grid, launch.block, work.block_ns, stream.sms.size());
  if (work.effect) work.effect(start, end, stream.sms);
  return CUDA_SUCCESS;
}

CUresult launch_kernel(CUfunction function,
                       unsigned grid,
                       unsigned,
                       unsigned,
                       unsigned block,
                       unsigned,
                       unsigned,
                       unsigned shared_memory,
                       CUstream handle,
                       void** arguments,
                       void**) {
  return guarded([&](Driver::State& state) -> CUresult {
    if (grid == 0 || block == 0 || block > 1024) return CUDA_ERROR_INVALID_VALUE;
    const std::string& name = reinterpret_cast<Kernel*>(function)->name;
    Launch launch{name, grid, block, shared_memory, {}, 0, false};
    const Work work = work_of(name, arguments, state);
    Stream& stream = *reinterpret_cast<Stream*>(handle);
    if (stream.capture == nullptr) return run_kernel(launch, work, stream);
    launch.from_graph = true;
    stream.capture->nodes.push_back(
        [launch, work](Stream& replay) { return run_kernel(launch, work, replay); });
    return CUDA_SUCCESS;
  });
}

CUresult copy(void* to, const void* from, std::size_t bytes, CUstream handle) {
  return guarded([&](Driver::State&) -> CUresult {
    Stream& stream = *reinterpret_cast<Stream*>(handle);
    const auto node = [to, from, bytes](Stream&) -> CUresult {
      std::memcpy(to, from, bytes);
      return CUDA_SUCCESS;
    };
    if (stream.capture == nullptr) return node(stream);
    stream.capture->nodes.emplace_back(node);
    return CUDA_SUCCESS;
  });
}

CUresult new_stream(CUstream* handle, const Sms& sms, int priority, bool green) {
  Stream* const stream = new Stream;
  stream->sms = sms;
  stream->priority = priority;
  stream->green = green;
  stream->queue = current->streams++ % current->settings.hardware_queues;
  give(handle, stream);
  return CUDA_SUCCESS;
}

CUresult split(CUdevResource* result,
               unsigned* groups,
               const CUdevResource* input,
               CUdevResource* remaining,
               unsigned flags,
               unsigned minimum) {
  return guarded([&](Driver::State& state) -> CUresult {
    const bool is_fine = (flags & CU_DEV_SM_RESOURCE_SPLIT_IGNORE_SM_COSCHEDULING) != 0;
    const int major = is_fine ? 7 : state.settings.compute_major;
    const unsigned least = major >= 9 ? 8 : major == 8 ? 4 : 2;
    const unsigned step = major >= 9 ? 8 : 2;
    if (input->type != CU_DEV_RESOURCE_TYPE_SM) return CUDA_ERROR_INVALID_RESOURCE_TYPE;
    // The outputs of a split cannot be split again.
    if (token_of(*input).split != 0) return CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION;
    if (minimum > input->sm.smCount) return CUDA_ERROR_INVALID_VALUE;
    const unsigned size = std::max(least, (minimum + step - 1) / step * step);
    const unsigned most = input->sm.smCount / size;
    if (result == nullptr) {
      *groups = most;
      return CUDA_SUCCESS;
    }
    *groups = std::min(*groups, most);
    const std::uint32_t id = ++state.splits;
    const Sms all = sms_of(*input);
    auto sm = all.begin();
    for (unsigned i = 0; i < *groups; ++i) {
      const auto end = std::next(sm, size);
      result[i] = resource_of(id, {sm, end});
      sm = end;
    }
    if (remaining != nullptr) {
      *remaining = sm == all.end() ? CUdevResource{} : resource_of(id, {sm, all.end()});
    }
    return CUDA_SUCCESS;
  });
}

CUresult describe_resources(CUdevResourceDesc* description, CUdevResource* parts, unsigned count) {
  return guarded([&](Driver::State& state) -> CUresult {
    Sms sms;
    for (unsigned i = 0; i < count; ++i) {
      // Several resources must come from one split.
      if (token_of(parts[i]).split != token_of(parts[0]).split) {
        return CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION;
      }
      const Sms more = sms_of(parts[i]);
      if (std::ranges::any_of(more, [&](unsigned sm) { return sms.contains(sm); })) {
        return CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION;
      }
      sms.insert(more.begin(), more.end());
    }
    *description = reinterpret_cast<CUdevResourceDesc>(state.descriptions.size() + 1);
    state.descriptions[*description] = sms;
    return CUDA_SUCCESS;
  });
}

CUresult create_green(CUgreenCtx* context,
                      CUdevResourceDesc description,
                      CUdevice,
                      unsigned flags) {
  return guarded([&](Driver::State& state) -> CUresult {
    // The flag is required (CUgreenCtxCreate_flags).
    if ((flags & CU_GREEN_CTX_DEFAULT_STREAM) == 0) return CUDA_ERROR_INVALID_VALUE;
    if (state.settings.contexts_fail) return CUDA_ERROR_OUT_OF_MEMORY;
    Sms sms = state.descriptions.at(description);
    if (sms.size() >= state.settings.withhold_from) {
      for (unsigned i = 0; i < state.settings.withheld_sms; ++i) sms.erase(*sms.rbegin());
    }
    give(context, new Green{sms});
    return CUDA_SUCCESS;
  });
}

void add_device(CudaDriver& t) {
  t.Init = [](unsigned) { return CUDA_SUCCESS; };
  t.DriverGetVersion = [](int* version) {
    *version = 13000;
    return CUDA_SUCCESS;
  };
  t.GetErrorName = [](CUresult result, const char** name) {
    *name = result == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
            : result == kLost                  ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                                               : nullptr;
    return CUDA_SUCCESS;
  };
  t.GetErrorString = [](CUresult result, const char** text) {
    *text = result == CUDA_ERROR_OUT_OF_MEMORY ? "out of memory" : nullptr;
    return CUDA_SUCCESS;
  };
  t.DeviceGetCount = [](int* count) {
    *count = static_cast<int>(current->settings.devices);
    return CUDA_SUCCESS;
  };
  t.DeviceGet = [](CUdevice* device, int ordinal) {
    *device = ordinal;
    return ordinal < static_cast<int>(current->settings.devices) ? CUDA_SUCCESS
                                                                 : CUDA_ERROR_INVALID_DEVICE;
  };
  t.DeviceGetName = [](char* name, int length, CUdevice) {
    std::strncpy(name, "Fake GPU", static_cast<std::size_t>(length));
    return CUDA_SUCCESS;
  };
  t.DeviceGetUuid = [](CUuuid* uuid, CUdevice device) {
    for (std::size_t i = 0; i < sizeof(uuid->bytes); ++i) {
      uuid->bytes[i] = static_cast<char>(16 * device + static_cast<int>(i));
    }
    return CUDA_SUCCESS;
  };
  t.DeviceTotalMem = [](std::size_t* bytes, CUdevice) {
    *bytes = current->settings.memory;
    return CUDA_SUCCESS;
  };
  t.DeviceGetAttribute = [](int* value, CUdevice_attribute what, CUdevice) {
    const Settings& settings = current->settings;
    *value = 0;
    if (what == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) *value = settings.compute_major;
    if (what == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT) {
      *value = static_cast<int>(settings.sms * settings.mps_percentage / 100);
    }
    if (what == CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN) *value = 227 * 1024;
    return CUDA_SUCCESS;
  };
}

void add_contexts(CudaDriver& t) {
  t.DevicePrimaryCtxRetain = [](CUcontext* context, CUdevice) {
    return guarded([&](Driver::State& state) -> CUresult {
      give(context, &state.primary);
      return CUDA_SUCCESS;
    });
  };
  t.DevicePrimaryCtxRelease = [](CUdevice) {
    const std::lock_guard lock(current->mutex);
    --current->objects;
    return CUDA_SUCCESS;
  };
  t.CtxCreate = [](CUcontext* context, CUexecAffinityParam* affinity, int, unsigned, CUdevice) {
    return guarded([&](Driver::State& state) -> CUresult {
      // Rounded up to the next even count, as hardware does.
      const unsigned asked = affinity->param.smCount.val;
      if (asked > state.settings.sms) return CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY;
      give(context, new Context{(asked + 1) / 2 * 2});
      return CUDA_SUCCESS;
    });
  };
  t.CtxDestroy = [](CUcontext context) { return release<Context>(context); };
  t.CtxSetCurrent = [](CUcontext) { return guarded([](Driver::State&) { return CUDA_SUCCESS; }); };
  t.CtxGetExecAffinity = [](CUexecAffinityParam* affinity, CUexecAffinityType) {
    affinity->param.smCount.val = 34;
    return CUDA_SUCCESS;
  };
  t.CtxGetStreamPriorityRange = [](int* least, int* greatest) {
    *least = 0;
    *greatest = -5;
    return CUDA_SUCCESS;
  };
  t.StreamCreateWithPriority = [](CUstream* stream, unsigned, int priority) {
    return guarded(
        [&](Driver::State& state) { return new_stream(stream, state.all_sms(), priority, false); });
  };
  t.StreamDestroy = [](CUstream stream) { return release<Stream>(stream); };
  t.StreamSynchronize = [](CUstream) {
    return guarded([](Driver::State&) { return CUDA_SUCCESS; });
  };
  t.StreamWaitEvent = [](CUstream stream, CUevent event, unsigned) {
    return guarded([&](Driver::State&) {
      double& end = reinterpret_cast<Stream*>(stream)->end_ns;
      end = std::max(end, reinterpret_cast<Event*>(event)->ns);
      return CUDA_SUCCESS;
    });
  };
  t.EventCreate = [](CUevent* event, unsigned) {
    return guarded([&](Driver::State&) {
      give(event, new Event);
      return CUDA_SUCCESS;
    });
  };
  t.EventDestroy = [](CUevent event) { return release<Event>(event); };
  t.EventRecord = [](CUevent event, CUstream stream) {
    return guarded([&](Driver::State&) {
      reinterpret_cast<Event*>(event)->ns = reinterpret_cast<Stream*>(stream)->end_ns;
      return CUDA_SUCCESS;
    });
  };
  t.EventSynchronize = [](CUevent) { return guarded([](Driver::State&) { return CUDA_SUCCESS; }); };
  t.EventElapsedTime = [](float* ms, CUevent begin, CUevent end) {
    return guarded([&](Driver::State&) {
      *ms = static_cast<float>(
          (reinterpret_cast<Event*>(end)->ns - reinterpret_cast<Event*>(begin)->ns) / 1e6);
      return CUDA_SUCCESS;
    });
  };
}

CUresult allocate(CUdeviceptr* address, std::size_t bytes, bool counts) {
  return guarded([&](Driver::State& state) -> CUresult {
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (counts && state.used() + bytes > state.settings.memory) return CUDA_ERROR_OUT_OF_MEMORY;
    auto block = std::make_unique<char[]>(bytes);
    *address = reinterpret_cast<CUdeviceptr>(block.get());
    state.memory[*address] = {std::move(block), counts ? bytes : 0};
    ++state.objects;
    return CUDA_SUCCESS;
  });
}

CUresult free_block(CUdeviceptr address) {
  const std::lock_guard lock(current->mutex);
  current->objects -= current->memory.erase(address);
  return CUDA_SUCCESS;
}

void add_memory(CudaDriver& t) {
  t.MemAlloc = [](CUdeviceptr* address, std::size_t bytes) {
    return allocate(address, bytes, true);
  };
  t.MemFree = free_block;
  t.MemHostAlloc = [](void** address, std::size_t bytes, unsigned) {
    CUdeviceptr at = 0;
    const CUresult result = allocate(&at, bytes, false);
    *address = reinterpret_cast<void*>(at);
    return result;
  };
  t.MemFreeHost = [](void* address) { return free_block(reinterpret_cast<CUdeviceptr>(address)); };
  t.MemHostGetDevicePointer = [](CUdeviceptr* view, void* address, unsigned) {
    *view = reinterpret_cast<CUdeviceptr>(address);
    return CUDA_SUCCESS;
  };
  t.MemcpyHtoDAsync = [](CUdeviceptr to, const void* from, std::size_t bytes, CUstream stream) {
    return copy(at<void>(to), from, bytes, stream);
  };
  t.MemcpyDtoHAsync = [](void* to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
    return copy(to, at<void>(from), bytes, stream);
  };
  t.MemsetD8Async = [](CUdeviceptr to, unsigned char value, std::size_t bytes, CUstream) {
    return guarded([&](Driver::State&) {
      std::memset(at<void>(to), value, bytes);
      return CUDA_SUCCESS;
    });
  };
}

void add_kernels(CudaDriver& t) {
  t.ModuleLoadData = [](CUmodule* module, const void*) {
    return guarded([&](Driver::State&) {
      give(module, new int(0));
      return CUDA_SUCCESS;
    });
  };
  t.ModuleUnload = [](CUmodule module) { return release<int>(module); };
  t.ModuleGetFunction = [](CUfunction* function, CUmodule, const char* name) {
    return guarded([&](Driver::State& state) -> CUresult {
      if (!std::string(name).starts_with("tangram_")) return CUDA_ERROR_NOT_FOUND;
      std::unique_ptr<Kernel>& kernel = state.kernels[name];
      if (!kernel) kernel = std::make_unique<Kernel>(Kernel{name});
      *function = reinterpret_cast<CUfunction>(kernel.get());
      return CUDA_SUCCESS;
    });
  };
  t.FuncGetAttribute = [](int* value, CUfunction_attribute, CUfunction) {
    *value = 32;
    return CUDA_SUCCESS;
  };
  t.FuncSetAttribute = [](CUfunction, CUfunction_attribute, int) { return CUDA_SUCCESS; };
  t.OccupancyMaxActiveBlocksPerMultiprocessor = [](int* blocks, CUfunction, int block, size_t) {
    *blocks = std::min(2048 / block, 32);
    return CUDA_SUCCESS;
  };
  t.LaunchKernel = launch_kernel;
  t.StreamBeginCapture = [](CUstream stream, CUstreamCaptureMode) {
    return guarded([&](Driver::State&) {
      reinterpret_cast<Stream*>(stream)->capture = new Graph;
      return CUDA_SUCCESS;
    });
  };
  t.StreamEndCapture = [](CUstream stream, CUgraph* graph) {
    return guarded([&](Driver::State&) {
      give(graph, std::exchange(reinterpret_cast<Stream*>(stream)->capture, nullptr));
      return CUDA_SUCCESS;
    });
  };
  t.GraphInstantiateWithFlags = [](CUgraphExec* exec, CUgraph graph, unsigned long long) {
    return guarded([&](Driver::State&) {
      give(exec, new Graph(*reinterpret_cast<Graph*>(graph)));
      return CUDA_SUCCESS;
    });
  };
  t.GraphLaunch = [](CUgraphExec exec, CUstream stream) {
    return guarded([&](Driver::State&) -> CUresult {
      for (const auto& node : reinterpret_cast<Graph*>(exec)->nodes) {
        const CUresult result = node(*reinterpret_cast<Stream*>(stream));
        if (result != CUDA_SUCCESS) return result;
      }
      return CUDA_SUCCESS;
    });
  };
  t.GraphExecDestroy = [](CUgraphExec exec) { return release<Graph>(exec); };
  t.GraphDestroy = [](CUgraph graph) { return release<Graph>(graph); };
}

void add_green(CudaDriver& t) {
  t.DeviceGetDevResource = [](CUdevice, CUdevResource* resource, CUdevResourceType) {
    return guarded([&](Driver::State& state) {
      *resource = resource_of(0, state.all_sms());
      return CUDA_SUCCESS;
    });
  };
  t.DevSmResourceSplitByCount = split;
  t.DevResourceGenerateDesc = describe_resources;
  t.GreenCtxCreate = create_green;
  t.GreenCtxDestroy = [](CUgreenCtx context) { return release<Green>(context); };
  t.GreenCtxGetDevResource = [](CUgreenCtx context, CUdevResource* resource, CUdevResourceType) {
    return guarded([&](Driver::State& state) {
      *resource = resource_of(++state.splits, reinterpret_cast<Green*>(context)->sms);
      return CUDA_SUCCESS;
    });
  };
  t.GreenCtxStreamCreate = [](CUstream* stream, CUgreenCtx context, unsigned flags, int priority) {
    return guarded([&](Driver::State&) -> CUresult {
      // The flag is required (cuGreenCtxStreamCreate).
      if (flags != CU_STREAM_NON_BLOCKING) return CUDA_ERROR_INVALID_VALUE;
      return new_stream(stream, reinterpret_cast<Green*>(context)->sms, priority, true);
    });
  };
  t.CtxFromGreenCtx = [](CUcontext* context, CUgreenCtx) {
    *context = reinterpret_cast<CUcontext>(&current->primary);
    return CUDA_SUCCESS;
  };
}

}  // namespace

Driver::Driver(Settings settings) : state_(std::make_unique<State>(std::move(settings))) {
  current = state_.get();
}
Driver::~Driver() {
  state_->answers.clear();
  current = nullptr;
}

CudaDriver Driver::table() const {
  CudaDriver table;
  add_device(table);
  add_contexts(table);
  add_memory(table);
  add_kernels(table);
  if (state_->settings.green_contexts) add_green(table);
  return table;
}
std::vector<Launch> Driver::launches() const {
  const std::lock_guard lock(state_->mutex);
  return state_->launches;
}
std::size_t Driver::memory_in_use() const {
  const std::lock_guard lock(state_->mutex);
  return state_->used();
}
std::size_t Driver::live_objects() const {
  const std::lock_guard lock(state_->mutex);
  return state_->objects;
}

namespace {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): as `current`
std::vector<NvmlInstance> mig;
// Handles of instances are their position + 2; the GPU's is 1.
constexpr std::uintptr_t kGpu = 1;
constexpr std::uintptr_t kFirstInstance = 2;

const NvmlInstance& instance_of(NvmlDevice device) {
  return mig[reinterpret_cast<std::uintptr_t>(device) - kFirstInstance];
}

int write_text(char* to, unsigned length, const std::string& text) {
  std::strncpy(to, text.c_str(), length);
  return kNvmlSuccess;
}

}  // namespace

Nvml::Nvml(std::vector<NvmlInstance> instances) {
  mig = std::move(instances);
}
Nvml::~Nvml() {
  mig.clear();
}

NvmlLibrary Nvml::table() const {
  constexpr int kNotFound = 6;
  NvmlLibrary t;
  t.init = [] { return kNvmlSuccess; };
  t.driver_version = [](char* v, unsigned n) { return write_text(v, n, "580.1"); };
  t.device_count = [](unsigned* count) {
    *count = 1;
    return kNvmlSuccess;
  };
  t.device_at = [](unsigned, NvmlDevice* device) {
    *device = reinterpret_cast<NvmlDevice>(kGpu);
    return kNvmlSuccess;
  };
  t.device_by_uuid = [](const char*, NvmlDevice* device) {
    *device = reinterpret_cast<NvmlDevice>(kGpu);
    return kNvmlSuccess;
  };
  t.name = [](NvmlDevice, char* name, unsigned n) { return write_text(name, n, "Fake GPU"); };
  t.uuid = [](NvmlDevice device, char* uuid, unsigned n) {
    const bool is_gpu = reinterpret_cast<std::uintptr_t>(device) == kGpu;
    return write_text(uuid, n, is_gpu ? "GPU-fake" : instance_of(device).uuid);
  };
  t.clock_mhz = [](NvmlDevice, unsigned type, unsigned* mhz) {
    *mhz = type == kNvmlClockSm ? 1980 : 3201;
    return kNvmlSuccess;
  };
  t.max_clock_mhz = t.clock_mhz;
  t.power_mw = [](NvmlDevice, unsigned*) { return kNotFound; };
  t.mig_mode = [](NvmlDevice, unsigned* now, unsigned* pending) {
    *now = *pending = mig.empty() ? 0 : 1;
    return kNvmlSuccess;
  };
  t.max_mig_devices = [](NvmlDevice, unsigned* count) {
    *count = 7;
    return kNvmlSuccess;
  };
  t.mig_device_at = [](NvmlDevice, unsigned index, NvmlDevice* instance) {
    if (index >= mig.size()) return kNotFound;
    *instance = reinterpret_cast<NvmlDevice>(kFirstInstance + index);
    return kNvmlSuccess;
  };
  t.attributes = [](NvmlDevice device, NvmlAttributes* attributes) {
    const NvmlInstance& instance = instance_of(device);
    attributes->multiprocessors = instance.sms;
    attributes->compute_instance_slices = instance.slices;
    attributes->memory_mib = instance.memory_mib;
    return kNvmlSuccess;
  };
  return t;
}

}  // namespace tangram::fake
