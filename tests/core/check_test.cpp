// A failed check says where, what and with which values, and is an exception.
#include "sim/core/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

TEST(Check, AFailureNamesTheFileTheExpressionAndTheValues) {
  const int now = 7;
  const int then = 5;
  try {
    TANGRAM_CHECK(now <= then, "time goes back; now ", now, ", then ", then);
    FAIL() << "no exception";
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(),
                ::testing::AllOf(::testing::HasSubstr("check_test.cpp:"),
                                 ::testing::HasSubstr("now <= then"),
                                 ::testing::HasSubstr("time goes back; now 7, then 5")));
  }
}

TEST(Check, APassingCheckDoesNotEvaluateTheMessage) {
  int evaluated = 0;
  TANGRAM_CHECK(true, ++evaluated);
  EXPECT_EQ(evaluated, 0);
}

}  // namespace
}  // namespace tangram
