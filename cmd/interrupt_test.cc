#include "cmd/interrupt.h"

#include <signal.h>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

TEST(InterruptGuard, RemembersTheFirstSignal) {
  {
    const InterruptGuard guard;
    EXPECT_EQ(InterruptGuard::Received(), 0);
    raise(SIGTERM);
    raise(SIGINT);
    EXPECT_EQ(InterruptGuard::Received(), SIGTERM);
  }
  const InterruptGuard again;
  EXPECT_EQ(InterruptGuard::Received(), 0);
}

TEST(InterruptGuard, LeavesAloneWhatWasIgnored) {
  const auto before = signal(SIGHUP, SIG_IGN);
  {
    const InterruptGuard guard;
    raise(SIGHUP);
    EXPECT_EQ(InterruptGuard::Received(), 0);
  }
  EXPECT_EQ(signal(SIGHUP, before), SIG_IGN);
}

}  // namespace
}  // namespace nsctl::cmd
