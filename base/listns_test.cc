#include "base/listns.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::IsOkAndHolds;
using ::testing::Contains;
using ::testing::Not;

constexpr size_t kAnyNumber = size_t{1} << 20;

// The kernel lists none but the caller's own to those without privileges.
TEST(ListNamespaces, ListsTheCallersOwnByTypeAndOwner) {
  const absl::StatusOr<std::vector<uint64_t>> all = ListNamespaces({}, kAnyNumber);
  NSCTL_SKIP_IF_LACKING(all.status(), "listns");
  ASSERT_THAT(all, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net,
                             OpenAt(FdRef(AT_FDCWD), "/proc/self/ns/net", O_RDONLY));
  NSCTL_ASSERT_OK_AND_ASSIGN(const uint64_t id, KernelIdOf(net));

  EXPECT_THAT(*all, Contains(id));
  EXPECT_THAT(ListNamespaces({.clone_flags = CLONE_NEWNET}, kAnyNumber),
              IsOkAndHolds(Contains(id)));
  EXPECT_THAT(ListNamespaces({.clone_flags = CLONE_NEWUTS}, kAnyNumber),
              IsOkAndHolds(Not(Contains(id))));
  EXPECT_THAT(ListNamespaces({.owner_kernel_id = abi::kListnsCurrentUser}, kAnyNumber), IsOk());
}

TEST(ListNamespaces, ListsWhatAUserNamespaceOwns) {
  const absl::StatusOr<std::vector<uint64_t>> all = ListNamespaces({}, kAnyNumber);
  NSCTL_SKIP_IF_LACKING(all.status(), "listns");
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER | CLONE_NEWNET);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd user, child->OpenNamespace(NamespaceType::kUser));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net, child->OpenNamespace(NamespaceType::kNet));
  NSCTL_ASSERT_OK_AND_ASSIGN(const uint64_t user_id, KernelIdOf(user));
  NSCTL_ASSERT_OK_AND_ASSIGN(const uint64_t net_id, KernelIdOf(net));

  const absl::StatusOr<std::vector<uint64_t>> owned =
      ListNamespaces({.owner_kernel_id = user_id}, kAnyNumber);

  EXPECT_THAT(owned, IsOkAndHolds(std::vector<uint64_t>{net_id}));
}

TEST(ListNamespaces, FailsAsUnsupportedWhereTheKernelLacksIt) {
  const absl::StatusOr<std::vector<uint64_t>> all = ListNamespaces({}, kAnyNumber);
  if (all.ok()) GTEST_SKIP() << "this kernel has listns";
  EXPECT_THAT(all, HasErrno(ENOSYS));
}

}  // namespace
}  // namespace nsctl::base
