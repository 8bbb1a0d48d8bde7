#include "cmd/ask_apart.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/errors.h"
#include "base/pipe.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using Answer = absl::StatusOr<std::string>;

constexpr absl::Duration kTimeout = absl::Seconds(10);

// True at the end of `fd`, which is waited for.
bool Ends(base::FdRef fd, absl::Duration patience) {
  struct pollfd waiting = {.fd = fd.get(), .events = POLLIN, .revents = 0};
  char byte;
  return poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) == 1 &&
         read(fd.get(), &byte, 1) == 0;
}

TEST(AskApart, GivesTheAnswer) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{3} << 20}) {
    const Answer answer =
        AskApart("ask", kTimeout, {}, [size]() -> Answer { return std::string(size, 'a'); });
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(*answer, std::string(size, 'a'));
  }
}

TEST(AskApart, GivesTheError) {
  const Answer answer = AskApart("ask", kTimeout, {},
                                 []() -> Answer { return base::ErrnoStatus(EXDEV, "look", "x"); });

  EXPECT_EQ(answer.status(), base::ErrnoStatus(EXDEV, "look", "x"));
  EXPECT_EQ(base::ErrnoOf(answer.status()), EXDEV);
}

TEST(AskApart, IsNobodysChild) {
  const Answer answer = AskApart("ask", kTimeout, {}, []() -> Answer {
    return absl::StrCat(getsid(0) == getpid(), isatty(STDOUT_FILENO));
  });

  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, "10");
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(AskApart, KeepsWhatIsNeededAlone) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::Pipe needed, base::MakePipe());
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::Pipe other, base::MakePipe());

  const Answer answer = AskApart("ask", kTimeout, {needed.read_end}, [&]() -> Answer {
    const auto is_open = [](base::FdRef fd) { return fcntl(fd.get(), F_GETFD) >= 0; };
    return absl::StrCat(is_open(needed.read_end), is_open(needed.write_end),
                        is_open(other.read_end), is_open(other.write_end));
  });

  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, "1000");
}

TEST(AskApart, LeavesASilentOneBehindAndKillsItLater) {
  NSCTL_ASSERT_OK_AND_ASSIGN(base::Pipe needed, base::MakePipe());
  const absl::Time start = absl::Now();

  const Answer answer =
      AskApart("ask", absl::Milliseconds(300), {needed.write_end}, []() -> Answer {
        while (true) pause();
      });
  const absl::Duration waited = absl::Now() - start;
  (void)needed.write_end.Close();

  EXPECT_EQ(answer.status(), absl::DeadlineExceededError("ask: no answer within 300ms"));
  // Not 300: the clock of the day may be slowed down while poll(2) waits by another.
  EXPECT_GE(waited, absl::Milliseconds(290));
  EXPECT_LT(waited, absl::Seconds(2));
  EXPECT_FALSE(Ends(needed.read_end, absl::ZeroDuration()));
  EXPECT_TRUE(Ends(needed.read_end, absl::Seconds(20)));
}

TEST(AskApart, SaysWhenItEnded) {
  const Answer answer = AskApart("ask", kTimeout, {}, []() -> Answer {
    kill(getpid(), SIGKILL);
    return "";
  });

  EXPECT_EQ(answer.status(), absl::AbortedError("ask: ended without an answer"));
}

}  // namespace
}  // namespace nsctl::cmd
