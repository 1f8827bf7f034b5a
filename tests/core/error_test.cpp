// Faults are all reported, and a misspelt name finds its neighbour.
#include "sim/core/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

const std::vector<std::string> kDispatchers{"fifo", "edf", "fixed_batch", "tf_serving",
                                            "clockwork"};

TEST(NearestName, FindsOneEditOfEachKind) {
  EXPECT_EQ(nearest_name("clokwork", kDispatchers), "clockwork");     // deletion
  EXPECT_EQ(nearest_name("clockworks", kDispatchers), "clockwork");   // insertion
  EXPECT_EQ(nearest_name("tf-serving", kDispatchers), "tf_serving");  // substitution
  EXPECT_EQ(nearest_name("fiof", kDispatchers), "fifo");              // transposition
  EXPECT_EQ(nearest_name("EDF", kDispatchers), "edf");                // case
}

TEST(NearestName, ATranspositionCountsAsOneEdit) {
  // "abcdef" -> "badcfe" is three transpositions, more than max(2, 6/3).
  EXPECT_EQ(nearest_name("badcef", {"abcdef"}), "abcdef");
  EXPECT_EQ(nearest_name("badcfe", {"abcdef"}), "");
}

TEST(NearestName, FindsNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("paella", kDispatchers), "");
  EXPECT_EQ(nearest_name("xy", {"ab"}), "");
  EXPECT_EQ(nearest_name("anything", {}), "");
}

TEST(NearestName, TheFirstOfEquallyNearNamesWins) {
  EXPECT_EQ(nearest_name("pax", {"pab", "pac"}), "pab");
}

TEST(UnknownName, NamesTheNearestAndAllKnownOnes) {
  EXPECT_EQ(unknown_name("dispatcher", "eddf", {"fifo", "edf"}),
            "unknown dispatcher \"eddf\"; did you mean \"edf\"? known: fifo, edf");
  EXPECT_EQ(unknown_name("key", "zzzzz", {"slo_ms", "model"}),
            "unknown key \"zzzzz\"; known: slo_ms, model");
  EXPECT_EQ(unknown_name("key", "x", {}), "unknown key \"x\"; known: none");
}

TEST(ConfigError, SaysEveryFaultOnALineOfItsOwn) {
  const ConfigError error(
      std::vector<Fault>{{"s.json#/a", "must be a number"}, {"t.csv:3", "two columns"}});
  EXPECT_STREQ(error.what(), "s.json#/a: must be a number\nt.csv:3: two columns");
  EXPECT_EQ(error.faults().size(), 2U);
}

TEST(Faults, ThrowsEverythingCollectedOrNothing) {
  Faults faults;
  EXPECT_TRUE(faults.empty());
  EXPECT_NO_THROW(faults.throw_if_any());
  faults.add("a", "one");
  faults.append(ConfigError("b", "two"));
  EXPECT_EQ(faults.size(), 2U);
  try {
    faults.throw_if_any();
    FAIL() << "no exception";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "a: one\nb: two");
  }
}

TEST(Faults, KeepsTheFirstHundredAndCountsTheRest) {
  Faults faults;
  for (int i = 1; i <= 250; ++i) faults.add("t.csv:" + std::to_string(i), "bad");
  EXPECT_EQ(faults.size(), 250U);
  try {
    faults.throw_if_any();
    FAIL() << "no exception";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.faults().size(), 101U);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("and 150 more faults"));
  }
}

}  // namespace
}  // namespace tangram
