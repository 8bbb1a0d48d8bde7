#include "cmd/fs_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "cmd/copy_destination.h"
#include "cmd/copy_progress.h"
#include "cmd/fs_operands.h"
#include "cmd/writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/root.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using testing::HasErrno;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

namespace fs = std::filesystem;

// A source and a destination below one directory, beside which "victim" must stay as it is.
class FsCopierTest : public ::testing::Test {
 protected:
  FsCopierTest() {
    fs::create_directories(From(""));
    fs::create_directories(To(""));
    Write(Top("victim"), "safe");
    options_.caller = std::make_shared<procfsroot::BoundedCaller>();
    options_.timeout = absl::Seconds(20);
  }
  ~FsCopierTest() override { EXPECT_EQ(Read(Top("victim")), "safe"); }

  std::string Top(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string From(const std::string& name) const { return Top("from/" + name); }
  std::string To(const std::string& name) const { return Top("to/" + name); }

  static void Write(const std::string& path, const std::string& content) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << content;
  }
  static std::string Read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  // Copies `path` of the source to `name` in the destination. Failures below it are in failures_.
  absl::Status Copy(const std::string& path, const std::string& name) {
    return CopyAll({{path, name}});
  }

  // The same with several by one copier; returns the last failure.
  absl::Status CopyAll(const std::vector<std::pair<std::string, std::string>>& copies) {
    const absl::StatusOr<procfsroot::Root> root =
        procfsroot::Root::OfPath(From(""), {.caller = options_.caller});
    if (!root.ok()) return root.status();
    const absl::StatusOr<CopyDestination> to = CopyDestination::Open(To(""));
    if (!to.ok()) return to.status();
    StringWriter err;
    CopyProgress progress(&err, 0);
    FsCopier copier(options_, &progress, &gaps_, [this](const absl::Status& failure) {
      failures_.push_back(std::string(failure.message()));
    });
    absl::Status result;
    for (const auto& [path, name] : copies) {
      absl::Status copied = copier.Copy({.target = "7", .path = path, .root = &*root}, *to, name);
      if (!copied.ok()) result = std::move(copied);
    }
    return result;
  }

  testing::TestDirectory directory_;
  CopyOptions options_;
  google::protobuf::RepeatedPtrField<nsdisc::Gap> gaps_;
  std::vector<std::string> failures_;
};

mode_t ModeOf(const std::string& path) {
  struct stat status;
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST_F(FsCopierTest, KeepsWhatItMadeItself) {
  for (const char* name : {"a/file", "b/file", "b/other", "a/d/x", "b/d/x", "b/d/y"}) {
    Write(From(name), name);
  }
  Write(To("file"), "old");
  options_.recursive = options_.keep_made = true;

  EXPECT_THAT(CopyAll({{"/a/file", "file"}, {"/b/other", "other"}, {"/b/file", "file"}}),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       "will not overwrite just-created " + To("file") + " with 7:/b/file"));
  EXPECT_EQ(Read(To("file")), "a/file");
  EXPECT_EQ(Read(To("other")), "b/other");
  // Directories become one.
  EXPECT_THAT(CopyAll({{"/a/d", "d"}, {"/b/d", "d"}}), IsOk());
  EXPECT_THAT(failures_, ElementsAre(HasSubstr("just-created")));
  EXPECT_EQ(Read(To("d/x")), "a/d/x");
  EXPECT_EQ(Read(To("d/y")), "b/d/y");
}

TEST_F(FsCopierTest, CopiesFilesOfAllSizes) {
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{128} << 10, (size_t{128} << 10) + 1, (size_t{9} << 20) + 3}) {
    std::string content(size, 'x');
    for (size_t i = 0; i < size; i += 1000) content[i] = static_cast<char>(i / 1000);
    Write(From("d/file"), content);
    options_.recursive = true;

    ASSERT_THAT(Copy("/d/file", "file"), IsOk());
    ASSERT_THAT(Copy("/d", "d"), IsOk());

    EXPECT_TRUE(Read(To("file")) == content) << size;
    EXPECT_TRUE(Read(To("d/file")) == content) << size;
  }
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(FsCopierTest, CopiesTreesWithTheirLinks) {
  Write(From("t/a/b/file"), "content");
  fs::create_symlink("../../victim", From("t/link"));
  fs::create_symlink("a", From("t/dirlink"));
  fs::create_directories(From("t/empty"));
  options_.recursive = true;

  ASSERT_THAT(Copy("t", "copy"), IsOk());

  EXPECT_EQ(Read(To("copy/a/b/file")), "content");
  EXPECT_EQ(fs::read_symlink(To("copy/link")), "../../victim");
  EXPECT_EQ(fs::read_symlink(To("copy/dirlink")), "a");
  EXPECT_TRUE(fs::is_directory(To("copy/empty")));
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(FsCopierTest, KeepsHoles) {
  Write(From("sparse"), "");
  const base::OwnedFd file(open(From("sparse").c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(ftruncate(file.get(), 64 << 20), 0);
  ASSERT_EQ(pwrite(file.get(), "x", 1, 32 << 20), 1);
  ASSERT_THAT(Copy("sparse", "sparse"), IsOk());

  struct stat source, copy;
  ASSERT_EQ(fstat(file.get(), &source), 0);
  ASSERT_EQ(stat(To("sparse").c_str(), &copy), 0);
  EXPECT_EQ(copy.st_size, 64 << 20);
  EXPECT_LE(copy.st_blocks, source.st_blocks + 64);
  EXPECT_TRUE(Read(From("sparse")) == Read(To("sparse")));
}

TEST_F(FsCopierTest, CutsModesUnlessAskedToKeepThem) {
  Write(From("t/tool"), "x");
  ASSERT_EQ(chmod(From("t/tool").c_str(), 06777), 0);
  ASSERT_EQ(chmod(From("t").c_str(), 01777), 0);
  options_.recursive = true;
  options_.umask = 027;

  ASSERT_THAT(Copy("t", "cut"), IsOk());
  options_.preserve = true;
  ASSERT_THAT(Copy("t", "kept"), IsOk());
  options_.set_id = true;
  ASSERT_THAT(Copy("t", "all"), IsOk());

  EXPECT_EQ(ModeOf(To("cut")), 0750u);
  EXPECT_EQ(ModeOf(To("cut/tool")), 0750u);
  EXPECT_EQ(ModeOf(To("kept")), 01777u);
  EXPECT_EQ(ModeOf(To("kept/tool")), 0777u);
  EXPECT_EQ(ModeOf(To("all/tool")), 06777u);
}

TEST_F(FsCopierTest, LeavesOutAndTellsWhatIsNoFile) {
  Write(From("t/file"), "x");
  ASSERT_EQ(mkfifo(From("t/fifo").c_str(), 0600), 0);
  options_.recursive = true;

  ASSERT_THAT(Copy("t", "t"), IsOk());
  EXPECT_THAT(Copy("t/fifo", "f"), StatusIs(absl::StatusCode::kFailedPrecondition,
                                            "copy 7:t/fifo: is a fifo, which is not copied"));

  EXPECT_TRUE(fs::exists(To("t/file")));
  EXPECT_FALSE(fs::exists(To("t/fifo")));
  ASSERT_EQ(gaps_.size(), 1);
  EXPECT_EQ(gaps_[0].subject(), "file:7:t/fifo");
  EXPECT_EQ(gaps_[0].error(), "fifo");
}

TEST_F(FsCopierTest, FollowsNoLinkOfTheDestination) {
  Write(From("t/dir/victim"), "evil");
  Write(From("t/victim"), "evil");
  fs::create_directories(To("t"));
  fs::create_symlink(Top(""), To("t/dir"));
  fs::create_symlink(Top("victim"), To("t/victim"));
  options_.recursive = true;

  ASSERT_THAT(Copy("t", "t"), IsOk());

  EXPECT_THAT(failures_, ElementsAre(HasSubstr("ENOTDIR")));
  EXPECT_EQ(Read(To("t/victim")), "evil");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(To("t/victim"))));
}

TEST_F(FsCopierTest, FollowsNoLinkThatItMade) {
  fs::create_directories(From("one"));
  fs::create_symlink(Top(""), From("one/x"));
  Write(From("two/x/victim"), "evil");
  options_.recursive = true;

  ASSERT_THAT(Copy("one", "t"), IsOk());
  ASSERT_THAT(Copy("two", "t"), IsOk());

  EXPECT_THAT(failures_, ElementsAre(HasSubstr("ENOTDIR")));
}

TEST_F(FsCopierTest, GoesOnAfterAFailure) {
  Write(From("t/a"), "a");
  Write(From("t/b"), "b");
  fs::create_directories(To("t/a"));
  options_.recursive = true;

  ASSERT_THAT(Copy("t", "t"), IsOk());

  EXPECT_THAT(failures_, ElementsAre(HasSubstr("EISDIR")));
  EXPECT_EQ(Read(To("t/b")), "b");
}

TEST_F(FsCopierTest, StopsAtTheLimit) {
  Write(From("short"), "12345");
  Write(From("long"), "123456");
  options_.limit = 5;

  EXPECT_THAT(Copy("short", "short"), IsOk());
  EXPECT_THAT(Copy("long", "long"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the limit of 5 bytes")));

  EXPECT_EQ(Read(To("short")), "12345");
  EXPECT_FALSE(fs::exists(To("long")));
}

TEST_F(FsCopierTest, LeavesNothingWhenItIsCancelled) {
  Write(From("t/file"), std::string(4 << 20, 'x'));
  options_.recursive = true;
  int calls = 0;
  options_.is_cancelled = [&calls] { return ++calls > 3; };

  EXPECT_THAT(Copy("t", "t"), StatusIs(absl::StatusCode::kCancelled));

  EXPECT_TRUE(fs::is_empty(To("t")));
}

TEST_F(FsCopierTest, NeedsToBeToldToCopyDirectories) {
  Write(From("t/file"), "x");

  EXPECT_THAT(Copy("t", "t"), HasErrno(EISDIR));
  options_.recursive = true;
  EXPECT_THAT(Copy("t/file", "file/"), HasErrno(ENOTDIR));
  ASSERT_THAT(Copy("/t", ""), IsOk());

  EXPECT_EQ(Read(To("file")), "x");
}

TEST_F(FsCopierTest, CopiesADeepTree) {
  // Each level is made below the last one: the whole path is longer than any path may be.
  base::OwnedFd at(open(From("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string name(200, 'd');
  constexpr int kDepth = 100;
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(mkdirat(at.get(), name.c_str(), 0755), 0);
    at = base::OwnedFd(openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at.ok());
  }
  options_.recursive = true;

  ASSERT_THAT(Copy(name, "deep"), IsOk());

  EXPECT_THAT(failures_, IsEmpty());
  int depth = 1;
  at = base::OwnedFd(open(To("deep").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (true) {
    base::OwnedFd next(openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!next.ok()) break;
    at = std::move(next);
    ++depth;
  }
  EXPECT_EQ(depth, kDepth);
}

// Somebody exchanges a directory of the source, and one of the destination, with links that lead to
// where "victim" is.
TEST_F(FsCopierTest, StaysInsideWhileBothSidesChange) {
  Write(Top("outside/file"), "secret");
  Write(From("t/d/file"), "inside");
  fs::create_symlink(Top("outside"), From("swap"));
  fs::create_directories(To("t/d"));
  fs::create_symlink(Top("outside"), To("swap"));
  options_.recursive = true;
  std::atomic<bool> is_done = false;
  std::thread racer([&] {
    while (!is_done) {
      syscall(SYS_renameat2, AT_FDCWD, From("t/d").c_str(), AT_FDCWD, From("swap").c_str(), 2);
      syscall(SYS_renameat2, AT_FDCWD, To("t/d").c_str(), AT_FDCWD, To("swap").c_str(), 2);
    }
  });

  for (int i = 0; i < 2000; ++i) {
    EXPECT_THAT(Copy("t", "t"), IsOk());
    EXPECT_EQ(Read(Top("outside/file")), "secret");
  }
  is_done = true;
  racer.join();

  for (const char* const name : {"t/d/file", "swap/file"}) {
    const bool is_outside = fs::is_symlink(fs::symlink_status(fs::path(To(name)).parent_path()));
    if (is_outside || !fs::exists(To(name))) continue;
    EXPECT_EQ(Read(To(name)), "inside") << name;
  }
}

}  // namespace
}  // namespace nsctl::cmd
