#include "cmd/list_result.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using base::Pid;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::StatusIs;

nsdisc::Snapshot MakeSnapshot() {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        host { ticks_per_second: 100 }
        namespaces { type: user inode: 20 leaders: 1 ealdorman: 1 }
        namespaces { type: net inode: 30 owner: 20 leaders: 1 ealdorman: 1 }
        namespaces { type: net inode: 31 owner: 20 leaders: 2 ealdorman: 2 }
        processes {
          pid: 1
          namespaces { user: 20 net: 30 }
          cgroups: 0
        }
        processes {
          pid: 2
          namespaces { user: 20 net: 31 }
        }
        processes { pid: 3 namespaces_error: "EACCES" }
        cgroups { unified: "/init.scope" }
        gaps { subject: "pid:3" }
      )pb",
      &snapshot));
  return snapshot;
}

std::vector<uint32_t> Inodes(const NamespaceList& list) {
  std::vector<uint32_t> inodes;
  for (const NamespaceRow& row : list.rows()) inodes.push_back(row.namespace_().inode());
  return inodes;
}

TEST(BuildNamespaceList, ListsAllByDefault) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceList list, BuildNamespaceList(MakeSnapshot(), {}));

  EXPECT_THAT(Inodes(list), ElementsAre(20, 30, 31));
  EXPECT_EQ(list.rows(0).owned_count(), 2u);
  EXPECT_EQ(list.rows(1).representative().pid(), 1);
  EXPECT_FALSE(list.rows(1).representative().has_cgroups());
  EXPECT_EQ(list.rows(1).cgroup(), "/init.scope");
  EXPECT_EQ(list.rows(2).cgroup(), "");
  EXPECT_EQ(list.host().ticks_per_second(), 100u);
  EXPECT_EQ(list.gaps_size(), 1);
}

TEST(BuildNamespaceList, FiltersByTypeAndProcess) {
  const nsdisc::Snapshot snapshot = MakeSnapshot();
  const auto inodes = [&](const ListFilter& filter) {
    return Inodes(BuildNamespaceList(snapshot, filter).value());
  };

  EXPECT_THAT(inodes({.types = {NamespaceType::kNet}, .pids = {}}), ElementsAre(30, 31));
  EXPECT_THAT(inodes({.types = {}, .pids = {Pid{2}}}), ElementsAre(20, 31));
  EXPECT_THAT(inodes({.types = {NamespaceType::kNet}, .pids = {Pid{2}}}), ElementsAre(31));
  EXPECT_THAT(inodes({.types = {}, .pids = {Pid{1}, Pid{2}}}), ElementsAre(20, 30, 31));
  EXPECT_THAT(inodes({.types = {}, .pids = {Pid{3}}}), IsEmpty());
}

TEST(BuildNamespaceList, CountsWhatIsOwnedThoughItIsNotListed) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const NamespaceList list,
      BuildNamespaceList(MakeSnapshot(), {.types = {NamespaceType::kUser}, .pids = {}}));

  EXPECT_EQ(list.rows(0).owned_count(), 2u);
}

TEST(BuildNamespaceList, KnowsNoProcessOfThatNumber) {
  EXPECT_THAT(BuildNamespaceList(MakeSnapshot(), {.types = {}, .pids = {Pid{1}, Pid{99}}}),
              StatusIs(absl::StatusCode::kNotFound, "no process 99"));
}

}  // namespace
}  // namespace nsctl::cmd
