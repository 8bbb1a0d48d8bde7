#include "nsentry/standing.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::nsentry {
namespace {

using base::NamespaceId;
using testing::IsOk;

constexpr NamespaceId kInitial = {4, 1};
constexpr NamespaceId kChild = {4, 2};
constexpr NamespaceId kGrandchild = {4, 3};
constexpr uint64_t kAdmin = uint64_t{1} << kCapSysAdmin;

struct Case {
  std::string name;
  Standing standing;
  std::vector<UserNamespaceLink> chain;
  bool has;
};

class StandingCases : public ::testing::TestWithParam<Case> {};

TEST_P(StandingCases, SaysWhatTheKernelWould) {
  EXPECT_EQ(HasCapabilityIn(GetParam().standing, GetParam().chain, kCapSysAdmin), GetParam().has);
}

// user_namespaces(7), "Capabilities".
INSTANTIATE_TEST_SUITE_P(
    All, StandingCases,
    ::testing::ValuesIn(std::vector<Case>{
        {"EffectiveInItsOwn", {kInitial, kAdmin, 0}, {{kInitial, 0}}, true},
        {"NotEffectiveInItsOwn", {kInitial, 0, 0}, {{kInitial, 0}}, false},
        {"EffectiveAboveHoldsBelow", {kInitial, kAdmin, 0}, {{kChild, 7}, {kInitial, 0}}, true},
        {"MakerHasAllInTheChild", {kInitial, 0, 7}, {{kChild, 7}, {kInitial, 0}}, true},
        {"OtherUsersHaveNone", {kInitial, 0, 8}, {{kChild, 7}, {kInitial, 0}}, false},
        {"MakerHasAllInTheGrandchildToo",
         {kInitial, 0, 7},
         {{kGrandchild, 9}, {kChild, 7}, {kInitial, 0}},
         true},
        {"MakerOfTheGrandchildAloneHasNone",
         {kInitial, 0, 9},
         {{kGrandchild, 9}, {kChild, 7}, {kInitial, 0}},
         false},
        {"NoneAbove", {kChild, kAdmin, 0}, {{kInitial, 0}}, false},
        {"NoneInASibling", {kChild, kAdmin, 0}, {{kGrandchild, 0}, {kInitial, 0}}, false},
        {"NoneInTheUnknown", {kChild, kAdmin, 0}, {}, false},
        {"AllOnceJoined",
         Standing{kInitial, 0, 7}.AfterJoining(kChild),
         {{kChild, 7}, {kInitial, 0}},
         true},
    }),
    [](const auto& info) { return info.param.name; });

TEST(UserNamespaceChain, LeadsFromTheChildToTheCallersOwn) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd own,
                             base::OpenAt(base::FdRef(AT_FDCWD), "/proc/self/ns/user", O_RDONLY));
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceId top, base::NamespaceIdOf(own));
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWUSER);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd fd,
                             child->OpenNamespace(base::NamespaceType::kUser));
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceId id, base::NamespaceIdOf(fd));

  NSCTL_ASSERT_OK_AND_ASSIGN(const std::vector<UserNamespaceLink> chain,
                             ReadUserNamespaceChain(fd, top));

  ASSERT_EQ(chain.size(), 2);
  EXPECT_EQ(chain[0].id, id);
  EXPECT_EQ(chain[0].owner_uid, geteuid());
  EXPECT_EQ(chain[1].id, top);
}

}  // namespace
}  // namespace nsctl::nsentry
