#include "cmd/presentation.h"

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::nsctl::nsdisc::Namespace;

TEST(Presentation, PaintsOnlyInColour) {
  EXPECT_EQ(Presentation().Paint(Role::kHeading, "NS"), "NS");
  EXPECT_EQ(Presentation{.color = true}.Paint(Role::kHeading, "NS"), "\x1b[1mNS\x1b[0m");
  EXPECT_EQ(Presentation{.color = true}.Paint(Role::kPlain, "NS"), "NS");
}

TEST(RoleOf, KnowsEveryType) {
  EXPECT_EQ(RoleOf(Namespace::unspecified), Role::kUnknownType);
  EXPECT_EQ(RoleOf(Namespace::mnt), Role::kMnt);
  EXPECT_EQ(RoleOf(Namespace::time), Role::kTime);
  EXPECT_EQ(RoleOf(static_cast<Namespace::Type>(1000)), Role::kUnknownType);
}

}  // namespace
}  // namespace nsctl::cmd
