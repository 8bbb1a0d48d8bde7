#include "procfsroot/tree_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using base::OwnedFd;
using ::testing::ElementsAre;
using testing::HasErrno;
using testing::IsOkAndHolds;
using ::testing::SizeIs;

absl::StatusOr<TreeDirectory> OpenTree(const std::string& path) {
  return TreeDirectory::Open(OwnedFd(open(path.c_str(), O_PATH | O_CLOEXEC), path),
                             {std::make_shared<BoundedCaller>(), absl::Seconds(20)});
}

// All names, in their order.
std::vector<std::string> NamesOf(TreeDirectory* directory) {
  std::vector<std::string> names;
  while (true) {
    const absl::StatusOr<std::vector<std::string>> some = directory->ReadNames();
    EXPECT_TRUE(some.ok()) << some.status();
    if (!some.ok() || some->empty()) break;
    names.insert(names.end(), some->begin(), some->end());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(TreeDirectory, NamesWhatIsInIt) {
  TestTree tree({{'f', "b"}, {'d', "a"}, {'l', "link", "nowhere"}, {'f', "bad\xff\n"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(TreeDirectory directory, OpenTree(tree.path()));

  EXPECT_THAT(NamesOf(&directory), ElementsAre("a", "b", "bad\xff\n", "link"));
}

TEST(TreeDirectory, GivesManyNamesInPieces) {
  TestTree tree({{'d', "many"}});
  for (int i = 0; i < 5000; ++i) {
    const std::string path = tree.PathOf(absl::StrCat("many/", i, std::string(40, 'x')));
    ASSERT_GE(OwnedFd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)).get(), 0);
  }
  NSCTL_ASSERT_OK_AND_ASSIGN(TreeDirectory directory, OpenTree(tree.PathOf("many")));

  const absl::StatusOr<std::vector<std::string>> first = directory.ReadNames();
  ASSERT_TRUE(first.ok());
  EXPECT_LT(first->size(), 5000u);
  EXPECT_THAT(NamesOf(&directory), SizeIs(5000 - first->size()));
}

TEST(TreeDirectory, IsADirectory) {
  TestTree tree({{'f', "file"}});

  EXPECT_THAT(OpenTree(tree.PathOf("file")), HasErrno(ENOTDIR));
}

TEST(TreeDirectory, LooksAtNamesWithoutFollowingThem) {
  TestTree tree({{'f', "file", "12345"}, {'l', "link", "file"}, {'p', "fifo"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const TreeDirectory directory, OpenTree(tree.path()));

  const std::vector<absl::StatusOr<TreeEntry>> entries =
      directory.Look({"link", "none", "file", "fifo"});

  ASSERT_THAT(entries, SizeIs(4));
  ASSERT_TRUE(entries[0].ok());
  EXPECT_TRUE(S_ISLNK(entries[0]->status.stx_mode));
  EXPECT_EQ(entries[0]->link, "file");
  EXPECT_THAT(entries[1], HasErrno(ENOENT));
  ASSERT_TRUE(entries[2].ok());
  EXPECT_EQ(entries[2]->status.stx_size, 5u);
  ASSERT_TRUE(entries[3].ok());
  EXPECT_TRUE(S_ISFIFO(entries[3]->status.stx_mode));
}

TEST(TreeDirectory, TakesShortFilesWholeAndOpensLongOnes) {
  TestTree tree({{'f', "short", "12345"}, {'f', "long", "123456"}, {'f', "empty"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const TreeDirectory directory, OpenTree(tree.path()));

  NSCTL_ASSERT_OK_AND_ASSIGN(const OpenedEntry taken, directory.OpenEntry("short", 5));
  EXPECT_EQ(taken.content, "12345");
  EXPECT_FALSE(taken.file.has_value());
  NSCTL_ASSERT_OK_AND_ASSIGN(OpenedEntry opened, directory.OpenEntry("long", 5));
  EXPECT_EQ(opened.content, "");
  ASSERT_TRUE(opened.file.has_value());
  EXPECT_THAT(opened.file->Read(100), IsOkAndHolds("123456"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OpenedEntry empty, directory.OpenEntry("empty", 5));
  EXPECT_EQ(empty.content, "");
  EXPECT_FALSE(empty.file.has_value());
}

// Files of procfs say that they are empty.
TEST(TreeDirectory, BelievesNoSize) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TreeDirectory directory, OpenTree("/proc/self"));

  NSCTL_ASSERT_OK_AND_ASSIGN(const OpenedEntry taken, directory.OpenEntry("comm", 100));
  EXPECT_NE(taken.content, "");
  NSCTL_ASSERT_OK_AND_ASSIGN(OpenedEntry opened, directory.OpenEntry("status", 100));
  ASSERT_TRUE(opened.file.has_value());
  NSCTL_ASSERT_OK_AND_ASSIGN(const absl::string_view beginning, opened.file->Read(5));
  EXPECT_EQ(beginning, "Name:");
}

TEST(TreeDirectory, DoesNotEnterWhatAProcfsHasOfItsReader) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TreeDirectory directory, OpenTree("/proc"));

  EXPECT_THAT(directory.OpenEntry(absl::StrCat(getpid()), 100), HasErrno(ELOOP));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OpenedEntry other,
                             directory.OpenEntry(absl::StrCat(getppid()), 100));
  EXPECT_TRUE(other.directory.ok());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OpenedEntry link, directory.OpenEntry("self", 100));
  EXPECT_EQ(link.entry.link, absl::StrCat(getpid()));
}

TEST(TreeDirectory, OpensNothingElse) {
  TestTree tree({{'p', "fifo"}, {'l', "link", "fifo"}, {'s', "sock"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const TreeDirectory directory, OpenTree(tree.path()));

  for (const char* name : {"fifo", "link", "sock"}) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const OpenedEntry entry, directory.OpenEntry(name, 100));
    EXPECT_FALSE(entry.file.has_value()) << name;
    EXPECT_FALSE(entry.directory.ok()) << name;
  }
}

TEST(TreeDirectory, EntersWhatItHolds) {
  TestTree tree({{'f', "a/b/file"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const TreeDirectory top, OpenTree(tree.path()));

  NSCTL_ASSERT_OK_AND_ASSIGN(OpenedEntry a, top.OpenEntry("a", 0));
  NSCTL_ASSERT_OK_AND_ASSIGN(TreeDirectory below, top.Enter(std::move(a.directory)));
  EXPECT_THAT(NamesOf(&below), ElementsAre("b"));
}

TEST(TreeDirectory, StaysOnItsMountIfAsked) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const TreeDirectory directory,
      TreeDirectory::Open(OwnedFd(open("/", O_PATH | O_CLOEXEC), "/"),
                          {std::make_shared<BoundedCaller>(), absl::Seconds(20), true}));

  EXPECT_THAT(directory.OpenEntry("proc", 0), HasErrno(EXDEV));
}

}  // namespace
}  // namespace nsctl::procfsroot
