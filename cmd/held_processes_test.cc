#include "cmd/held_processes.h"

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

TEST(HeldProcessAt, IsTheProcessOfAFile) {
  const HeldProcess expected{.procfs = "/proc", .pid = 7};
  EXPECT_EQ(HeldProcessAt("/proc/7"), expected);
  EXPECT_EQ(HeldProcessAt("/proc/7/stat"), expected);
  EXPECT_EQ(HeldProcessAt("/proc/7/ns"), expected);
  EXPECT_EQ(HeldProcessAt("/proc/7/task"), expected);
  EXPECT_EQ(HeldProcessAt("/proc/7/task/8"), expected);
  EXPECT_EQ(HeldProcessAt("/proc/7/task/8/ns"), expected);
  EXPECT_EQ(HeldProcessAt("/7/stat"), (HeldProcess{.procfs = "/", .pid = 7}));
  EXPECT_EQ(HeldProcessAt("/run/1/proc/7/fd"), (HeldProcess{.procfs = "/run/1/proc", .pid = 7}));
}

TEST(HeldProcessAt, IsNothingElsewhere) {
  for (const char* path : {"", "/", "/proc", "/proc/self", "7", "socket:[7]", "/proc/0/stat",
                           "/proc/99999999999/stat", "/proc/task/8"}) {
    EXPECT_EQ(HeldProcessAt(path).pid, 0) << path;
  }
}

}  // namespace
}  // namespace nsctl::cmd
