#include "engines/path_owner.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engines/cgroup_place.h"
#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using testing::HasErrno;

class PathOwnersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs CAP_CHOWN";
  }
  void Add(const std::string& path, uid_t uid) {
    std::filesystem::create_directory(directory_.path() + path);
    ASSERT_EQ(chown((directory_.path() + path).c_str(), uid, 0), 0);
  }
  // "UID", or the name of the error's code.
  std::string OwnerOf(const std::string& path) {
    PathOwners owners(root_);
    const auto owner = owners.OwnerOf(path);
    // The same from memory.
    EXPECT_EQ(owners.OwnerOf(path), owner);
    return owner.ok() ? absl::StrCat(*owner) : absl::StatusCodeToString(owner.status().code());
  }

  testing::TestDirectory directory_;
  procfsroot::Root root_ = *procfsroot::Root::OfPath(directory_.path());
};

TEST_F(PathOwnersTest, TellsTheOneUserOnTheWay) {
  Add("/run", 0);
  Add("/run/user", 0);
  Add("/run/user/5", 5);
  Add("/run/user/5/runc", 5);
  Add("/run/user/5/roots", 0);
  Add("/run/user/5/roots/box", 0);
  Add("/run/user/5/others", 6);
  Add("/run/user/5/others/box", 5);

  EXPECT_EQ(OwnerOf("/run/user"), "0");
  EXPECT_EQ(OwnerOf("/run/user/5"), "5");
  EXPECT_EQ(OwnerOf("/run/user/5/runc"), "5");
  EXPECT_EQ(OwnerOf("/run/user/5/roots/box"), "5");
  EXPECT_EQ(OwnerOf("/run/user/5/others"), "PERMISSION_DENIED");
  EXPECT_EQ(OwnerOf("/run/user/5/others/box"), "PERMISSION_DENIED");
  EXPECT_EQ(OwnerOf("/run/user/6"), "NOT_FOUND");
}

TEST_F(PathOwnersTest, FollowsNothing) {
  Add("/run", 0);
  Add("/run/box", 0);
  std::filesystem::create_directory_symlink("run", directory_.path() + "/link");
  std::string deep = "/run";
  for (int i = 0; i < 200; ++i) deep += "/a";

  EXPECT_EQ(OwnerOf("/run/box"), "0");
  PathOwners owners(root_);
  EXPECT_THAT(owners.OwnerOf("/link"), HasErrno(ELOOP));
  EXPECT_THAT(owners.OwnerOf("/link/box"), HasErrno(ELOOP));
  EXPECT_EQ(OwnerOf("/run/../run/box"), "INVALID_ARGUMENT");
  EXPECT_EQ(OwnerOf("/run/./box"), "INVALID_ARGUMENT");
  EXPECT_EQ(OwnerOf("/run//box"), "INVALID_ARGUMENT");
  EXPECT_EQ(OwnerOf(deep), "INVALID_ARGUMENT");
}

// A user may call what is delegated to him like an engine's.
TEST_F(PathOwnersTest, TellsWhoseACgroupIs) {
  const std::string id(64, 'a');
  for (const char* const folder : {"/sys", "/sys/fs", "/sys/fs/cgroup", "/sys/fs/cgroup/docker"}) {
    Add(folder, 0);
  }
  Add("/sys/fs/cgroup/docker/" + id, 0);
  Add("/sys/fs/cgroup/user@5", 5);
  Add("/sys/fs/cgroup/user@5/docker-" + id + ".scope", 5);
  const auto owner_of = [&](const std::string& line) {
    PathOwners owners(root_);
    const auto owner = owners.OwnerOfCgroup(ParseCgroupPlace(line));
    if (!owner.has_value()) return std::string("unknown");
    return owner->ok() ? absl::StrCat(**owner) : std::string("gone");
  };

  EXPECT_EQ(owner_of("0::/docker/" + id), "0");
  EXPECT_EQ(owner_of("0::/user@5/docker-" + id + ".scope"), "5");
  EXPECT_EQ(owner_of("0::/docker/" + std::string(64, 'b')), "gone");
  EXPECT_EQ(owner_of("0::/../docker/" + id), "gone");
  EXPECT_EQ(owner_of("4:cpu,cpuacct:/docker/" + id), "unknown");
  // Beside older hierarchies.
  Add("/sys/fs/cgroup/unified", 0);
  Add("/sys/fs/cgroup/systemd", 0);
  Add("/sys/fs/cgroup/systemd/" + id, 6);
  EXPECT_EQ(owner_of("0::/docker/" + id), "gone");
  EXPECT_EQ(owner_of("1:name=systemd:/" + id), "6");
}

}  // namespace
}  // namespace nsctl::engines
