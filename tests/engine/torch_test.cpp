// The runner "torch" on models that scripts/export_models.py writes. Needs LibTorch and Python's
// torch; skips, saying so, where one is missing. No test asserts a latency.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "engine/model_catalogue.h"
#include "sim/core/error.h"
#include "tests/engine/workers.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

int shell(const std::string& line) {
  return std::system((line + " > /dev/null 2>&1").c_str());
}

class Torch : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(TANGRAM_WORKER_FOLDER) / "tangram-worker-torch")) {
      GTEST_SKIP() << "this build has no LibTorch";
    }
    if (shell(TANGRAM_PYTHON " -c 'import torch'") != 0) {
      GTEST_SKIP() << TANGRAM_PYTHON " has no torch";
    }
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("tangram_torch_") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    ASSERT_EQ(shell(TANGRAM_PYTHON " " TANGRAM_SOURCE_DIR "/scripts/export_models.py --out '" +
                    folder_.string() + "' mlp_small transformer_small"),
              0);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A worker with one lane for both models, not loaded.
  WorkerSpec worker() const {
    WorkerSpec spec = worker_of("torch", {});
    spec.models = find_models({"mlp_small", "transformer_small"}, "torch", folder_.string());
    spec.environment = {{"OMP_NUM_THREADS", "1"}};
    spec.lanes.resize(1);
    return spec;
  }
  // Opens the worker with the MLP loaded; returns what is wrong.
  std::string fault() const {
    WorkerSpec spec = worker();
    spec.lanes[0].models = {0};
    WorkerCalls calls(beside_the_engine());
    try {
      calls.open({spec});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(Torch, LoadsRunsAndUnloadsWhatWasExported) {
  WorkerCalls calls(beside_the_engine());
  const WorkerGrant grant = calls.open({worker()}).front();
  EXPECT_THAT(grant.framework, HasSubstr("LibTorch "));
  // 512 x 1024 + 1024 x 1024 + 1024 x 512 weights and 1024 + 1024 + 512 biases of 4 bytes.
  EXPECT_DOUBLE_EQ(calls.load({0, 0}, 0).weights_mib, 2'099'712 * 4 / 1048576.0);
  EXPECT_GT(calls.load({0, 0}, 1).weights_mib, 0);
  for (const std::uint32_t model : {0U, 1U}) {
    for (const std::uint32_t batch : {1U, 3U}) {
      const BatchTimes times = calls.run({0, 0}, model, batch);
      EXPECT_GT(times.end, times.start);
    }
  }
  // A refusal, after which the lane goes on.
  try {
    calls.kernels({0, 0}, 0, 1);
    ADD_FAILURE() << "the CPU has no kernels to list";
  } catch (const RunnerError& error) {
    EXPECT_THAT(error.what(), HasSubstr("kernel lists: the CPU has none"));
  }
  calls.run({0, 0}, 0, 1);
  calls.unload({0, 0}, 0);
  EXPECT_GT(calls.load({0, 0}, 0).weights_mib, 0);
  EXPECT_NO_THROW(calls.run({0, 0}, 0, 2));
}

TEST_F(Torch, AFileThatIsDamagedOrGoneIsTheUsersMistakeAndNamed) {
  EXPECT_EQ(fault(), "");
  const std::string path = (folder_ / "mlp_small.pt").string();
  fs::resize_file(path, fs::file_size(path) / 2);
  EXPECT_THAT(fault(), HasSubstr(path));
  std::ofstream(path) << "not a model";
  EXPECT_THAT(fault(), HasSubstr(path));
}

}  // namespace
}  // namespace tangram
