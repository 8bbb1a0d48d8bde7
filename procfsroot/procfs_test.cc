#include "procfsroot/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/process_files.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::HasErrno;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

// A directory that looks like a procfs; removed with the test's temporary directory.
class RecordedProcfs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/procfsXXXXXX");
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }

  void MakeDirectory(const std::string& path) {
    ASSERT_EQ(mkdir(absl::StrCat(root_, "/", path).c_str(), 0755), 0) << path;
  }
  void MakeLink(const std::string& path, const std::string& target) {
    ASSERT_EQ(symlink(target.c_str(), absl::StrCat(root_, "/", path).c_str()), 0) << path;
  }
  void MakeFile(const std::string& path, const std::string& content) {
    const absl::StatusOr<base::OwnedFd> file = base::OpenAt(
        base::FdRef(AT_FDCWD), absl::StrCat(root_, "/", path), O_WRONLY | O_CREAT, 0644);
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT(base::WriteAll(*file, content), IsOk());
  }

  std::string root_;
};

TEST_F(RecordedProcfs, ListsNumbersInAscendingOrderAndNothingElse) {
  for (const char* name : {"100", "2", "33", "self", "4x", "-5", "0", "99999999999999"}) {
    MakeDirectory(name);
  }

  const absl::StatusOr<Procfs> procfs = Procfs::At(root_);

  ASSERT_THAT(procfs, IsOk());
  EXPECT_FALSE(procfs->is_kernel());
  EXPECT_FALSE(procfs->has_own_pids());
  EXPECT_THAT(procfs->ListProcesses(),
              IsOkAndHolds(ElementsAre(base::Pid{2}, base::Pid{33}, base::Pid{100})));
}

TEST_F(RecordedProcfs, ReadsLinksAndTheErrorsOfLinks) {
  MakeDirectory("7");
  MakeDirectory("7/ns");
  MakeLink("7/ns/net", "net:[4026531840]");
  MakeLink("7/ns/uts", "no namespace");
  MakeLink("7/ns/pid_for_children", "pid:[5]");
  const absl::StatusOr<Procfs> procfs = Procfs::At(root_);
  ASSERT_THAT(procfs, IsOk());
  const absl::StatusOr<ProcessDir> dir = procfs->OpenProcess({7});
  ASSERT_THAT(dir, IsOk());

  const NamespaceLinks links = dir->ReadNamespaceLinks();

  NamespaceLinks expected;
  expected.in.fill({.inode = 0, .error = ENOENT});
  expected.in[static_cast<size_t>(base::NamespaceType::kNet)] = {.inode = 4026531840u, .error = 0};
  expected.in[static_cast<size_t>(base::NamespaceType::kUts)] = {.inode = 0, .error = EBADMSG};
  expected.for_children[static_cast<size_t>(base::NamespaceType::kPid)] = {.inode = 5, .error = 0};
  expected.for_children[static_cast<size_t>(base::NamespaceType::kTime)] = {.inode = 0,
                                                                            .error = ENOENT};
  EXPECT_EQ(links, expected);
  EXPECT_THAT(dir->OpenNamespace("net"), HasErrno(ENOENT));
}

TEST_F(RecordedProcfs, ReadsRecordsUpToTheirLimit) {
  MakeDirectory("7");
  MakeFile("7/cmdline", std::string(5000, 'x'));
  const absl::StatusOr<Procfs> procfs = Procfs::At(root_);
  ASSERT_THAT(procfs, IsOk());
  const absl::StatusOr<ProcessDir> dir = procfs->OpenProcess({7});
  ASSERT_THAT(dir, IsOk());
  std::string text = "left over";

  EXPECT_EQ(dir->TryReadRecord("cmdline", 10000, &text), 0);
  EXPECT_EQ(text, std::string(5000, 'x'));
  EXPECT_EQ(dir->TryReadRecord("cmdline", 4999, &text), EFBIG);
  EXPECT_EQ(text, std::string(4999, 'x'));
  EXPECT_EQ(dir->TryReadRecord("stat", 100, &text), ENOENT);
  EXPECT_EQ(text, "");
}

// A directory that a container made up must not have files of the host read.
TEST_F(RecordedProcfs, FollowsNoLinkAndWaitsForNoFifo) {
  MakeDirectory("7");
  MakeFile("secret", "secret");
  MakeLink("7/cmdline", "../secret");
  MakeLink("8", "7");
  MakeLink("sys", ".");
  ASSERT_EQ(mkfifo(absl::StrCat(root_, "/7/stat").c_str(), 0644), 0);
  const absl::StatusOr<Procfs> procfs = Procfs::At(root_);
  ASSERT_THAT(procfs, IsOk());
  const absl::StatusOr<ProcessDir> dir = procfs->OpenProcess({7});
  ASSERT_THAT(dir, IsOk());
  std::string text;

  EXPECT_EQ(dir->TryReadRecord("cmdline", 100, &text), ELOOP);
  EXPECT_EQ(dir->TryReadRecord("stat", 100, &text), 0);
  EXPECT_EQ(text, "");
  EXPECT_THAT(dir->Read("cmdline", 100), HasErrno(ELOOP));
  EXPECT_THAT(procfs->OpenProcess({8}), HasErrno(ENOTDIR));
  EXPECT_THAT(procfs->ReadFile("sys/secret", 100), HasErrno(ENOTDIR));
  EXPECT_THAT(procfs->ReadFile("secret", 100), IsOkAndHolds("secret"));
}

TEST_F(RecordedProcfs, AbsentProcessIsGone) {
  const absl::StatusOr<Procfs> procfs = Procfs::At(root_);
  ASSERT_THAT(procfs, IsOk());

  EXPECT_THAT(procfs->OpenProcess({7}), HasErrno(ENOENT));
  EXPECT_THAT(procfs->OpenSelf(), HasErrno(ENOENT));
}

TEST(ProcfsAt, AbsentDirectoryIsAnError) {
  EXPECT_THAT(Procfs::At("/nonexistent"), HasErrno(ENOENT));
}

TEST(ProcfsLive, ShowsThisProcess) {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  ASSERT_THAT(procfs, IsOk());
  EXPECT_TRUE(procfs->is_live());
  EXPECT_TRUE(procfs->is_kernel());
  EXPECT_TRUE(procfs->has_own_pids());

  const absl::StatusOr<std::vector<base::Pid>> pids = procfs->ListProcesses();

  ASSERT_THAT(pids, IsOk());
  EXPECT_THAT(*pids, Contains(base::Pid{getpid()}));
  EXPECT_TRUE(std::is_sorted(pids->begin(), pids->end()));
}

TEST(ProcfsLive, LinksAreThoseThatStatSees) {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  ASSERT_THAT(procfs, IsOk());
  const absl::StatusOr<ProcessDir> dir = procfs->OpenProcess({getpid()});
  ASSERT_THAT(dir, IsOk());

  const NamespaceLinks links = dir->ReadNamespaceLinks();

  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    struct stat stat_of_file;
    const std::string path = absl::StrCat("/proc/self/ns/", info.name);
    const bool exists = stat(path.c_str(), &stat_of_file) == 0;
    const NamespaceLinks::Entry& entry = links.in[static_cast<size_t>(info.type)];
    EXPECT_EQ(entry.inode, exists ? stat_of_file.st_ino : 0) << info.name;
    EXPECT_EQ(entry.error, exists ? 0 : ENOENT) << info.name;
  }
  EXPECT_EQ(dir->ReadThreadNamespaceLinks({gettid()}), links);
}

// The promise that scans rest on: an open directory never shows another process.
TEST(ProcessDir, AnswersNoMoreOnceItsProcessIsReaped) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    pause();
    _exit(0);
  }
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  ASSERT_THAT(procfs, IsOk());
  const absl::StatusOr<ProcessDir> dir = procfs->OpenProcess({child});
  ASSERT_THAT(dir, IsOk());
  std::string text;
  EXPECT_EQ(dir->TryReadRecord("stat", kMaxStat, &text), 0);

  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);

  EXPECT_EQ(dir->TryReadRecord("stat", kMaxStat, &text), ESRCH);
  EXPECT_THAT(procfs->OpenProcess({child}), HasErrno(ENOENT));
}

// Runs in a child that has mounts of its own, and becomes its result: 0, or the number of the check
// that failed.
[[noreturn]] void CheckOvermounts() {
  if (unshare(CLONE_NEWNS) != 0) _exit(100);
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(101);
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  if (!procfs.ok()) _exit(1);
  const base::Pid parent{getppid()};
  const std::string directory = absl::StrCat("/proc/", parent.value);
  if (mount("/dev/null", absl::StrCat(directory, "/stat").c_str(), nullptr, MS_BIND, nullptr) !=
      0) {
    _exit(102);
  }
  std::string text;
  const absl::StatusOr<ProcessDir> dir = procfs->OpenProcess(parent);
  if (!dir.ok()) _exit(2);
  if (dir->TryReadRecord("stat", kMaxStat, &text) != EXDEV) _exit(3);
  if (dir->ReadNamespaceLinks().in[0].error != 0) _exit(4);
  if (mount("none", directory.c_str(), "tmpfs", 0, nullptr) != 0) _exit(103);
  if (base::ErrnoOf(procfs->OpenProcess(parent).status()) != EXDEV) _exit(5);
  _exit(0);
}

TEST(ProcfsLive, BelievesNothingThatIsMountedOverIt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) CheckOvermounts();
  int status = 0;

  ASSERT_EQ(waitpid(child, &status, 0), child);

  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) >= 100) GTEST_SKIP() << "needs CAP_SYS_ADMIN and openat2";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace nsctl::procfsroot
