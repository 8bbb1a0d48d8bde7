#include "nsdisc/namespace_census.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "absl/algorithm/container.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::OwnedFd;
using base::TestChild;
using ::testing::Contains;
using testing::IsOk;
using ::testing::Not;

// The namespace as both lists are to have it; the second one tells no inodes.
ListedNamespace Listed(NamespaceType type, const OwnedFd& fd, bool with_inode) {
  const absl::StatusOr<uint64_t> id =
      type == NamespaceType::kMnt ? base::MountNamespaceIdOf(fd) : base::KernelIdOf(fd);
  EXPECT_THAT(id, IsOk());
  const absl::StatusOr<base::NamespaceId> inode = base::NamespaceIdOf(fd);
  EXPECT_THAT(inode, IsOk());
  return {type, id.value_or(0), with_inode ? inode->inode : 0};
}

TEST(KernelCensus, ListsMountNamespacesOnBothSidesOfItsOwn) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  KernelCensus census;

  const absl::StatusOr<std::vector<ListedNamespace>> listed = census.ListMountNamespaces();

  NSCTL_SKIP_IF_LACKING(listed.status(), "NS_MNT_GET_NEXT in the initial PID namespace");
  ASSERT_THAT(listed, IsOk());
  const absl::StatusOr<OwnedFd> other = child->OpenNamespace(NamespaceType::kMnt);
  ASSERT_THAT(other, IsOk());
  const absl::StatusOr<OwnedFd> own =
      base::OpenAt(base::FdRef(AT_FDCWD), "/proc/self/ns/mnt", O_RDONLY);
  ASSERT_THAT(own, IsOk());
  EXPECT_THAT(*listed, Contains(Listed(NamespaceType::kMnt, *other, true)).Times(1));
  EXPECT_THAT(*listed, Contains(Listed(NamespaceType::kMnt, *own, true)).Times(1));
  EXPECT_TRUE(absl::c_is_sorted(
      *listed, [](const auto& a, const auto& b) { return a.kernel_id < b.kernel_id; }));
}

TEST(KernelCensus, ForgetsANamespaceThatHasEnded) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  ListedNamespace gone{};
  {
    const absl::StatusOr<OwnedFd> fd = child->OpenNamespace(NamespaceType::kMnt);
    ASSERT_THAT(fd, IsOk());
    NSCTL_SKIP_IF_LACKING(base::MountNamespaceIdOf(*fd).status(), "NS_GET_MNTNS_ID");
    gone = Listed(NamespaceType::kMnt, *fd, true);
  }
  child->Stop();

  const absl::StatusOr<std::vector<ListedNamespace>> listed = KernelCensus().ListMountNamespaces();

  NSCTL_SKIP_IF_LACKING(listed.status(), "NS_MNT_GET_NEXT in the initial PID namespace");
  EXPECT_THAT(*listed, Not(Contains(gone)));
}

TEST(KernelCensus, ListsNamespacesOfAllTypes) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNET | CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());

  const absl::StatusOr<std::vector<ListedNamespace>> listed = KernelCensus().ListAllNamespaces();

  NSCTL_SKIP_IF_LACKING(listed.status(), "listns in the initial PID namespace");
  ASSERT_THAT(listed, IsOk());
  for (const NamespaceType type : {NamespaceType::kNet, NamespaceType::kUts}) {
    const absl::StatusOr<OwnedFd> fd = child->OpenNamespace(type);
    ASSERT_THAT(fd, IsOk());
    EXPECT_THAT(*listed, Contains(Listed(type, *fd, false)));
  }
}

}  // namespace
}  // namespace nsctl::nsdisc
