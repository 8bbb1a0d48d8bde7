#include "engines/evidence_pods.h"

#include <cstdint>
#include <optional>

#include "engines/container.h"
#include "engines/engine_client.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

// A container of pod "p", told by `user`, or by the host's own.
EngineRow RowOf(std::optional<uint32_t> user) {
  EngineRow row;
  row.container.set_foreign(user.has_value());
  if (user.has_value()) row.container.set_told_by_uid(*user);
  row.container.set_pod("p");
  row.pod.emplace().set_id("p");
  return row;
}

TEST(TakeAnnotations, ReadsTheSandbox) {
  EngineRow row;
  SetLabel("io.kubernetes.cri.sandbox-id", "p", row.container.mutable_annotations());
  SetLabel("io.kubernetes.cri.sandbox-name", "shop", row.container.mutable_annotations());
  SetLabel("io.kubernetes.cri.sandbox-namespace", "prod", row.container.mutable_annotations());
  SetLabel("io.kubernetes.cri.container-type", "sandbox", row.container.mutable_annotations());

  TakeAnnotations(&row);

  EXPECT_EQ(row.container.name(), "shop");
  EXPECT_TRUE(row.container.sandbox());
  ASSERT_TRUE(row.pod.has_value());
  EXPECT_EQ(row.pod->id(), "p");
  EXPECT_EQ(row.pod->kubernetes_namespace(), "prod");
}

TEST(EvidencePods, KeepsUsersOutOfOthersPods) {
  EvidencePods pods;
  EngineRow hosts = RowOf(std::nullopt);
  EngineRow again = RowOf(std::nullopt);
  EngineRow users = RowOf(1000);

  pods.KeepApart(&hosts);
  pods.KeepApart(&again);
  pods.KeepApart(&users);

  EXPECT_EQ(hosts.container.pod(), "p");
  EXPECT_TRUE(again.pod.has_value());
  EXPECT_FALSE(users.pod.has_value());
  EXPECT_EQ(users.container.pod(), "");
}

TEST(EvidencePods, KeepsUsersPodsApart) {
  EvidencePods pods;
  EngineRow one = RowOf(1000);
  EngineRow other = RowOf(1001);
  EngineRow more = RowOf(1000);

  pods.KeepApart(&one);
  pods.KeepApart(&other);
  pods.KeepApart(&more);

  EXPECT_TRUE(one.pod.has_value());
  EXPECT_FALSE(other.pod.has_value());
  EXPECT_TRUE(more.pod.has_value());
}

}  // namespace
}  // namespace nsctl::engines
