// The recorded tree nested_host.tree holds what testdata/record_nested_host made.

#include <fcntl.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/snapshot_index.h"
#include "nsdisc/snapshot_io.h"
#include "procfsroot/procfs.h"
#include "testing/fake_lineage.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::testing {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::Snapshot;
using nsdisc::SnapshotIndex;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NestedHostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    NSCTL_ASSERT_OK_AND_ASSIGN(
        const std::string tree,
        base::ReadFileAt(base::FdRef(AT_FDCWD), "testing/testdata/nested_host.tree", 16 << 20));
    ASSERT_THAT(UnpackRecordedTree(tree, directory_.path()), IsOk());
    NSCTL_ASSERT_OK_AND_ASSIGN(const auto procfs, procfsroot::Procfs::At(directory_.path()));
    NSCTL_ASSERT_OK_AND_ASSIGN(const auto lineage, FakeLineage::FromRecordedTree(tree));
    NSCTL_ASSERT_OK_AND_ASSIGN(snapshot_, nsdisc::Discover(procfs, *lineage, {}));
    ASSERT_THAT(nsdisc::CheckSnapshot(*snapshot_), IsOk());
    index_ = std::make_unique<SnapshotIndex>(*snapshot_);
  }

  std::string LeadersOf(const Namespace& ns) const {
    std::vector<std::string> names;
    for (const int32_t pid : ns.leaders()) names.push_back(index_->FindProcess(pid)->name());
    return absl::StrJoin(names, " ");
  }

  // "INDENT leaders" of the namespace and those below it, a line each.
  std::string Tree(const Namespace& ns, size_t depth = 0) const {
    std::string text = absl::StrCat(std::string(2 * depth, ' '), "[", LeadersOf(ns), "]\n");
    for (const uint32_t child : ns.children()) {
      absl::StrAppend(
          &text, Tree(*index_->FindNamespace(*nsdisc::FromProto(ns.type()), child), depth + 1));
    }
    return text;
  }

  const Process* FindByName(const std::string& name) const {
    for (const Process& process : snapshot_->processes()) {
      if (process.name() == name) return &process;
    }
    return nullptr;
  }

  TestDirectory directory_;
  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<SnapshotIndex> index_;
};

TEST_F(NestedHostTest, HasNestedUserNamespaces) {
  EXPECT_EQ(Tree(*index_->FindNamespace(NamespaceType::kUser, 4026531837)),
            "[init kthreadd]\n"
            "  [containerd-shim]\n"
            "    [crun]\n"
            "  []\n"
            "    [browser]\n");
}

TEST_F(NestedHostTest, HasNestedPidNamespaces) {
  EXPECT_EQ(Tree(*index_->FindNamespace(NamespaceType::kPid, 4026531836)),
            "[init kthreadd]\n"
            "  [nginx]\n"
            "    [sh]\n"
            "  [sandboxed]\n");
}

TEST_F(NestedHostTest, HasMapsAndOffsets) {
  const Process* const crun = FindByName("crun");
  const Process* const shift = FindByName("clock-shift");
  ASSERT_NE(crun, nullptr);
  ASSERT_NE(shift, nullptr);
  const Namespace* const user =
      index_->FindNamespace(NamespaceType::kUser, crun->namespaces().user());
  const Namespace* const time =
      index_->FindNamespace(NamespaceType::kTime, shift->namespaces().time());

  EXPECT_EQ(user->owner_uid(), 100000u);
  ASSERT_EQ(user->uid_map_size(), 1);
  EXPECT_EQ(user->uid_map(0).ShortDebugString(), "outside: 101000 count: 500");
  ASSERT_EQ(time->clock_offsets_size(), 2);
  EXPECT_EQ(time->clock_offsets(0).ShortDebugString(), "clock: \"monotonic\" seconds: 86400");
  EXPECT_EQ(time->clock_offsets(1).ShortDebugString(),
            "clock: \"boottime\" seconds: -3600 nanoseconds: 500000000");
}

TEST_F(NestedHostTest, HasWhatIsOutOfTheOrdinary) {
  const Process* const parent = FindByName("to-be-parent");
  const Process* const headless = FindByName("headless");
  const Process* const netd = FindByName("netd");
  ASSERT_NE(parent, nullptr);
  ASSERT_NE(headless, nullptr);
  ASSERT_NE(netd, nullptr);

  EXPECT_NE(FindByName("a) R 1\n\x1b[2J\\xff\\\\"), nullptr);
  EXPECT_FALSE(parent->namespaces().has_pid_for_children());
  EXPECT_NE(parent->namespaces().time_for_children(), parent->namespaces().time());
  EXPECT_EQ(headless->state(), "Z");
  EXPECT_EQ(headless->threads_size(), 1);
  EXPECT_EQ(FindByName("finished")->state(), "Z");
  EXPECT_TRUE(FindByName("kthreadd")->kernel_thread());
  EXPECT_EQ(netd->threads_size(), 2);
  EXPECT_THAT(FindByName("sleep")->namespaced_pids(),
              ElementsAre(FindByName("sleep")->pid(), ::testing::_, 2));
}

TEST_F(NestedHostTest, HasNoGaps) { EXPECT_THAT(snapshot_->gaps(), IsEmpty()); }

}  // namespace
}  // namespace nsctl::testing
