#include "nsentry/entered_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pipe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsentry/test_scene.h"
#include "procfsroot/run_in_child.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::nsentry {
namespace {

using testing::HasErrno;
using testing::IsOk;

EntryPlan Nowhere() { return *EntryPlan::Make(*procfsroot::Procfs::Live(), EntryRequest()); }

bool DropAllCapabilities() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

TEST(EnteredProcess, ReturnsWhatItsBodyReturned) {
  NSCTL_ASSERT_OK_AND_ASSIGN(EnteredProcess process,
                             EnteredProcess::Start(Nowhere(), {}, [] { return 7; }));

  const absl::StatusOr<int> status = process.Wait();

  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(WEXITSTATUS(*status), 7);
}

TEST(EnteredProcess, InAPidNamespaceIsAChildOfTheCallerAllTheSame) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWPID}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());

  NSCTL_ASSERT_OK_AND_ASSIGN(EnteredProcess process, EnteredProcess::Start(plan, {}, [] {
                               // Its parent is outside.
                               return getpid() < 10 && getppid() == 0 ? 0 : 1;
                             }));

  EXPECT_EQ(LinkOf({process.pid()}, base::NamespaceType::kPid),
            LinkOf(fixture->last().pid, base::NamespaceType::kPid));
  const absl::StatusOr<int> status = process.Wait();
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(*status, 0);
}

TEST(EnteredProcess, DiesWithItsObject) {
  pid_t pid = 0;
  {
    NSCTL_ASSERT_OK_AND_ASSIGN(EnteredProcess process, EnteredProcess::Start(Nowhere(), {}, [] {
                                 while (true) pause();
                                 return 0;
                               }));
    pid = process.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(EnteredProcess, DoesNotStartWhereItsPreparationFails) {
  StartOptions options;
  options.before_entry = [] { return ENOSPC; };
  options.before_entry_name = "join";

  const absl::StatusOr<EnteredProcess> process =
      EnteredProcess::Start(Nowhere(), options, [] { return 0; });

  EXPECT_THAT(process, HasErrno(ENOSPC));
  EXPECT_EQ(process.status().message(), "join: No space left on device (ENOSPC)");
}

// What somebody with this uid and no capability gets of the program of process `pid`.
std::string OpenProgramOf(pid_t pid) {
  return procfsroot::RunInChild(0, [&]() -> std::string {
    if (!DropAllCapabilities()) return "capset";
    const std::string path = absl::StrCat("/proc/", pid, "/exe");
    const absl::StatusOr<base::OwnedFd> fd = base::OpenAt(base::FdRef(AT_FDCWD), path, O_RDONLY);
    return fd.ok() ? "opened" : base::ErrnoName(base::ErrnoOf(fd.status()));
  });
}

// Runs a child without capabilities whose dumpability is set to `dumpable` where that is not -1.
std::string OpenProgramOfChild(int dumpable) {
  base::Pipe ready = *base::MakePipe();
  absl::StatusOr<EnteredProcess> process = EnteredProcess::Start(Nowhere(), {}, [&] {
    const bool good = DropAllCapabilities() &&
                      (dumpable < 0 || prctl(PR_SET_DUMPABLE, dumpable) == 0) &&
                      write(ready.write_end.get(), "r", 1) == 1;
    if (!good) return 1;
    while (true) pause();
  });
  if (!process.ok()) return process.status().ToString();
  char sign;
  if (read(ready.read_end.get(), &sign, 1) != 1) return "not ready";
  return OpenProgramOf(process->pid());
}

TEST(EnteredProcess, ShowsItsProgramToNobody) {
  EXPECT_EQ(OpenProgramOfChild(1), "opened");
  EXPECT_EQ(OpenProgramOfChild(-1), "EACCES");
}

// What Start says where the program that the child became answers `answer`.
absl::Status AnswerWith(const EntryPlan& plan, int32_t answer) {
  StartOptions options;
  options.execute = [&](int fd) {
    return write(fd, &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1;
  };
  return EnteredProcess::Start(plan, options, [] { return 0; }).status();
}

// Somebody who is no child of this process; ends with `held`.
pid_t StartStranger(const base::Pipe& held) {
  base::Pipe told = *base::MakePipe();
  const pid_t child = fork();
  if (child == 0) {
    close(held.write_end.get());
    const pid_t stranger = fork();
    char end;
    if (stranger == 0) _exit(static_cast<int>(read(held.read_end.get(), &end, 1)));
    _exit(write(told.write_end.get(), &stranger, sizeof(stranger)) == sizeof(stranger) ? 0 : 1);
  }
  pid_t stranger = 0;
  const ssize_t size = read(told.read_end.get(), &stranger, sizeof(stranger));
  waitpid(child, nullptr, 0);
  return size == sizeof(stranger) ? stranger : 0;
}

std::string IsNotTheOne(pid_t pid) {
  return absl::StrCat("enter namespaces: process ", pid, " is not the one that was started");
}

TEST(EnteredProcess, BelievesNoNumberThatTheKernelDoesNotConfirm) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWPID}});
  base::Pipe held = *base::MakePipe();
  const pid_t stranger = StartStranger(held);
  ASSERT_GT(stranger, 0);
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());
  NSCTL_ASSERT_OK_AND_ASSIGN(EnteredProcess other, EnteredProcess::Start(Nowhere(), {}, [] {
                               while (true) pause();
                               return 0;
                             }));

  EXPECT_EQ(AnswerWith(plan, stranger).message(), IsNotTheOne(stranger));
  EXPECT_EQ(AnswerWith(plan, getpid()).message(), IsNotTheOne(getpid()));
  EXPECT_EQ(AnswerWith(plan, other.pid()).message(), IsNotTheOne(other.pid()));

  // Nobody was signalled because of a number.
  EXPECT_EQ(LinkOf({stranger}, base::NamespaceType::kPid), OwnLink(base::NamespaceType::kPid));
  siginfo_t info = {};
  EXPECT_EQ(waitid(P_PID, static_cast<id_t>(other.pid()), &info, WEXITED | WNOHANG | WNOWAIT), 0);
  EXPECT_EQ(info.si_pid, 0);
}

TEST(EnteredProcess, RefusesAnswersThatMakeNoSense) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWPID}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());
  const std::string senseless = "enter namespaces: the launcher's answer makes no sense";

  EXPECT_EQ(AnswerWith(plan, 0).message(), senseless);
  EXPECT_EQ(AnswerWith(plan, -1701738352).message(), senseless);
  EXPECT_EQ(AnswerWith(plan, INT32_MIN).message(), senseless);
  EXPECT_THAT(AnswerWith(plan, -EAGAIN), HasErrno(EAGAIN));
}

// The first child says which one the second is, and then does not end.
absl::Status StartWithLingeringFirst(const EntryPlan& plan, StartOptions options) {
  options.execute = [](int fd) {
    const long pid = syscall(SYS_clone, CLONE_PARENT, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) _exit(0);
    const int32_t answer = static_cast<int32_t>(pid);
    if (write(fd, &answer, sizeof(answer)) != sizeof(answer)) return 1;
    while (true) pause();
  };
  return EnteredProcess::Start(plan, options, [] { return 0; }).status();
}

TEST(EnteredProcess, WaitsForNobodyWithoutEnd) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWPID}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());
  StartOptions short_of_time;
  // Long enough for the second child to be known, also where all is slow.
  short_of_time.timeout = absl::Seconds(1);
  StartOptions unwanted;
  const absl::Time then = absl::Now() + absl::Seconds(2);
  unwanted.is_cancelled = [&] { return absl::Now() >= then; };

  EXPECT_EQ(StartWithLingeringFirst(plan, short_of_time).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(StartWithLingeringFirst(plan, unwanted).code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace nsctl::nsentry
