#include "cmd/run_apart.h"

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
  if (child == 0) _exit(RunApart(body));
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

TEST(RunApart, TakesTheChildAlong) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe(ends), 0);
  const base::OwnedFd read_end(ends[0]);
  base::OwnedFd write_end(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    _exit(RunApart([&write_end] {
      EXPECT_TRUE(base::WriteAll(write_end, "x").ok());
      while (true) pause();
      return 0;
    }));
  }
  (void)write_end.Close();
  char ready = 0;
  ASSERT_EQ(read(read_end.get(), &ready, 1), 1);

  ASSERT_EQ(kill(child, SIGTERM), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);

  // Its last descriptor of the pipe is closed: end of file.
  EXPECT_EQ(read(read_end.get(), &ready, 1), 0);
}

}  // namespace
}  // namespace nsctl::cmd
