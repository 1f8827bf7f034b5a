#include "tests/engine/cuda/fake_driver.h"

#include "tests/engine/cuda/fake_state.h"

namespace tangram::fake {

Driver::State* current = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

CUresult new_stream(CUstream* handle, const Sms& sms, int priority, bool green) {
  Stream* const stream = new Stream;
  stream->sms = sms;
  stream->priority = priority;
  stream->green = green;
  stream->queue = current->streams++ % current->settings.hardware_queues;
  give(handle, stream);
  return CUDA_SUCCESS;
}

namespace {

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

}  // namespace tangram::fake
