#include "nsdisc/portable_reference.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/questions.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::OwnedFd;
using base::TestChild;
using procfsroot::Procfs;
using testing::HasErrno;
using testing::IsOk;
using testing::StatusIs;

class PortableReferenceTest : public ::testing::Test {
 protected:
  void SetUp() override { NSCTL_ASSERT_OK_AND_ASSIGN(procfs_, Procfs::Live()); }

  PortableReference ReferenceTo(NamespaceType type, uint32_t inode) {
    KernelQuestions kernel;
    const absl::StatusOr<std::unique_ptr<Snapshot>> snapshot =
        Discover(*procfs_, kernel.For(*procfs_), {});
    EXPECT_THAT(snapshot, IsOk());
    const SnapshotIndex index(**snapshot);
    const Namespace* ns = index.FindNamespace(type, inode);
    EXPECT_NE(ns, nullptr);
    return ns != nullptr ? MakePortableReference(index, *ns) : PortableReference();
  }

  static uint32_t InodeOf(base::FdRef fd) {
    const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(fd);
    EXPECT_THAT(id, IsOk());
    return id.ok() ? id->inode : 0;
  }

  std::optional<Procfs> procfs_;
};

TEST_F(PortableReferenceTest, OpensTheSameNamespaceAndAfterItsEndNone) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  uint32_t inode = 0;
  {
    const absl::StatusOr<OwnedFd> ns = child->OpenNamespace(NamespaceType::kUts);
    ASSERT_THAT(ns, IsOk());
    inode = InodeOf(*ns);
  }
  const PortableReference reference = ReferenceTo(NamespaceType::kUts, inode);
  EXPECT_EQ(reference.pid(), child->pid().value);

  {
    const absl::StatusOr<OwnedFd> opened = OpenPortableReference(*procfs_, reference);
    ASSERT_THAT(opened, IsOk());
    EXPECT_EQ(InodeOf(*opened), inode);
  }
  child->Stop();

  EXPECT_THAT(OpenPortableReference(*procfs_, reference), HasErrno(ESTALE));
}

// A descriptor's number may lead to another namespace by now.
TEST_F(PortableReferenceTest, RefusesAnotherNamespaceAtTheSamePath) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  absl::StatusOr<OwnedFd> ns = child->OpenNamespace(NamespaceType::kUts);
  ASSERT_THAT(ns, IsOk());
  child->Stop();
  const PortableReference reference = ReferenceTo(NamespaceType::kUts, InodeOf(*ns));
  ASSERT_THAT(OpenPortableReference(*procfs_, reference), IsOk());
  const absl::StatusOr<OwnedFd> other =
      base::OpenAt(base::FdRef(AT_FDCWD), "/proc/self/ns/uts", O_RDONLY);
  ASSERT_THAT(other, IsOk());

  ASSERT_EQ(dup3(other->get(), ns->get(), O_CLOEXEC), ns->get());

  EXPECT_THAT(OpenPortableReference(*procfs_, reference), HasErrno(ESTALE));
}

TEST_F(PortableReferenceTest, RefusesAnotherProcessAndAnotherBoot) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> ns = child->OpenNamespace(NamespaceType::kUts);
  ASSERT_THAT(ns, IsOk());
  PortableReference reference = ReferenceTo(NamespaceType::kUts, InodeOf(*ns));
  reference.clear_kernel_id();

  PortableReference other_process = reference;
  other_process.set_start_time(reference.start_time() + 1);
  PortableReference other_boot = reference;
  other_boot.set_boot_id("01234567-89ab-cdef-0123-456789abcdef");

  EXPECT_THAT(OpenPortableReference(*procfs_, reference), IsOk());
  EXPECT_THAT(OpenPortableReference(*procfs_, other_process), HasErrno(ESTALE));
  EXPECT_THAT(OpenPortableReference(*procfs_, other_boot),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the reference is of another boot of the kernel"));
}

TEST_F(PortableReferenceTest, WantsATypeAnInodeAndAWay) {
  PortableReference reference;
  EXPECT_THAT(
      OpenPortableReference(*procfs_, reference),
      StatusIs(absl::StatusCode::kInvalidArgument, "the reference has no type or no inode"));
  reference.set_type(Namespace::net);
  reference.set_inode(5);

  EXPECT_THAT(
      OpenPortableReference(*procfs_, reference),
      StatusIs(absl::StatusCode::kInvalidArgument, "the reference has neither a path nor an id"));
}

}  // namespace
}  // namespace nsctl::nsdisc
