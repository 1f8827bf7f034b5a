#include "engine/model_catalogue.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

namespace tangram {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kManifest = R"json({"schema": 1, "framework": "torch 1.13.0", "seed": 1,
 "models": [
  {"name": "net", "file": "net.pt", "kind": "cnn", "input": [3, 224, 224], "dtype": "float32",
   "parameters": 100},
  {"name": "words", "file": "words.pt", "kind": "transformer", "input": [128], "dtype": "int64",
   "values_below": 8192, "parameters": 200}]})json";

class Catalogue : public ::testing::Test {
 protected:
  Catalogue()
      : folder_(fs::path(::testing::TempDir()) /
                (std::string("tangram_models_") +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write("models.json", kManifest);
    write("net.pt", "");
    write("words.pt", "");
  }
  ~Catalogue() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  // What is wrong; "" when nothing is.
  std::string fault(const std::vector<std::string>& names) const {
    try {
      find_models(names, "torch", folder_.string());
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  fs::path folder_;
};

TEST_F(Catalogue, HasPathsShapesAndTypes) {
  const std::vector<ModelSpec> models = find_models({"words", "net"}, "torch", folder_.string());
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0].name, "words");
  EXPECT_EQ(models[0].dtype, "int64");
  EXPECT_EQ(models[0].values_below, 8192);
  EXPECT_EQ(models[1].path, (folder_ / "net.pt").string());
  EXPECT_EQ(models[1].kind, "cnn");
  EXPECT_THAT(models[1].input, ElementsAre(3, 224, 224));
}

TEST_F(Catalogue, AModelThatItHasNotIsAnsweredWithTheNearest) {
  EXPECT_THAT(fault({"net", "wordz"}), HasSubstr("did you mean \"words\"?"));
}

TEST_F(Catalogue, AFileThatIsNotThereIsNamedWithItsPlace) {
  fs::remove(folder_ / "net.pt");
  EXPECT_THAT(fault({"net"}), HasSubstr("models.json#/models/0/file: there is no file"));
}

TEST_F(Catalogue, ADamagedManifestIsNamed) {
  write("models.json", R"({"schema": 1, "models": [)");
  EXPECT_THAT(fault({"net"}), HasSubstr("models.json:1:"));
  write("models.json", R"({"schema": 2, "models": [{"name": "a"}]})");
  EXPECT_THAT(fault({"net"}), HasSubstr("#/schema"));
  fs::remove(folder_ / "models.json");
  EXPECT_THAT(fault({"net"}), HasSubstr("models.json"));
}

TEST(CatalogueOfOtherRunners, IsTheNamesThemselves) {
  const std::vector<ModelSpec> models = find_models({"mlp-8-1"}, "native", "");
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].name, "mlp-8-1");
  EXPECT_EQ(models[0].path, "");
  EXPECT_THROW(find_models({"net"}, "torch", ""), ConfigError);
}

}  // namespace
}  // namespace tangram
