#include "nsdisc/snapshot_index.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Snapshot FromText(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

// The address of an element, so that a test says which of equal-looking ones it means.
const Namespace* At(const Snapshot& snapshot, int i) { return &snapshot.namespaces(i); }
const Process* ProcessAt(const Snapshot& snapshot, int i) { return &snapshot.processes(i); }

TEST(NamespaceTypes, AreTheSameInBothEnums) {
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    EXPECT_EQ(Namespace::Type_Name(ToProto(info.type)), info.name);
    EXPECT_EQ(FromProto(ToProto(info.type)), info.type);
  }
  EXPECT_EQ(FromProto(Namespace::unspecified), std::nullopt);
  EXPECT_EQ(FromProto(static_cast<Namespace::Type>(9)), std::nullopt);
  EXPECT_EQ(FromProto(static_cast<Namespace::Type>(-1)), std::nullopt);
}

TEST(NamespaceSets, HaveOneFieldForEachType) {
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    NamespaceSet set;
    EXPECT_EQ(NamespaceOf(set, info.type), std::nullopt);

    SetNamespaceOf(info.type, 7, &set);

    EXPECT_EQ(NamespaceOf(set, info.type), 7u);
    EXPECT_EQ(set.ShortDebugString(), std::string(info.name) + ": 7");
  }
}

TEST(NamespaceSets, HaveFieldsForChildrenOfPidAndTime) {
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const bool has_field = info.for_children_entry != nullptr;
    NamespaceSet set;
    EXPECT_EQ(ForChildrenOf(set, info.type), std::nullopt);

    SetForChildrenOf(info.type, 7, &set);

    EXPECT_EQ(ForChildrenOf(set, info.type), has_field ? std::optional<uint32_t>(7) : std::nullopt);
    EXPECT_EQ(set.ShortDebugString(),
              has_field ? std::string(info.for_children_entry) + ": 7" : "");
  }
}

TEST(SnapshotIndex, FindsNamespacesByTypeAndInode) {
  const Snapshot snapshot = FromText(R"pb(
    namespaces { type: mnt inode: 1 }
    namespaces { type: mnt inode: 4294967295 }
    namespaces { type: net inode: 1 }
    namespaces { type: net inode: 2 }
  )pb");
  const SnapshotIndex index(snapshot);

  EXPECT_EQ(index.FindNamespace(NamespaceType::kMnt, 1), At(snapshot, 0));
  EXPECT_EQ(index.FindNamespace(NamespaceType::kMnt, 4294967295), At(snapshot, 1));
  EXPECT_EQ(index.FindNamespace(NamespaceType::kNet, 1), At(snapshot, 2));
  EXPECT_EQ(index.FindNamespace(NamespaceType::kNet, 2), At(snapshot, 3));
  EXPECT_EQ(index.FindNamespace(NamespaceType::kMnt, 2), nullptr);
  EXPECT_EQ(index.FindNamespace(NamespaceType::kTime, 1), nullptr);
  EXPECT_EQ(index.FindNamespace(NamespaceType::kUser, 1), nullptr);
}

TEST(SnapshotIndex, PassesOverTypesOfANewerSchema) {
  Snapshot snapshot = FromText(R"pb(
    namespaces { type: time inode: 3 }
    namespaces { type: unspecified inode: 1 }
  )pb");
  snapshot.add_namespaces()->set_type(static_cast<Namespace::Type>(9));
  const SnapshotIndex index(snapshot);

  EXPECT_EQ(index.FindNamespace(NamespaceType::kTime, 3), At(snapshot, 0));
  EXPECT_EQ(index.FindNamespace(NamespaceType::kTime, 4), nullptr);
  EXPECT_EQ(index.FindNamespace(NamespaceType::kMnt, 1), nullptr);
}

TEST(SnapshotIndex, FindsProcessesByPidAndByThread) {
  const Snapshot snapshot = FromText(R"pb(
    processes { pid: 1 }
    processes {
      pid: 10
      threads { tid: 11 }
      threads { tid: 15 }
    }
    processes {
      pid: 12
      threads { tid: 13 }
    }
  )pb");
  const SnapshotIndex index(snapshot);

  EXPECT_EQ(index.FindProcess(1), ProcessAt(snapshot, 0));
  EXPECT_EQ(index.FindProcess(12), ProcessAt(snapshot, 2));
  EXPECT_EQ(index.FindProcess(11), nullptr);
  EXPECT_EQ(index.FindProcess(-1), nullptr);
  EXPECT_EQ(index.ProcessOfThread(11), ProcessAt(snapshot, 1));
  EXPECT_EQ(index.ProcessOfThread(13), ProcessAt(snapshot, 2));
  EXPECT_EQ(index.ProcessOfThread(15), ProcessAt(snapshot, 1));
  EXPECT_EQ(index.ProcessOfThread(10), nullptr);
  EXPECT_EQ(index.ProcessOfThread(16), nullptr);
}

TEST(SnapshotIndex, ChoosesARepresentative) {
  const Snapshot snapshot = FromText(R"pb(
    namespaces { type: net inode: 1 ealdorman: 10 loose_threads: 21 }
    namespaces { type: net inode: 2 loose_threads: 21 for_children_of: 10 }
    namespaces { type: pid inode: 1 for_children_of: 10 }
    namespaces { type: pid inode: 2 }
    namespaces { type: time inode: 1 ealdorman: 99 loose_threads: 98 for_children_of: 97 }
    namespaces { type: time inode: 2 for_children_of: 21 }
    processes { pid: 10 }
    processes {
      pid: 20
      threads { tid: 21 }
    }
  )pb");
  const SnapshotIndex index(snapshot);

  EXPECT_EQ(index.RepresentativeOf(snapshot.namespaces(0)), ProcessAt(snapshot, 0));
  EXPECT_EQ(index.RepresentativeOf(snapshot.namespaces(1)), ProcessAt(snapshot, 1));
  EXPECT_EQ(index.RepresentativeOf(snapshot.namespaces(2)), ProcessAt(snapshot, 0));
  EXPECT_EQ(index.RepresentativeOf(snapshot.namespaces(3)), nullptr);
  EXPECT_EQ(index.RepresentativeOf(snapshot.namespaces(4)), nullptr);
  EXPECT_EQ(index.RepresentativeOf(snapshot.namespaces(5)), ProcessAt(snapshot, 1));
}

TEST(SnapshotIndex, ListsWhatAUserNamespaceOwns) {
  const Snapshot snapshot = FromText(R"pb(
    namespaces { type: mnt inode: 5 owner: 2 }
    namespaces { type: uts inode: 6 owner: 1 }
    namespaces { type: user inode: 2 parent: 1 }
    namespaces { type: net inode: 4 owner: 2 }
  )pb");
  const SnapshotIndex index(snapshot);

  EXPECT_THAT(index.OwnedBy(2), ElementsAre(At(snapshot, 0), At(snapshot, 3)));
  EXPECT_THAT(index.OwnedBy(1), ElementsAre(At(snapshot, 1)));
  EXPECT_THAT(index.OwnedBy(3), IsEmpty());
}

struct CgroupCase {
  const char* name;
  std::string cgroups;
  std::string path;
};

class CgroupPath : public ::testing::TestWithParam<CgroupCase> {};

TEST_P(CgroupPath, IsTheOneThatSaysMost) {
  const Snapshot snapshot =
      FromText("processes { pid: 1 cgroups: 0 } cgroups {" + GetParam().cgroups + "}");

  EXPECT_EQ(SnapshotIndex(snapshot).CgroupPathOf(snapshot.processes(0)), GetParam().path);
}

INSTANTIATE_TEST_SUITE_P(
    All, CgroupPath,
    ::testing::Values(
        CgroupCase{"unified", R"(unified: "/a" v1 { controllers: "cpu" path: "/b" })", "/a"},
        CgroupCase{"hybrid_with_cpu",
                   R"(unified: "/" v1 { controllers: "cpu,cpuacct" path: "/b" })", "/b"},
        CgroupCase{"hybrid_with_systemd",
                   R"(unified: "/" v1 { controllers: "name=systemd" path: "/c" })", "/c"},
        CgroupCase{"v1_prefers_cpu",
                   R"(v1 { controllers: "name=systemd" path: "/c" }
                      v1 { controllers: "cpu" path: "/b" })",
                   "/b"},
        CgroupCase{"v1_cpu_at_the_root",
                   R"(v1 { controllers: "cpu" path: "/" }
                      v1 { controllers: "name=systemd" path: "/c" })",
                   "/c"},
        CgroupCase{"all_at_the_root", R"(unified: "/" v1 { controllers: "cpu" path: "/" })", "/"},
        CgroupCase{"v1_alone_at_the_root", R"(v1 { controllers: "cpu" path: "/" })", "/"},
        CgroupCase{"other_controllers",
                   R"(v1 { controllers: "cpuset" path: "/d" }
                      v1 { controllers: "name=cpu" path: "/e" })",
                   ""},
        CgroupCase{"none", "", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(SnapshotIndex, KnowsNoPathWithoutCgroups) {
  const Snapshot snapshot =
      FromText("processes { pid: 1 } processes { pid: 2 cgroups: 4294967295 }");
  const SnapshotIndex index(snapshot);

  EXPECT_EQ(index.CgroupPathOf(snapshot.processes(0)), "");
  EXPECT_EQ(index.CgroupPathOf(snapshot.processes(1)), "");
}

}  // namespace
}  // namespace nsctl::nsdisc
