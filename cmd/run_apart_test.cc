#include "cmd/run_apart.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/functional/function_ref.h"
#include "base/fd.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

// What wait(2) says of a process that returns RunApart(body).
int WaitStatusOf(absl::FunctionRef<int()> body) {
  const pid_t child = fork();
  if (child == 0) _exit(RunApart([&](const ApartRun&) { return body(); }));
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

TEST(RunApart, GivesTheResult) {
  for (const int result : {0, 1, 3, 141, 255}) {
    const int status = WaitStatusOf([result] { return result; });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), result);
  }
}

TEST(RunApart, RunsInAnotherProcess) {
  const int status = WaitStatusOf([parent = getpid()] {
    // This process is a grandchild of the test.
    return getppid() != parent && getpid() != parent ? 0 : 1;
  });

  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(RunApart, EndsAsTheChildWasEnded) {
  for (const int number : {SIGTERM, SIGKILL, SIGPIPE, SIGINT}) {
    const int status = WaitStatusOf([number] {
      signal(number, SIG_DFL);
      raise(number);
      return 0;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << number;
    EXPECT_EQ(WTERMSIG(status), number);
  }
}

// Two processes that report to a pipe: the one that calls RunApart, and its child.
class RunApartWithSignals : public ::testing::Test {
 protected:
  RunApartWithSignals() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_ = base::OwnedFd(ends[0]);
    write_end_ = base::OwnedFd(ends[1]);
  }

  // Starts them and waits until `body` has written.
  void Start(absl::FunctionRef<int()> body) {
    caller_ = fork();
    if (caller_ == 0) _exit(RunApart([&](const ApartRun&) { return body(); }));
    (void)write_end_.Close();
    EXPECT_EQ(Read(), 'x');
  }
  // What `body` wrote next; 0 once both have ended.
  char Read() const {
    char byte = 0;
    return read(read_end_.get(), &byte, 1) == 1 ? byte : '\0';
  }
  int WaitStatus() const {
    int status = -1;
    EXPECT_EQ(waitpid(caller_, &status, 0), caller_);
    return status;
  }

  base::OwnedFd read_end_, write_end_;
  pid_t caller_ = 0;
};

volatile sig_atomic_t told = 0;

TEST_F(RunApartWithSignals, LetsTheChildEndInOrder) {
  Start([this] {
    signal(SIGTERM, [](int) { told = 1; });
    EXPECT_TRUE(base::WriteAll(write_end_, "x").ok());
    while (told == 0) usleep(1000);
    EXPECT_TRUE(base::WriteAll(write_end_, "y").ok());
    return 9;
  });

  ASSERT_EQ(kill(caller_, SIGTERM), 0);
  const int status = WaitStatus();

  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
  EXPECT_EQ(Read(), 'y');
}

TEST_F(RunApartWithSignals, DoesNotWaitForAChildThatIgnoresThem) {
  Start([this] {
    signal(SIGINT, SIG_IGN);
    EXPECT_TRUE(base::WriteAll(write_end_, "x").ok());
    while (true) pause();
    return 0;
  });

  ASSERT_EQ(kill(caller_, SIGINT), 0);
  const int status = WaitStatus();

  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  // SIGTERM ended the child.
  EXPECT_EQ(Read(), '\0');
}

TEST_F(RunApartWithSignals, TakesTheChildAlong) {
  Start([this] {
    EXPECT_TRUE(base::WriteAll(write_end_, "x").ok());
    while (true) pause();
    return 0;
  });

  ASSERT_EQ(kill(caller_, SIGKILL), 0);
  WaitStatus();

  EXPECT_EQ(Read(), '\0');
}

}  // namespace
}  // namespace nsctl::cmd
