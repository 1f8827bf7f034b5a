// Green contexts of the fake driver: the documented rules of splits.
#include <array>

#include "tests/engine/cuda/fake_state.h"

namespace tangram::fake {
namespace {

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

}  // namespace

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
}

}  // namespace tangram::fake
