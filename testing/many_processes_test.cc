#include "testing/many_processes.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/namespace_fixture.h"
#include "testing/status_matchers.h"

namespace nsctl::testing {
namespace {

using ::testing::Each;
using ::testing::Eq;
using ::testing::SizeIs;

// How many entries each process's directory `name` has.
std::vector<size_t> CountEntries(const ManyProcesses& processes, absl::string_view name) {
  std::vector<size_t> counts;
  for (const base::Pid pid : processes.pids()) {
    const std::filesystem::directory_iterator entries(absl::StrCat("/proc/", pid.value, "/", name));
    counts.push_back(static_cast<size_t>(std::distance(begin(entries), end(entries))));
  }
  return counts;
}

// The inodes of the processes' namespaces.
std::set<ino_t> Namespaces(const ManyProcesses& processes, absl::string_view type) {
  std::set<ino_t> inodes;
  for (const base::Pid pid : processes.pids()) {
    struct stat info;
    if (stat(absl::StrCat("/proc/", pid.value, "/ns/", type).c_str(), &info) == 0) {
      inodes.insert(info.st_ino);
    }
  }
  return inodes;
}

TEST(ManyProcesses, AreThereAndThenGone) {
  std::vector<base::Pid> pids;
  {
    NSCTL_ASSERT_OK_AND_ASSIGN(const auto processes, ManyProcesses::Start({.count = 300}));
    pids = processes->pids();
    for (const base::Pid pid : pids) EXPECT_EQ(kill(pid.value, 0), 0);
    EXPECT_THAT(CountEntries(*processes, "task"), Each(Eq(1u)));
    EXPECT_THAT(CountEntries(*processes, "fd"), Each(Eq(3u)));
  }

  EXPECT_THAT(pids, SizeIs(300));
  for (const base::Pid pid : pids) {
    EXPECT_EQ(kill(pid.value, 0), -1);
    EXPECT_EQ(errno, ESRCH);
  }
}

TEST(ManyProcesses, HaveThreadsAndFiles) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto processes,
                             ManyProcesses::Start({.count = 20, .threads = 3, .files = 10}));

  EXPECT_THAT(CountEntries(*processes, "task"), Each(Eq(4u)));
  EXPECT_THAT(CountEntries(*processes, "fd"), Each(Eq(13u)));
}

TEST(ManyProcesses, HaveNamespacesOfTheirOwn) {
  const auto processes =
      ManyProcesses::Start({.count = 5, .namespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS});
  if (CannotMakeNamespaces(processes.status())) GTEST_SKIP() << processes.status();
  ASSERT_THAT(processes, IsOk());

  EXPECT_THAT(Namespaces(**processes, "net"), SizeIs(5));
  EXPECT_THAT(Namespaces(**processes, "mnt"), SizeIs(5));
  EXPECT_THAT(Namespaces(**processes, "uts"), SizeIs(5));
  EXPECT_THAT(Namespaces(**processes, "ipc"), SizeIs(1));
}

TEST(ManyProcesses, MayBeNone) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto processes, ManyProcesses::Start({}));

  EXPECT_THAT(processes->pids(), SizeIs(0));
}

TEST(ManyProcesses, PassOnWhatTheKernelRefuses) {
  // clone(2): CLONE_THREAD wants CLONE_SIGHAND.
  EXPECT_THAT(ManyProcesses::Start({.count = 5, .namespaces = CLONE_THREAD}), HasErrno(EINVAL));
}

}  // namespace
}  // namespace nsctl::testing
