#include "procfsroot/lexical_resolve.h"

#include <errno.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/test_tree.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;

constexpr LexicalOptions kCompatible = {.dot_dot = LexicalOptions::DotDot::kRefuse};
constexpr LexicalOptions kCompatibleExceptLast = {.dot_dot = LexicalOptions::DotDot::kRefuse,
                                                  .follow_last = false};

struct Row {
  std::string name;
  std::string input;
  LexicalOptions options = kCompatible;
  // A path, or an errno and what the message holds.
  std::string path = "";
  int error = 0;
  std::string message = "";
};

void Check(const std::string& root, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const absl::StatusOr<std::string> result = LexicalResolve(row.input, root, row.options);
    if (row.error == 0) {
      EXPECT_THAT(result, IsOkAndHolds(row.path));
      continue;
    }
    EXPECT_THAT(result, HasErrno(row.error));
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(row.message));
  }
}

// The test cases of procfsroot itself.
TEST(LexicalResolve, AnswersAsProcfsrootDoes) {
  TestTree tree({{'f', "root/a/b.txt"},
                 {'f', "root/a/d/dummy.txt"},
                 {'l', "root/relsymlink", "a/b.txt"},
                 {'l', "root/unrooter/tryingtoleavethebox", "../../outofreach.txt"},
                 {'f', "outofreach.txt"}});
  const LexicalOptions except_last = kCompatibleExceptLast;

  Check(tree.PathOf("root"),
        {{.name = "1", .input = "/a/b.txt", .path = "/a/b.txt"},
         {.name = "2", .input = "/////a/////b.txt", .path = "/a/b.txt"},
         {.name = "3", .input = "", .path = "/"},
         {.name = "4", .input = "a", .path = "/a"},
         {.name = "5", .input = "/a/b.txt/c", .error = ENOTDIR},
         {.name = "6", .input = "/a/zzz/b.txt", .error = ENOENT},
         {.name = "7", .input = "//a//", .path = "/a"},
         {.name = "8", .input = "/./a/./b.txt", .path = "/a/b.txt"},
         {.name = "9", .input = "/a/../a/b.txt", .path = "/a/b.txt"},
         {.name = "10", .input = "/a/d/../b.txt", .path = "/a/b.txt"},
         {.name = "11", .input = "/a/zzz/whateverelse", .error = ENOENT},
         {.name = "12", .input = "/a/zzz.txt", .error = ENOENT},
         {.name = "13", .input = "/a/zzz.txt", .options = except_last, .path = "/a/zzz.txt"},
         {.name = "14", .input = "/relsymlink", .path = "/a/b.txt"},
         {.name = "15", .input = "/../foo", .error = EXDEV, .message = "no parent directory"},
         {.name = "16",
          .input = "/a/d/../../../foo",
          .error = EXDEV,
          .message = "no parent directory"},
         {.name = "17",
          .input = "/unrooter/tryingtoleavethebox",
          .error = EXDEV,
          .message = "no parent directory"}});
}

TEST(LexicalResolve, GivesUpAfterManyLinks) {
  std::string path;
  for (int i = 0; i < 512; ++i) path += "/proc/self/root";

  // Row 18.
  Check("/proc/self/root",
        {{.name = "18", .input = path, .error = ELOOP, .message = "too many symlinks"}});
}

// The examples of procfsroot's documentation, rows 19 to 22.
TEST(LexicalResolve, AnswersTheExamples) {
  TestTree tree({{'l', "var/run", "/run"}, {'s', "run/docker.sock"}});

  Check(tree.path(),
        {{.name = "19", .input = "/var/run/docker.sock", .path = "/run/docker.sock"},
         {.name = "20",
          .input = "/var/run/something",
          .error = ENOENT,
          .message = absl::StrCat("lstat ", tree.path(), "/run/something: No such file")},
         {.name = "21",
          .input = "/var/run/something",
          .options = kCompatibleExceptLast,
          .path = "/run/something"},
         {.name = "22",
          .input = "/../../../bin/hostbinary",
          .error = EXDEV,
          .message = "no parent directory"}});
}

// Where procfsroot differs from the kernel.
TEST(LexicalResolve, KeepsTheDifferencesToTheKernel) {
  TestTree tree({{'f', "a/b.txt"},
                 {'f', "a/d/x"},
                 {'l', "rel", "a/b.txt"},
                 {'l', "la", "a"},
                 {'l', "lla", "la"},
                 {'l', "dangling", "nowhere"},
                 {'l', "loop", "loop"},
                 {'l', "var/run", "../../../run"},
                 {'s', "run/d.sock"}});
  for (int i = 1; i < 256; ++i) {
    tree.Make({'l', absl::StrCat("chain", i), absl::StrCat("chain", i + 1)});
  }
  tree.Make({'l', "chain256", "a/b.txt"});
  const LexicalOptions except_last = kCompatibleExceptLast;

  Check(
      tree.path(),
      {{.name = "dot dot", .input = "..", .error = EXDEV},
       {.name = "dot dot, clamped", .input = "/../a", .options = {}, .path = "/a"},
       {.name = "dot dot in a link", .input = "/var/run/d.sock", .error = EXDEV},
       {.name = "dot dot in a link, clamped",
        .input = "/var/run/d.sock",
        .options = {},
        .path = "/run/d.sock"},
       {.name = "link to a file, slash", .input = "/rel/", .error = ENOTDIR},
       {.name = "the same, except last",
        .input = "/rel/",
        .options = except_last,
        .error = ENOTDIR},
       {.name = "file, dot dot", .input = "/a/b.txt/..", .error = ENOTDIR},
       {.name = "file, dot", .input = "/a/b.txt/.", .error = ENOTDIR},
       {.name = "absent, dot dot", .input = "/a/zzz/..", .error = ENOENT},
       {.name = "link, dot dot", .input = "/la/..", .path = "/"},
       {.name = "links, slash", .input = "/lla/", .path = "/a"},
       {.name = "except last, slash", .input = "/lla/", .options = except_last, .path = "/a"},
       {.name = "except last, dot", .input = "/lla/.", .options = except_last, .path = "/a"},
       {.name = "dangling", .input = "/dangling", .error = ENOENT},
       {.name = "dangling, except last",
        .input = "/dangling",
        .options = except_last,
        .path = "/dangling"},
       {.name = "loop", .input = "/loop", .error = ELOOP, .message = "too many symlinks"},
       {.name = "loop, except last", .input = "/loop", .options = except_last, .path = "/loop"},
       {.name = "255 links", .input = "/chain2", .path = "/a/b.txt"},
       {.name = "256 links", .input = "/chain1", .error = ELOOP, .message = "too many symlinks"}});
}

TEST(LexicalResolve, TakesMagicLinksByTheirText) {
  char exe[4096];
  const ssize_t size = readlink("/proc/self/exe", exe, sizeof(exe));
  ASSERT_GT(size, 0);

  EXPECT_THAT(LexicalResolve("/proc/self/exe", "/"),
              IsOkAndHolds(std::string(exe, static_cast<size_t>(size))));
  EXPECT_THAT(LexicalResolve("/proc/self/ns/net", "/"), HasErrno(ENOENT));
}

}  // namespace
}  // namespace nsctl::procfsroot
