// HDF5 files: round trips, equal bytes for equal data, and damage that is reported, not followed.
#include "sim/core/hdf5_file.h"

#include <chrono>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"
#include "tests/profiles/scratch.h"

namespace tangram {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScratchFolder;

void write_example(const std::string& path) {
  Hdf5Writer file(path);
  std::vector<std::uint64_t> many(5000);
  std::iota(many.begin(), many.end(), std::uint64_t{1} << 60);
  file.write("/deep/down/many", std::span<const std::uint64_t>(many));
  file.write("/numbers", std::span<const double>(std::vector<double>{1.5, -2, 1e300}));
  file.write("/empty", std::span<const double>());
  file.write("/names", std::vector<std::string>{"a", "", "longer name"});
  file.text("/text", std::string(100'000, 'x'));
  file.attribute("/", "kind", "example");
  file.attribute("/", "nothing", "");
  file.attribute("/deep", "ratio", 0.1);
  file.attribute("/numbers", "count", std::uint64_t{3});
  file.commit();
}

TEST(Hdf5Files, WhatIsWrittenIsReadBack) {
  const ScratchFolder folder;
  write_example(folder.file("a.h5"));
  const Hdf5Reader file(folder.file("a.h5"));
  const auto many = file.read<std::uint64_t>("/deep/down/many");
  ASSERT_EQ(many.size(), 5000U);
  EXPECT_EQ(many[4999], (std::uint64_t{1} << 60) + 4999);
  EXPECT_THAT(file.read<double>("/numbers"), ElementsAre(1.5, -2, 1e300));
  EXPECT_THAT(file.read<double>("/empty"), ElementsAre());
  EXPECT_THAT(file.strings("/names"), ElementsAre("a", "", "longer name"));
  EXPECT_EQ(file.text("/text"), std::string(100'000, 'x'));
  EXPECT_EQ(file.string_attribute("/", "kind"), "example");
  EXPECT_EQ(file.string_attribute("/", "nothing"), "");
  EXPECT_EQ(file.number_attribute("/deep", "ratio"), 0.1);
  EXPECT_EQ(file.number_attribute("/numbers", "count"), 3);
  EXPECT_EQ(file.number_attribute("/", "absent"), std::nullopt);
  EXPECT_THAT(file.children("/"), ElementsAre("deep", "empty", "names", "numbers", "text"));
  EXPECT_TRUE(file.has("/deep/down/many"));
  EXPECT_FALSE(file.has("/deep/up/many"));
}

TEST(Hdf5Files, EqualDataGivesEqualBytesInAnotherSecond) {
  const ScratchFolder folder;
  write_example(folder.file("a.h5"));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  write_example(folder.file("b.h5"));
  EXPECT_EQ(content_of(folder.file("a.h5")), content_of(folder.file("b.h5")));
}

TEST(Hdf5Files, WithoutCommitTheTargetStaysAsItWas) {
  const ScratchFolder folder;
  folder.write("a.h5", "old");
  {
    Hdf5Writer file(folder.file("a.h5"));
    file.group("/x");
  }
  EXPECT_EQ(content_of(folder.file("a.h5")), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(
                              std::filesystem::path(folder.file("a.h5")).parent_path()),
                          {}),
            1);
}

TEST(Hdf5Files, AFolderThatIsNotThereIsASystemError) {
  EXPECT_THROW(Hdf5Writer("/nowhere/at/all.h5"), SystemError);
}

TEST(Hdf5Files, WrongNamesAndTypesAreFaultsWithTheirPlace) {
  const ScratchFolder folder;
  write_example(folder.file("a.h5"));
  const Hdf5Reader file(folder.file("a.h5"));
  const auto fault_of = [](const auto& action) {
    try {
      action();
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(fault_of([&] { file.read<double>("/absent"); }),
              HasSubstr("a.h5#/absent: is missing"));
  EXPECT_THAT(fault_of([&] { file.read<double>("/names"); }), HasSubstr("must hold numbers"));
  EXPECT_THAT(fault_of([&] { file.strings("/numbers"); }), HasSubstr("must hold strings"));
  EXPECT_THAT(fault_of([&] { file.children("/numbers"); }), HasSubstr("not a group"));
  EXPECT_THAT(fault_of([&] { file.number_attribute("/", "kind"); }), HasSubstr("one number"));
  EXPECT_THAT(fault_of([&] { Hdf5Reader(folder.file("none.h5")); }), HasSubstr("no such file"));
}

void read_everything(const std::string& path) {
  const Hdf5Reader file(path);
  file.string_attribute("/", "kind");
  file.number_attribute("/deep", "ratio");
  file.children("/");
  file.read<double>("/numbers");
  file.strings("/names");
  file.text("/text");
  file.read<std::uint64_t>("/deep/down/many");
}

TEST(Hdf5Files, EveryTruncationIsAFault) {
  const ScratchFolder folder;
  write_example(folder.file("a.h5"));
  const std::string whole = content_of(folder.file("a.h5"));
  for (std::size_t size = 0; size < whole.size(); size += 997) {
    folder.write("cut.h5", whole.substr(0, size));
    EXPECT_THROW(read_everything(folder.file("cut.h5")), ConfigError) << size;
  }
}

TEST(Hdf5Files, FlippedBytesAreFaultsOrHarmlessButNeverACrash) {
  const ScratchFolder folder;
  write_example(folder.file("a.h5"));
  const std::string whole = content_of(folder.file("a.h5"));
  int found = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(whole.size(), 6000); i += 29) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(~damaged[i]);
    folder.write("bad.h5", damaged);
    try {
      read_everything(folder.file("bad.h5"));
    } catch (const ConfigError&) {
      ++found;
    }
  }
  EXPECT_GT(found, 20);
}

}  // namespace
}  // namespace tangram
