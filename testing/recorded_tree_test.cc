#include "testing/recorded_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::testing {
namespace {

using ::testing::ElementsAre;
using Kind = RecordedEntry::Kind;

std::string ReadLink(const std::string& path) {
  char target[256];
  const ssize_t size = readlink(path.c_str(), target, sizeof(target));
  return size < 0 ? "" : std::string(target, static_cast<size_t>(size));
}

constexpr char kTree[] =
    "# A process.\n"
    "d 7/fdinfo\n"
    "f 7/comm\n"
    "|a b\\\\\n"
    "\n"
    "f 7/cmdline\n"
    ":sleep\\x001\\x00\n"
    "f 7/status\n"
    "|Name:\\x09a b\n"
    "|\n"
    "|Pid:\\x097\n"
    "# In the middle of a file too.\n"
    ":end\n"
    "f 7/environ\n"
    "l 7/ns/net net:[4026531840]\n"
    "l 7/ex\\x20e two words\n"
    "n net 4026531840 device=0:4\n";

TEST(ParseRecordedTree, GivesEntriesInTheirOrder) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const RecordedTree tree, ParseRecordedTree(kTree));

  EXPECT_THAT(tree.entries,
              ElementsAre(RecordedEntry{Kind::kDirectory, "7/fdinfo", ""},
                          RecordedEntry{Kind::kFile, "7/comm", "a b\\\n"},
                          RecordedEntry{Kind::kFile, "7/cmdline", std::string("sleep\0001\0", 8)},
                          RecordedEntry{Kind::kFile, "7/status", "Name:\ta b\n\nPid:\t7\nend"},
                          RecordedEntry{Kind::kFile, "7/environ", ""},
                          RecordedEntry{Kind::kLink, "7/ns/net", "net:[4026531840]"},
                          RecordedEntry{Kind::kLink, "7/ex e", "two words"}));
  EXPECT_THAT(tree.namespaces, ElementsAre(RecordedNamespace{17, "net 4026531840 device=0:4"}));
}

TEST(UnpackRecordedTree, MakesFilesLinksAndDirectories) {
  const TestDirectory parent;
  const std::string directory = parent.path() + "/tree";

  ASSERT_THAT(UnpackRecordedTree(kTree, directory), IsOk());

  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd root,
                             base::OpenAt(base::FdRef(AT_FDCWD), directory, O_RDONLY));
  EXPECT_THAT(base::ReadFileAt(root, "7/cmdline", 100),
              IsOkAndHolds(std::string("sleep\0001\0", 8)));
  EXPECT_THAT(base::ReadFileAt(root, "7/status", 100), IsOkAndHolds("Name:\ta b\n\nPid:\t7\nend"));
  EXPECT_THAT(base::ReadFileAt(root, "7/environ", 100), IsOkAndHolds(""));
  EXPECT_EQ(ReadLink(directory + "/7/ns/net"), "net:[4026531840]");
  EXPECT_EQ(ReadLink(directory + "/7/ex e"), "two words");
  struct stat info;
  ASSERT_EQ(stat((directory + "/7/fdinfo").c_str(), &info), 0);
  EXPECT_TRUE(S_ISDIR(info.st_mode));
}

TEST(UnpackRecordedTree, TakesAnEmptyTree) {
  const TestDirectory parent;
  const std::string directory = parent.path() + "/tree";

  EXPECT_THAT(UnpackRecordedTree("", directory), IsOk());

  EXPECT_EQ(access(directory.c_str(), F_OK), 0);
}

TEST(UnpackRecordedTree, WantsADirectoryOfItsOwn) {
  const TestDirectory parent;
  const std::string directory = parent.path() + "/tree";
  ASSERT_THAT(UnpackRecordedTree("f a\n", directory), IsOk());

  EXPECT_THAT(UnpackRecordedTree("f a\n", directory), HasErrno(EEXIST));
}

TEST(UnpackRecordedTree, DoesNotFollowLinks) {
  const TestDirectory directory;

  EXPECT_THAT(UnpackRecordedTree("l a /\nf a/b\n", directory.path()), HasErrno(EEXIST));
}

struct LineCase {
  const char* name;
  std::string text;
  std::string message;
};

class BadLine : public ::testing::TestWithParam<LineCase> {};

TEST_P(BadLine, IsNamed) {
  EXPECT_THAT(ParseRecordedTree(GetParam().text),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("recorded tree: line ", GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadLine,
    ::testing::Values(LineCase{"unknown_kind", "f a\nx b\n", "2: unknown kind"},
                      LineCase{"no_path", "f \n", "1: bad path"},
                      LineCase{"absolute_path", "f /a\n", "1: bad path"},
                      LineCase{"path_upward", "f a/../b\n", "1: bad path"},
                      LineCase{"path_with_nul", "f a\\x00b\n", "1: bad path"},
                      LineCase{"content_of_a_directory", "d a\n|x\n", "2: content without a file"},
                      LineCase{"content_first", "|x\n", "1: content without a file"},
                      LineCase{"cut_escape", "f a\n:\\x0\n", "2: bad escape"},
                      LineCase{"byte_that_is_not_escaped", "f a\n:\t\n", "2: bad escape"},
                      LineCase{"link_without_target", "l a\n", "1: no target"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace nsctl::testing
