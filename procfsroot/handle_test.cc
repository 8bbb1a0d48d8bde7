#include "procfsroot/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using ::testing::EndsWith;
using testing::HasErrno;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

base::OwnedFd Handle(const TestTree& tree, const std::string& path) {
  return base::OwnedFd(open(tree.PathOf(path).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC), path);
}

TEST(Handle, IsReopenedWhereverItsPathLeadsByNow) {
  TestTree tree({{'f', "file", "right"}, {'f', "other", "wrong"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const SelfFds self_fds, SelfFds::Open());
  const base::OwnedFd handle = Handle(tree, "file");
  ASSERT_EQ(rename(tree.PathOf("other").c_str(), tree.PathOf("file").c_str()), 0);

  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd file, self_fds.Reopen(handle, O_RDONLY));

  std::string content;
  EXPECT_THAT(base::ReadToEnd(file, 100, &content), IsOk());
  EXPECT_EQ(content, "right");
  EXPECT_THAT(self_fds.PathOf(handle), IsOkAndHolds(EndsWith("/file (deleted)")));
}

TEST(Handle, TellsTheFilesAttributes) {
  TestTree tree({{'f', "file", "12345"}, {'l', "link", "file"}});

  NSCTL_ASSERT_OK_AND_ASSIGN(const struct statx file, FreshStat(Handle(tree, "file")));
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct statx link, LookedUpStat(Handle(tree, "link")));

  EXPECT_EQ(file.stx_size, 5u);
  EXPECT_TRUE(S_ISLNK(link.stx_mode));
  EXPECT_THAT(ReadLinkText(Handle(tree, "link")), IsOkAndHolds("file"));
  EXPECT_THAT(ReadLinkText(Handle(tree, "file")), HasErrno(EINVAL));
}

// What ended and was not reaped has no program. Source: do_proc_readlink in fs/proc/base.c.
TEST(Handle, TellsALinkThatLeadsNowhereFromWhatIsNone) {
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) _exit(0);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  const std::string path = absl::StrCat("/proc/", pid, "/exe");
  const base::OwnedFd link(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC), path);

  EXPECT_THAT(ReadLinkText(link), HasErrno(ENOENT));
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST(Handle, ListsLargeDirectoriesWholeAndEmptyOnesAsEmpty) {
  TestTree tree({{'d', "empty"}, {'d', "large"}});
  constexpr size_t kCount = 3000;
  const std::string padding(200, 'x');
  for (size_t i = 0; i < kCount; ++i) tree.Make({'f', absl::StrCat("large/", i, padding)});

  NSCTL_ASSERT_OK_AND_ASSIGN(const std::vector<DirectoryEntry> entries,
                             ListDirectory(Handle(tree, "large"), kCount));

  EXPECT_EQ(entries.size(), kCount);
  EXPECT_THAT(ListDirectory(Handle(tree, "large"), kCount - 1),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ListDirectory(Handle(tree, "empty"), 0), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace nsctl::procfsroot
