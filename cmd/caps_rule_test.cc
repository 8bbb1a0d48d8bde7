#include "cmd/caps_rule.h"

#include <cstdint>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;

// user:[20] is initial; 21 and 23 are below it, 22 below 21. 30 is a top that is not initial, with
// 31 below it, and 40 another one. Network namespaces have inodes of 100 more than their owners.
constexpr char kHost[] = R"pb(
  namespaces {
    type: user
    inode: 20
    initial: true
    children: [ 21, 23 ]
    owner_uid: 0
  }
  namespaces { type: user inode: 21 parent: 20 children: 22 owner_uid: 1000 }
  namespaces { type: user inode: 22 parent: 21 owner_uid: 0 }
  namespaces { type: user inode: 23 parent: 20 }
  namespaces { type: user inode: 30 children: 31 owner_uid: 5 }
  namespaces { type: user inode: 31 parent: 30 owner_uid: 5 }
  namespaces { type: user inode: 40 owner_uid: 6 }
  namespaces { type: net inode: 120 owner: 20 }
  namespaces { type: net inode: 122 owner: 22 }
  namespaces { type: net inode: 199 }
)pb";

class RuleOnTest : public ::testing::Test {
 protected:
  RuleOnTest() { Load(kHost); }

  void Load(const std::string& text) {
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot_));
    index_ = std::make_unique<nsdisc::SnapshotIndex>(snapshot_);
  }

  // On a process in user:[own] with the effective uid `uid`.
  CapsRuling Rule(uint32_t own, uint32_t uid, base::NamespaceType type, uint32_t inode) {
    nsdisc::Process process;
    process.mutable_namespaces()->set_user(own);
    process.set_uid(uid);
    return RuleOn(*index_, process, *index_->FindNamespace(type, inode));
  }
  CapsRuling InUser(uint32_t own, uint32_t uid, uint32_t inode) {
    return Rule(own, uid, base::NamespaceType::kUser, inode);
  }
  CapsRuling InNet(uint32_t own, uint32_t uid, uint32_t inode) {
    return Rule(own, uid, base::NamespaceType::kNet, inode);
  }

  nsdisc::Snapshot snapshot_;
  std::unique_ptr<nsdisc::SnapshotIndex> index_;
};

// lxkns's nscaps shows a process without any in its own user namespace.
TEST_F(RuleOnTest, OwnUserNamespace) {
  EXPECT_EQ(InUser(21, 1000, 21).rule, CapabilityReport::own);
  EXPECT_EQ(InUser(21, 1000, 21).reason, "user:[21] is its own user namespace");
  EXPECT_EQ(InNet(20, 0, 120).rule, CapabilityReport::own);
}

TEST_F(RuleOnTest, CreatorOfTheNamespaceBelowItsOwn) {
  const CapsRuling directly = InUser(20, 1000, 21);
  EXPECT_EQ(directly.rule, CapabilityReport::creator);
  EXPECT_EQ(directly.reason,
            "its effective UID 1000 created user:[21] directly below its own user:[20]");
  const CapsRuling deeper = InNet(20, 1000, 122);
  EXPECT_EQ(deeper.rule, CapabilityReport::creator);
  EXPECT_EQ(deeper.reason,
            "its effective UID 1000 created user:[21] directly below its own user:[20] and above "
            "user:[22]");
}

// Who created the target itself does not matter where that is deeper.
TEST_F(RuleOnTest, SomebodyElsesNamespaceBelowItsOwn) {
  const CapsRuling ruling = InUser(20, 0, 22);
  EXPECT_EQ(ruling.rule, CapabilityReport::descendant);
  EXPECT_EQ(ruling.reason,
            "UID 1000, not its effective UID 0, created user:[21] directly below its own user:[20] "
            "and above user:[22], so that its effective set counts");
}

TEST_F(RuleOnTest, NamespaceAboveItsOwn) {
  const CapsRuling ruling = InUser(22, 0, 20);
  EXPECT_EQ(ruling.rule, CapabilityReport::ancestor);
  EXPECT_EQ(ruling.reason, "user:[20] is above its own user:[22]");
}

TEST_F(RuleOnTest, NamespaceBesideItsOwn) {
  const CapsRuling ruling = InUser(21, 0, 23);
  EXPECT_EQ(ruling.rule, CapabilityReport::unrelated);
  EXPECT_EQ(ruling.reason, "neither of user:[23] and its own user:[21] is above the other");
}

// lxkns's nscaps crashes where there is no common root.
TEST_F(RuleOnTest, NoCommonRoot) {
  EXPECT_EQ(InUser(30, 5, 21).rule, CapabilityReport::unrelated)
      << "all that is above user:[21] is known";
  const CapsRuling hidden = InUser(40, 6, 31);
  EXPECT_EQ(hidden.rule, CapabilityReport::unknown);
  EXPECT_EQ(hidden.reason, "whether its own user:[40] is above user:[31] is unknown");
  EXPECT_EQ(InUser(99, 0, 31).rule, CapabilityReport::unknown) << "it is not in the snapshot";
}

TEST_F(RuleOnTest, WhatIsNotKnown) {
  EXPECT_EQ(InUser(20, 0, 23).reason, "who created user:[23] is unknown");
  EXPECT_EQ(InNet(20, 0, 199).reason, "which user namespace owns net:[199] is unknown");
  nsdisc::Process process;
  process.set_namespaces_error("EACCES");
  const nsdisc::Namespace& target = *index_->FindNamespace(base::NamespaceType::kUser, 21);
  EXPECT_EQ(RuleOn(*index_, process, target).reason, "its user namespace is unknown (EACCES)");
  process.mutable_namespaces()->set_user(20);
  EXPECT_EQ(RuleOn(*index_, process, target).reason, "its effective UID is unknown");
  EXPECT_EQ(RuleOn(*index_, process, target).rule, CapabilityReport::unknown);
}

// The overflow uid stands for every uid without mapping, unless the scanner has a mapping for all.
TEST_F(RuleOnTest, TellsNoUidsApartThatHaveNoMapping) {
  constexpr char kTwo[] = R"pb(
    namespaces { type: user inode: 20 %s children: 21 }
    namespaces { type: user inode: 21 parent: 20 owner_uid: 65534 }
  )pb";
  std::string text = kTwo;
  text.replace(text.find("%s"), 2, "");
  Load(text);
  EXPECT_EQ(InUser(20, 65534, 21).rule, CapabilityReport::unknown);
  EXPECT_EQ(InUser(20, 0, 21).rule, CapabilityReport::descendant);

  text = kTwo;
  text.replace(text.find("%s"), 2, "initial: true");
  Load(text);
  EXPECT_EQ(InUser(20, 65534, 21).rule, CapabilityReport::creator);
}

TEST_F(RuleOnTest, ListsUserNamespacesUpward) {
  EXPECT_THAT(UserNamespacesUpFrom(*index_, 22), ElementsAre(22, 21, 20));
  EXPECT_THAT(UserNamespacesUpFrom(*index_, 99), ElementsAre(99));
}

}  // namespace
}  // namespace nsctl::cmd
