#include "testing/fake_lineage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::testing {
namespace {

using base::NamespaceId;
using base::NamespaceType;
using nsdisc::NamespaceFacts;
using ::testing::ElementsAre;

constexpr char kTree[] =
    "l 7/ns/net net:[300]\n"
    "l 7/ns/pid pid:[200]\n"
    "l 7/ns/user user:[101]\n"
    "l 7/ns/uts uts:[400]\n"
    "l 7/ns/mnt mnt:[500]\n"
    "l 7/ns/ipc somewhere\n"
    "l 7/fd/3 net:[300]\n"
    "n net 300 device=0:4 owner=101\n"
    "n pid 200 device=0:4 owner=100 parent=201 kernel_id=18446744073709551615\n"
    "n pid 201 device=0:4 owner=EPERM parent=EPERM kernel_id=9\n"
    "n user 101 device=0:4 parent=100 owner_uid=1000 kernel_id=ENOTTY\n"
    "n user 100 device=0:4 parent=EPERM owner_uid=0\n"
    "n mnt 501 device=0:4 owner=100 mount_count=31\n"
    "n uts 400 open=EACCES\n";

NamespaceId Id(uint32_t inode) { return {makedev(0, 4), inode}; }

NamespaceFacts User100() {
  return {.type = NamespaceType::kUser,
          .id = Id(100),
          .owner = {std::nullopt, EPERM},
          .parent = {std::nullopt, EPERM},
          .owner_uid = {0, 0},
          .kernel_id = {std::nullopt, ENOTTY}};
}

NamespaceFacts User101() {
  return {.type = NamespaceType::kUser,
          .id = Id(101),
          .owner = {Id(100), 0},
          .parent = {Id(100), 0},
          .owner_uid = {1000, 0},
          .kernel_id = {std::nullopt, ENOTTY}};
}

NamespaceFacts Net300() {
  return {.type = NamespaceType::kNet,
          .id = Id(300),
          .owner = {Id(101), 0},
          .kernel_id = {std::nullopt, ENOTTY}};
}

class FakeLineageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(UnpackRecordedTree(kTree, directory_.path()), IsOk());
    NSCTL_ASSERT_OK_AND_ASSIGN(lineage_, FakeLineage::FromRecordedTree(kTree));
  }

  // What the process 7 answers for `entry` while the namespaces of `known` are known.
  absl::StatusOr<std::vector<NamespaceFacts>> Trace(const char* entry,
                                                    std::vector<uint32_t> known = {}) {
    return Trace(nsdisc::NamespaceWay{.pid = 7}, {*base::NamespaceTypeFromName(entry), 0}, known);
  }

  absl::StatusOr<std::vector<NamespaceFacts>> Trace(const nsdisc::NamespaceWay& way,
                                                    const nsdisc::NamespaceTarget& target,
                                                    std::vector<uint32_t> known = {}) {
    const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::At(directory_.path());
    if (!procfs.ok()) return procfs.status();
    return lineage_->Trace(*procfs, way, target, [&known](NamespaceType, NamespaceId id) {
      return std::find(known.begin(), known.end(), id.inode) != known.end();
    });
  }

  TestDirectory directory_;
  std::unique_ptr<FakeLineage> lineage_;
};

TEST_F(FakeLineageTest, WalksThroughOwnersToTheTop) {
  EXPECT_THAT(Trace("net"), IsOkAndHolds(ElementsAre(Net300(), User101(), User100())));
  EXPECT_THAT(Trace("user"), IsOkAndHolds(ElementsAre(User101(), User100())));
}

TEST_F(FakeLineageTest, WalksThroughParentsAndOwnersOfPidNamespaces) {
  const NamespaceFacts pid200 = {.type = NamespaceType::kPid,
                                 .id = Id(200),
                                 .owner = {Id(100), 0},
                                 .parent = {Id(201), 0},
                                 .kernel_id = {18446744073709551615u, 0}};
  const NamespaceFacts pid201 = {.type = NamespaceType::kPid,
                                 .id = Id(201),
                                 .owner = {std::nullopt, EPERM},
                                 .parent = {std::nullopt, EPERM},
                                 .kernel_id = {9, 0}};

  EXPECT_THAT(Trace("pid"), IsOkAndHolds(ElementsAre(pid200, User100(), pid201)));
}

TEST_F(FakeLineageTest, ReadsTheLinkOfADescriptor) {
  using Kind = nsdisc::NamespaceWay::Kind;

  EXPECT_THAT(Trace({.kind = Kind::kFd, .pid = 7, .fd = 3}, {NamespaceType::kNet, 0}, {101}),
              IsOkAndHolds(ElementsAre(Net300())));
  EXPECT_THAT(Trace({.kind = Kind::kFd, .pid = 7, .fd = 4}, {NamespaceType::kNet, 0}),
              HasErrno(ENOENT));
}

TEST_F(FakeLineageTest, TellsTheMountsOfAMountNamespace) {
  using Kind = nsdisc::NamespaceWay::Kind;

  const absl::StatusOr<std::vector<NamespaceFacts>> facts =
      Trace({.kind = Kind::kHandle}, {NamespaceType::kMnt, 501}, {100});

  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ((*facts)[0].mount_count, (nsdisc::Answer<uint32_t>{.value = 31}));
}

TEST_F(FakeLineageTest, TakesTheTargetWhereThereIsNoLink) {
  using Kind = nsdisc::NamespaceWay::Kind;

  EXPECT_THAT(Trace({.kind = Kind::kPath, .path = {"/a"}}, {NamespaceType::kNet, 300}, {101}),
              IsOkAndHolds(ElementsAre(Net300())));
  EXPECT_THAT(Trace({.kind = Kind::kHandle, .kernel_id = 1}, {NamespaceType::kNet, 301}),
              HasErrno(ENOENT));
}

TEST_F(FakeLineageTest, StopsAtWhatIsKnownButForTheFirst) {
  EXPECT_THAT(Trace("net", {101}), IsOkAndHolds(ElementsAre(Net300())));
  EXPECT_THAT(Trace("net", {300, 100}), IsOkAndHolds(ElementsAre(Net300(), User101())));
}

TEST_F(FakeLineageTest, FailsAsOpeningTheLinkWould) {
  EXPECT_THAT(Trace("uts"), HasErrno(EACCES));
  EXPECT_THAT(Trace("mnt"), HasErrno(ENOENT));
  EXPECT_THAT(Trace("ipc"), HasErrno(ENOENT));
  EXPECT_THAT(Trace("time"), HasErrno(ENOENT));
}

TEST_F(FakeLineageTest, AnswersWhatATestAdds) {
  const NamespaceFacts mnt500 = {
      .type = NamespaceType::kMnt, .id = Id(500), .owner = {Id(100), 0}, .kernel_id = {5, 0}};
  lineage_->Add(mnt500);
  lineage_->Refuse(NamespaceType::kNet, 300, ESRCH);

  EXPECT_THAT(Trace("mnt"), IsOkAndHolds(ElementsAre(mnt500, User100())));
  EXPECT_THAT(Trace("net"), HasErrno(ESRCH));
}

TEST_F(FakeLineageTest, EndsWhereTheTableHasACircle) {
  NamespaceFacts user100 = User100();
  user100.owner = {Id(101), 0};
  user100.parent = {Id(101), 0};
  lineage_->Add(user100);

  EXPECT_THAT(Trace("net"), IsOkAndHolds(ElementsAre(Net300(), User101(), user100)));
}

struct LineCase {
  const char* name;
  std::string line;
  std::string message;
};

class BadFacts : public ::testing::TestWithParam<LineCase> {};

TEST_P(BadFacts, AreNamed) {
  EXPECT_THAT(FakeLineage::FromRecordedTree(absl::StrCat("\nn ", GetParam().line, "\n")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("recorded tree: line 2: ", GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadFacts,
    ::testing::Values(
        LineCase{"cut", "net 1", "cut short"},
        LineCase{"type", "gpu 1 device=0:4", "bad or missing type"},
        LineCase{"inode", "net x device=0:4", "bad or missing inode"},
        LineCase{"device", "net 1 owner=2", "bad or missing device"},
        LineCase{"owner", "net 1 device=0:4", "bad or missing owner"},
        LineCase{"errno", "net 1 device=0:4 owner=ENOTHING", "bad or missing owner"},
        LineCase{"parent", "pid 1 device=0:4 owner=1", "bad or missing parent"},
        LineCase{"owner_uid", "user 1 device=0:4 parent=2", "bad or missing owner_uid"},
        LineCase{"owner_of_user", "user 1 device=0:4 parent=2 owner_uid=0 owner=2",
                 "unknown key owner"},
        LineCase{"parent_of_net", "net 1 device=0:4 owner=2 parent=3", "unknown key parent"},
        LineCase{"open", "net 1 open=4", "bad or missing open"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace nsctl::testing
