#include "cmd/keep_until_exit.h"

#include <memory>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

struct Result {
  ~Result() { ++destroyed; }
  static inline int destroyed = 0;
};

TEST(KeepUntilExit, DestroysNothing) {
  KeepUntilExit(std::make_unique<Result>());
  KeepUntilExit(std::make_unique<Result>());

  EXPECT_EQ(Result::destroyed, 0);
}

}  // namespace
}  // namespace nsctl::cmd
