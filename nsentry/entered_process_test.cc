#include "nsentry/entered_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
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

}  // namespace
}  // namespace nsctl::nsentry
