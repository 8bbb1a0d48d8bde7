#include "cmd/copy_destination.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using testing::HasErrno;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

class CopyDestinationTest : public ::testing::Test {
 protected:
  std::string PathOf(const std::string& name) const {
    return absl::StrCat(directory_.path(), "/", name);
  }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(PathOf(name)) << content;
  }
  std::string Read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(PathOf(name)).rdbuf();
    return text.str();
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  CopyDestination Open() const {
    absl::StatusOr<CopyDestination> opened = CopyDestination::Open(directory_.path());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  // A finished file with this content.
  absl::Status Copy(const CopyDestination& to, const std::string& name, const std::string& content,
                    const CopyAttributes& attributes = {}) const {
    absl::StatusOr<NewFile> file = to.MakeFile();
    if (!file.ok()) return file.status();
    const absl::Status written = base::WriteAll(*file->fd(), content);
    return written.ok() ? to.Finish(*std::move(file), name, attributes) : written;
  }

  testing::TestDirectory directory_;
};

TEST_F(CopyDestinationTest, LeadsThroughNoMagicLink) {
  ASSERT_EQ(symlink("/proc/self/root", PathOf("link").c_str()), 0);
  ASSERT_EQ(symlink("loop", PathOf("loop").c_str()), 0);
  ASSERT_EQ(symlink(".", PathOf("plain").c_str()), 0);

  for (const std::string& path : {std::string("/proc/self/root/tmp"), PathOf("link")}) {
    EXPECT_THAT(CopyDestination::Open(path),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         ::testing::HasSubstr("leads through a magic link")));
  }
  EXPECT_THAT(CopyDestination::Open(PathOf("loop")), HasErrno(ELOOP));
  EXPECT_THAT(CopyDestination::Open(PathOf("plain")), IsOk());
}

TEST_F(CopyDestinationTest, GivesAFileItsNameWhenItIsComplete) {
  const CopyDestination to = Open();
  {
    absl::StatusOr<NewFile> file = to.MakeFile();
    ASSERT_TRUE(file.ok());
    EXPECT_FALSE(std::filesystem::exists(PathOf("name")));
    ASSERT_THAT(to.Finish(*std::move(file), "name", {.mode = 0640}), IsOk());
  }

  EXPECT_THAT(Names(), ElementsAre("name"));
  struct stat status;
  ASSERT_EQ(stat(PathOf("name").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(CopyDestinationTest, LeavesNothingOfWhatWasNotFinished) {
  const CopyDestination to = Open();
  { ASSERT_TRUE(to.MakeFile().ok()); }

  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(CopyDestinationTest, NeverWritesThroughALink) {
  Write("victim", "safe");
  ASSERT_EQ(symlink("victim", PathOf("name").c_str()), 0);
  const CopyDestination to = Open();

  ASSERT_THAT(Copy(to, "name", "new"), IsOk());

  EXPECT_EQ(Read("victim"), "safe");
  EXPECT_EQ(Read("name"), "new");
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(PathOf("name"))));
}

TEST_F(CopyDestinationTest, NeverEntersALink) {
  ASSERT_EQ(mkdir(PathOf("real").c_str(), 0755), 0);
  ASSERT_EQ(symlink("real", PathOf("link").c_str()), 0);
  Write("file", "");
  const CopyDestination to = Open();

  EXPECT_THAT(to.MakeDirectory("link"), HasErrno(ENOTDIR));
  EXPECT_THAT(to.MakeDirectory("file"), HasErrno(ENOTDIR));
}

TEST_F(CopyDestinationTest, TellsANewDirectoryFromAnOldOne) {
  const CopyDestination to = Open();

  const absl::StatusOr<CopyDestination::Made> made = to.MakeDirectory("d");
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->is_new);
  ASSERT_THAT(Copy(made->directory, "f", "x"), IsOk());
  const absl::StatusOr<CopyDestination::Made> again = to.MakeDirectory("d");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(Read("d/f"), "x");
}

TEST_F(CopyDestinationTest, MakesLinksInThePlaceOfFilesAndLinks) {
  Write("name", "old");
  const CopyDestination to = Open();

  ASSERT_THAT(to.MakeLink("/nowhere", "name", {}), IsOk());
  EXPECT_EQ(std::filesystem::read_symlink(PathOf("name")), "/nowhere");
  ASSERT_THAT(to.MakeLink("other", "name", {}), IsOk());
  EXPECT_EQ(std::filesystem::read_symlink(PathOf("name")), "other");
  EXPECT_THAT(Names(), ElementsAre("name"));
}

TEST_F(CopyDestinationTest, KeepsTimes) {
  const struct timespec accessed = {.tv_sec = 1000, .tv_nsec = 1};
  const struct timespec modified = {.tv_sec = 2000, .tv_nsec = 999999999};
  CopyAttributes attributes;
  attributes.times.emplace(accessed, modified);
  const CopyDestination to = Open();

  ASSERT_THAT(Copy(to, "f", "x", attributes), IsOk());
  ASSERT_THAT(to.MakeLink("f", "l", attributes), IsOk());

  for (const char* name : {"f", "l"}) {
    struct stat status;
    ASSERT_EQ(lstat(PathOf(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mtim.tv_sec, 2000) << name;
    EXPECT_EQ(status.st_mtim.tv_nsec, 999999999) << name;
  }
}

TEST_F(CopyDestinationTest, SaysWhatMustNotBeReplaced) {
  ASSERT_EQ(mkdir(PathOf("d").c_str(), 0755), 0);
  ASSERT_EQ(mkfifo(PathOf("p").c_str(), 0600), 0);
  ASSERT_EQ(symlink("d", PathOf("l").c_str()), 0);
  Write("f", "x");
  struct statx other = {};
  struct statx same = {};
  ASSERT_EQ(statx(AT_FDCWD, PathOf("f").c_str(), 0, STATX_BASIC_STATS, &same), 0);
  const CopyDestination to = Open();

  EXPECT_THAT(to.CheckReplaceable("none", other), IsOk());
  EXPECT_THAT(to.CheckReplaceable("f", other), IsOk());
  EXPECT_THAT(to.CheckReplaceable("l", other), IsOk());
  EXPECT_THAT(to.CheckReplaceable("d", other), HasErrno(EISDIR));
  EXPECT_THAT(to.CheckReplaceable("p", other),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("replace ", PathOf("p"),
                                    ": exists and is neither a regular file nor a link")));
  EXPECT_THAT(to.CheckReplaceable("f", same),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(PathOf("f"), ": is the file to be copied")));
}

}  // namespace
}  // namespace nsctl::cmd
