#include "nsdisc/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::Eq;
using testing::HasErrno;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

// A directory with the files of a cgroup hierarchy.
class FreezerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/cgroupXXXXXX");
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }

  void MakeCgroup(const std::string& name, const std::string& file, const std::string& content) {
    ASSERT_EQ(mkdir(absl::StrCat(root_, "/", name).c_str(), 0755), 0);
    MakeFile(absl::StrCat(name, "/", file), content);
  }

  void MakeFile(const std::string& path, const std::string& content) {
    const absl::StatusOr<base::OwnedFd> fd = base::OpenAt(
        base::FdRef(AT_FDCWD), absl::StrCat(root_, "/", path), O_WRONLY | O_CREAT, 0644);
    ASSERT_THAT(fd, IsOk());
    ASSERT_THAT(base::WriteAll(*fd, content), IsOk());
  }

  CgroupMount Mount(const std::string& mounted_cgroup = "/") {
    absl::StatusOr<base::OwnedFd> fd =
        base::OpenAt(base::FdRef(AT_FDCWD), root_, O_PATH | O_DIRECTORY);
    EXPECT_THAT(fd, IsOk());
    return {*std::move(fd), mounted_cgroup};
  }

  std::string root_;
};

Cgroups Unified(const std::string& path) {
  Cgroups cgroups;
  cgroups.set_unified(path);
  return cgroups;
}

Cgroups V1(const std::string& controllers, const std::string& path) {
  Cgroups cgroups;
  cgroups.set_unified("/elsewhere");
  Cgroups::V1* v1 = cgroups.add_v1();
  v1->set_controllers(controllers);
  v1->set_path(path);
  return cgroups;
}

TEST_F(FreezerTest, ReadsTheUnifiedHierarchy) {
  MakeCgroup("frozen", "cgroup.events", "populated 1\nfrozen 1\n");
  MakeCgroup("running", "cgroup.events", "populated 1\nfrozen 0\n");
  MakeCgroup("old", "cgroup.events", "populated 1\n");
  const Freezer freezer({}, Mount());

  EXPECT_THAT(freezer.IsFrozen(Unified("/frozen")), IsOkAndHolds(Eq(true)));
  EXPECT_THAT(freezer.IsFrozen(Unified("/running")), IsOkAndHolds(Eq(false)));
  EXPECT_THAT(freezer.IsFrozen(Unified("/old")), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(freezer.IsFrozen(Unified("/")), IsOkAndHolds(Eq(false)));
  EXPECT_THAT(freezer.IsFrozen(Unified("/gone")), HasErrno(ENOENT));
}

// A host with both hierarchies may freeze by either.
TEST_F(FreezerTest, EitherHierarchyFreezes) {
  MakeCgroup("elsewhere", "cgroup.events", "frozen 1\n");
  MakeCgroup("thawed", "freezer.state", "THAWED\n");
  const Freezer freezer(Mount(), Mount());

  EXPECT_THAT(freezer.IsFrozen(V1("freezer", "/thawed")), IsOkAndHolds(Eq(true)));
  EXPECT_THAT(freezer.IsFrozen(V1("freezer", "/gone")), IsOkAndHolds(Eq(true)));
}

TEST_F(FreezerTest, ReadsTheV1Freezer) {
  MakeCgroup("thawed", "freezer.state", "THAWED\n");
  MakeCgroup("freezing", "freezer.state", "FREEZING\n");
  MakeCgroup("frozen", "freezer.state", "FROZEN\n");
  const Freezer freezer(Mount(), {});

  EXPECT_THAT(freezer.IsFrozen(V1("freezer", "/thawed")), IsOkAndHolds(Eq(false)));
  EXPECT_THAT(freezer.IsFrozen(V1("cpu,freezer", "/freezing")), IsOkAndHolds(Eq(true)));
  EXPECT_THAT(freezer.IsFrozen(V1("freezer", "/frozen")), IsOkAndHolds(Eq(true)));
  EXPECT_THAT(freezer.IsFrozen(V1("cpu", "/frozen")), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(FreezerTest, SaysNothingWhereTheHierarchyIsNotMounted) {
  const Freezer freezer({}, {});

  EXPECT_THAT(freezer.IsFrozen(Unified("/x")), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(freezer.IsFrozen(V1("freezer", "/x")), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(FreezerTest, FindsACgroupBelowAMountOfAPart) {
  MakeCgroup("inner", "cgroup.events", "frozen 1\n");
  const Freezer freezer({}, Mount("/docker/abc"));

  EXPECT_THAT(freezer.IsFrozen(Unified("/docker/abc/inner")), IsOkAndHolds(Eq(true)));
  EXPECT_THAT(freezer.IsFrozen(Unified("/docker/abcd")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "outside of the mounted part of the hierarchy"));
}

TEST_F(FreezerTest, ReadsNothingAboveTheCgroupNamespace) {
  const Freezer freezer({}, Mount());

  EXPECT_THAT(
      freezer.IsFrozen(Unified("/../outside")),
      StatusIs(absl::StatusCode::kFailedPrecondition, "outside of the scanner's cgroup namespace"));
}

// A mount of the whole hierarchy, seen from two levels below, and a cgroup beside.
TEST_F(FreezerTest, FindsACgroupOutsideOfTheCgroupNamespaceWhereTheMountIsOutsideToo) {
  MakeCgroup("beside", "cgroup.events", "frozen 1\n");
  const Freezer freezer({}, Mount("/../.."));

  EXPECT_THAT(freezer.IsFrozen(Unified("/../../beside")), IsOkAndHolds(Eq(true)));
  EXPECT_THAT(
      freezer.IsFrozen(Unified("/../x")),
      StatusIs(absl::StatusCode::kFailedPrecondition, "outside of the scanner's cgroup namespace"));
  EXPECT_THAT(
      freezer.IsFrozen(Unified("/own")),
      StatusIs(absl::StatusCode::kFailedPrecondition, "outside of the scanner's cgroup namespace"));
}

TEST_F(FreezerTest, FindsTheMountsInMountinfo) {
  MakeCgroup("c", "cgroup.events", "frozen 1\n");
  const Freezer freezer = Freezer::FromMountinfo(
      absl::StrCat("30 24 0:26 / /nonexistent rw - cgroup2 none rw\n31 24 0:27 / ", root_,
                   " rw - cgroup2 none rw\n"));

  EXPECT_THAT(freezer.IsFrozen(Unified("/c")), IsOkAndHolds(Eq(true)));
}

}  // namespace
}  // namespace nsctl::nsdisc
