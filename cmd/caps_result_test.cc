#include "cmd/caps_result.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// CAP_CHOWN and CAP_KILL are effective; CAP_NET_ADMIN could be.
constexpr char kHost[] = R"pb(
  host { last_capability: 40 }
  options { capabilities: true }
  namespaces { type: user inode: 20 initial: true children: 21 children: 23 owner_uid: 0 }
  namespaces { type: user inode: 21 parent: 20 children: 22 owner_uid: 1000 ealdorman: 9 }
  namespaces { type: user inode: 22 parent: 21 owner_uid: 0 }
  namespaces { type: user inode: 23 parent: 20 owner_uid: 0 }
  namespaces { type: net inode: 120 owner: 20 }
  namespaces { type: net inode: 122 owner: 22 }
  processes {
    pid: 5
    uid: 1000
    cgroups: 0
    namespaces { user: 20 net: 122 }
    capabilities {
      effective: 0x21
      permitted: 0x1021
      bounding: 0x1ffffffffff
      no_new_privileges: false
    }
  }
  processes {
    pid: 9
    uid: 7
    namespaces { user: 21 }
  }
  gaps { subject: "pid:5" operation: "read cmdline" error: "EIO" }
  gaps { subject: "pid:9" operation: "read cmdline" error: "EIO" }
)pb";

class CapsResultTest : public ::testing::Test {
 protected:
  CapsResultTest() {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kHost, &snapshot_));
  }

  CapabilityReport Build(int32_t pid, NamespaceType type = NamespaceType::kUser,
                         uint32_t inode = 0) {
    const nsdisc::SnapshotIndex index(snapshot_);
    return BuildCapabilityReport(
        index, {.process = index.FindProcess(pid), .target = index.FindNamespace(type, inode)});
  }

  // The rows, each with its depth: "20" a user namespace, "p" the process, "*122" the target.
  static std::vector<std::string> Sketch(const CapabilityReport& report) {
    std::vector<std::string> lines;
    for (const CapabilityReport::Row& row : report.rows()) {
      lines.push_back(
          absl::StrCat(std::string(row.depth(), ' '), row.is_target() ? "*" : "",
                       row.has_namespace_() ? absl::StrCat(row.namespace_().inode()) : "p"));
    }
    return lines;
  }

  nsdisc::Snapshot snapshot_;
};

TEST_F(CapsResultTest, HasTheSetsOfTheProcess) {
  const CapabilityReport report = Build(5);

  EXPECT_EQ(report.effective().mask(), "0000000000000021");
  EXPECT_THAT(report.effective().names(), ElementsAre("CAP_CHOWN", "CAP_KILL"));
  EXPECT_THAT(report.permitted().names(), ElementsAre("CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN"));
  EXPECT_TRUE(report.bounding().all());
  EXPECT_THAT(report.ambient().names(), IsEmpty());
  EXPECT_TRUE(report.has_no_new_privileges());
  EXPECT_FALSE(report.process().has_capabilities());
  EXPECT_FALSE(report.process().has_cgroups());
}

TEST_F(CapsResultTest, JudgesByTheRuleThatHolds) {
  const CapabilityReport own = Build(5);
  EXPECT_EQ(own.verdict().rule(), CapabilityReport::own);
  EXPECT_EQ(own.verdict().effective().mask(), "0000000000000021");
  EXPECT_EQ(own.verdict().permitted().mask(), "0000000000001021");

  const CapabilityReport creator = Build(5, NamespaceType::kNet, 122);
  EXPECT_EQ(creator.verdict().rule(), CapabilityReport::creator);
  EXPECT_EQ(creator.verdict().user_namespace(), 22u);
  EXPECT_TRUE(creator.verdict().effective().all());
  EXPECT_EQ(creator.verdict().effective().names_size(), 41);

  const CapabilityReport descendant = Build(5, NamespaceType::kUser, 23);
  EXPECT_EQ(descendant.verdict().rule(), CapabilityReport::descendant);
  EXPECT_EQ(descendant.verdict().effective().mask(), "0000000000000021");

  // Of this process no capabilities were read; there it has none whatever they are.
  const CapabilityReport ancestor = Build(9, NamespaceType::kNet, 120);
  EXPECT_EQ(ancestor.verdict().rule(), CapabilityReport::ancestor);
  EXPECT_TRUE(ancestor.verdict().has_effective());
  EXPECT_THAT(ancestor.verdict().effective().names(), IsEmpty());
  EXPECT_FALSE(ancestor.verdict().effective().all());
}

TEST_F(CapsResultTest, KnowsTheKernelsLastCapability) {
  snapshot_.mutable_host()->set_last_capability(41);
  const CapabilityReport newer = Build(5, NamespaceType::kNet, 122);
  EXPECT_EQ(newer.verdict().effective().names(41), "CAP_41");
  EXPECT_FALSE(newer.bounding().all());

  snapshot_.mutable_host()->set_last_capability(63);
  EXPECT_EQ(Build(5, NamespaceType::kNet, 122).verdict().effective().mask(), "ffffffffffffffff");
  snapshot_.mutable_host()->set_last_capability(4000000000);
  EXPECT_EQ(Build(5, NamespaceType::kNet, 122).verdict().effective().mask(), "ffffffffffffffff");
  snapshot_.mutable_host()->clear_last_capability();
  EXPECT_EQ(Build(5, NamespaceType::kNet, 122).verdict().effective().names_size(), 41);
}

TEST_F(CapsResultTest, DrawsTheWayFromWhatIsAboveBoth) {
  EXPECT_THAT(Sketch(Build(5)), ElementsAre("*20", " p"));
  EXPECT_THAT(Sketch(Build(5, NamespaceType::kNet, 122)),
              ElementsAre("20", " p", " 21", "  22", "   *122"));
  EXPECT_THAT(Sketch(Build(5, NamespaceType::kUser, 22)), ElementsAre("20", " p", " 21", "  *22"));
  EXPECT_THAT(Sketch(Build(9, NamespaceType::kNet, 120)), ElementsAre("20", " 21", "  p", " *120"));
  EXPECT_THAT(Sketch(Build(9, NamespaceType::kUser, 23)), ElementsAre("20", " 21", "  p", " *23"));
  EXPECT_THAT(Sketch(Build(9, NamespaceType::kUser, 22)), ElementsAre("21", " p", " *22"));
}

TEST_F(CapsResultTest, JudgesAllNamespacesOfAProcessThatIsAskedAboutAlone) {
  const CapabilityReport report = Build(5);

  ASSERT_EQ(report.others_size(), 1);
  EXPECT_EQ(report.others(0).target().inode(), 122u);
  EXPECT_TRUE(report.others(0).effective().all());
  EXPECT_EQ(Build(5, NamespaceType::kNet, 122).others_size(), 0);
}

TEST_F(CapsResultTest, HasTheGapsThatMatter) {
  const CapabilityReport known = Build(5, NamespaceType::kUser, 23);
  ASSERT_EQ(known.gaps_size(), 1);
  EXPECT_EQ(known.gaps(0).subject(), "pid:5");

  const CapabilityReport lacking = Build(9, NamespaceType::kUser, 22);
  EXPECT_FALSE(lacking.verdict().has_effective());
  ASSERT_EQ(lacking.gaps_size(), 2);
  EXPECT_EQ(lacking.gaps(1).consequence(), "its capabilities are unknown");

  snapshot_.mutable_options()->clear_capabilities();
  EXPECT_EQ(Build(9).gaps(1).consequence(), "the snapshot was taken without capabilities");
}

}  // namespace
}  // namespace nsctl::cmd
