#include "nsentry/child_claims.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/pipe.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::nsentry {
namespace {

TEST(ChildClaims, AChildIsClaimedOnce) {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);

  EXPECT_TRUE(ClaimChild(pid));
  EXPECT_FALSE(ClaimChild(pid));
  ReleaseChild(pid);
  EXPECT_TRUE(ClaimChild(pid));

  ReleaseChild(pid);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_FALSE(ClaimChild(pid));
}

TEST(ChildClaims, NobodyElseIsClaimed) {
  base::Pipe told = *base::MakePipe();
  base::Pipe held = *base::MakePipe();
  const pid_t child = fork();
  if (child == 0) {
    (void)held.write_end.Close();
    const pid_t grandchild = fork();
    char end;
    // Ends with the test.
    if (grandchild == 0) _exit(static_cast<int>(read(held.read_end.get(), &end, 1)));
    _exit(write(told.write_end.get(), &grandchild, sizeof(grandchild)) == sizeof(grandchild) ? 0
                                                                                             : 1);
  }
  pid_t grandchild = 0;
  ASSERT_EQ(read(told.read_end.get(), &grandchild, sizeof(grandchild)),
            static_cast<ssize_t>(sizeof(grandchild)));
  EXPECT_EQ(waitpid(child, nullptr, 0), child);

  EXPECT_FALSE(ClaimChild(grandchild));
  EXPECT_FALSE(ClaimChild(getpid()));
  EXPECT_FALSE(ClaimChild(1));
  EXPECT_FALSE(ClaimChild(0));
  EXPECT_FALSE(ClaimChild(-1));
}

}  // namespace
}  // namespace nsctl::nsentry
