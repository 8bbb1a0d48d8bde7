#include "cmd/initial_process.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cmd/target.h"
#include "engines/container.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::nsctl::testing::StatusIs;

const absl::Time kNow = absl::FromUnixSeconds(1'735'689'600);

TEST(InitialProcessOf, TellsTheProcessFromAnotherOfItsNumber) {
  engines::Container container;
  container.set_pid(20);
  container.set_start_time(7);
  container.set_pidfd_inode(99);

  const auto process = InitialProcessOf(container, kNow);

  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(*process, (ProcessTarget{.pid = {20}, .pidfd_inode = 99, .start_time = 7}));
}

TEST(InitialProcessOf, SaysWhyThereIsNone) {
  engines::Container dead;
  dead.set_name("db");
  dead.set_state(engines::Container::exited);

  EXPECT_THAT(InitialProcessOf(dead, kNow), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                     "container db is not running (exited)"));
  dead.set_exit_code(3);
  dead.set_oom_killed(true);
  for (const auto& [seconds, age] :
       {std::pair{-5, "0 seconds"}, std::pair{1, "1 second"}, std::pair{300, "5 minutes"},
        std::pair{3600, "1 hour"}, std::pair{400'000, "4 days"}}) {
    dead.mutable_finished_at()->set_seconds(absl::ToUnixSeconds(kNow) - seconds);
    EXPECT_THAT(InitialProcessOf(dead, kNow),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         absl::StrCat("container db is not running (exited, status 3, out of "
                                      "memory, ",
                                      age, " ago)")));
  }

  dead.set_state(engines::Container::running);
  dead.set_pid_error("ESRCH");

  EXPECT_THAT(InitialProcessOf(dead, kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "container db is running, but its process cannot be told: ESRCH"));
}

}  // namespace
}  // namespace nsctl::cmd
