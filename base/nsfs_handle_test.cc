#include "base/nsfs_handle.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
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

TEST(NamespaceHandle, NamesANamespaceAsLongAsItLives) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNET);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(OwnedFd net, child->OpenNamespace(NamespaceType::kNet));
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceId id, NamespaceIdOf(net));
  const absl::StatusOr<NamespaceHandle> handle = HandleOf(net);
  NSCTL_SKIP_IF_LACKING(handle.status(), "nsfs file handles");
  ASSERT_THAT(handle, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const uint64_t kernel_id, KernelIdOf(net));
  EXPECT_EQ(*handle, (NamespaceHandle{kernel_id, NamespaceType::kNet, id.inode}));

  {
    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd opened, OpenByHandle(*handle));
    EXPECT_THAT(NamespaceIdOf(opened), IsOkAndHolds(id));
    EXPECT_EQ(fcntl(opened.get(), F_GETFD), FD_CLOEXEC);
  }

  NamespaceHandle other_inode = *handle;
  other_inode.inode ^= 1;
  EXPECT_THAT(OpenByHandle(other_inode), HasErrno(ESTALE));
  NamespaceHandle other_type = *handle;
  other_type.type = NamespaceType::kUts;
  EXPECT_THAT(OpenByHandle(other_type), HasErrno(ESTALE));
}

TEST(NamespaceHandle, IsStaleOnceTheNamespaceIsGone) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(OwnedFd uts, child->OpenNamespace(NamespaceType::kUts));
  const absl::StatusOr<NamespaceHandle> handle = HandleOf(uts);
  NSCTL_SKIP_IF_LACKING(handle.status(), "nsfs file handles");
  ASSERT_THAT(uts.Close(), IsOk());
  ASSERT_THAT(OpenByHandle(*handle), IsOk()) << "its process keeps it alive, the handle does not";

  child->Stop();

  EXPECT_THAT(OpenByHandle(*handle), HasErrno(ESTALE));
}

TEST(HandleOf, RefusesFilesThatAreNoNamespaces) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd root, OpenAt(FdRef(AT_FDCWD), "/", O_RDONLY));
  EXPECT_FALSE(HandleOf(root).ok());
}

}  // namespace
}  // namespace nsctl::base
