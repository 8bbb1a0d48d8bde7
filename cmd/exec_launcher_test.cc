#include "cmd/exec_launcher.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using testing::HasErrno;
using testing::IsOk;

struct Launched {
  int status = 0;
  // What it reported, as ints in native bytes: 0, and an errno where nothing was executed.
  std::string report;
  std::string out;
};

// Runs the launcher with the report's descriptor and then `arguments`.
Launched Launch(const std::vector<std::string>& arguments) {
  const base::OwnedFd launcher = *MakeLauncher();
  base::Pipe report = *base::MakePipe();
  base::Pipe out = *base::MakePipe();
  const pid_t pid = fork();
  if (pid == 0) {
    const std::string number = absl::StrCat(report.write_end.get());
    std::vector<const char*> argv = {"nsctl-launcher", number.c_str(), "-", "f"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    argv.push_back(nullptr);
    const std::string report_variable = absl::StrCat("REPORT=", number);
    const char* const environment[] = {"VARIABLE=value", report_variable.c_str(), nullptr};
    fcntl(report.write_end.get(), F_SETFD, 0);
    dup2(out.write_end.get(), STDOUT_FILENO);
    syscall(SYS_execveat, launcher.get(), "", argv.data(), environment, AT_EMPTY_PATH);
    _exit(99);
  }
  (void)report.write_end.Close();
  (void)out.write_end.Close();
  Launched launched;
  EXPECT_THAT(base::ReadToEnd(report.read_end, 100, &launched.report), IsOk());
  EXPECT_THAT(base::ReadToEnd(out.read_end, 10000, &launched.out), IsOk());
  EXPECT_EQ(waitpid(pid, &launched.status, 0), pid);
  return launched;
}

std::string Bytes(std::vector<int> words) {
  return std::string(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(int));
}

TEST(Launcher, ExecutesWithArgumentsAndEnvironment) {
  const Launched launched =
      Launch({"/bin/sh", "/bin/sh", "name", "-c", "echo $0 $1 $VARIABLE; exit 3", "zero", "one"});

  EXPECT_EQ(launched.out, "zero one value\n");
  EXPECT_EQ(WEXITSTATUS(launched.status), 3);
  EXPECT_EQ(launched.report, Bytes({0}));
}

TEST(Launcher, LeavesItsReportToNobody) {
  const Launched launched =
      Launch({"/bin/sh", "/bin/sh", "sh", "-c", "test -e /proc/self/fd/$REPORT || echo closed"});

  EXPECT_EQ(launched.out, "closed\n");
}

TEST(Launcher, ReportsWhyNothingWasExecuted) {
  EXPECT_EQ(Launch({"/nosuch", "/bin/sh", "x"}).report, Bytes({0, ENOENT}));
  EXPECT_EQ(Launch({"/etc/passwd", "/bin/sh", "x"}).report, Bytes({0, EACCES}));
}

TEST(Launcher, EndsWhereSomebodyMadeItAnInterpreter) {
  EXPECT_EQ(WEXITSTATUS(Launch({}).status), 127);
  EXPECT_EQ(WEXITSTATUS(Launch({"script"}).status), 127);
}

// The permissions of the launcher's file for others than its owner.
TEST(Launcher, CanBeExecutedAndNotBeRead) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd launcher, MakeLauncher());
  struct stat status;
  ASSERT_EQ(fstat(launcher.get(), &status), 0);

  EXPECT_EQ(status.st_mode & 07777, 0111U);
  // Where this is root, it is nobody's who is mapped into a user namespace.
  EXPECT_EQ(status.st_uid, geteuid() == 0 ? 4294967294U : geteuid());
}

TEST(Launcher, CannotBeWrittenTo) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd launcher, MakeLauncher());
  const std::string path = absl::StrCat("/proc/self/fd/", launcher.get());
  // Root may open what nobody may write.
  const absl::StatusOr<base::OwnedFd> writable = base::OpenAt(base::FdRef(AT_FDCWD), path, O_RDWR);
  const base::FdRef fd = writable.ok() ? base::FdRef(*writable) : base::FdRef(launcher);

  EXPECT_THAT(base::WriteAll(fd, "x"), HasErrno(EPERM));
  EXPECT_NE(ftruncate(fd.get(), 0), 0);
  EXPECT_NE(fcntl(fd.get(), F_ADD_SEALS, 0), 0);
}

}  // namespace
}  // namespace nsctl::cmd
