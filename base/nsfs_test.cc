#include "base/nsfs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::IsOkAndHolds;
using ::testing::AnyOf;

absl::StatusOr<OwnedFd> OpenOwn(NamespaceType type) {
  return OpenAt(FdRef(AT_FDCWD), absl::StrCat("/proc/self/ns/", InfoOf(type).name), O_RDONLY);
}

// The inode number that the kernel writes for the test's own namespace of `type`.
std::optional<NamespaceLink> OwnLink(NamespaceType type) {
  char text[64];
  const std::string path = absl::StrCat("/proc/self/ns/", InfoOf(type).name);
  const ssize_t length = readlink(path.c_str(), text, sizeof(text));
  if (length < 0) return std::nullopt;
  return ParseNamespaceLinkText({text, static_cast<size_t>(length)});
}

TEST(Nsfs, KnowsTypeAndInodeOfEveryKind) {
  for (const NamespaceTypeInfo& info : kNamespaceTypes) {
    SCOPED_TRACE(info.name);
    const absl::StatusOr<OwnedFd> ns = OpenOwn(info.type);
    if (IsGone(ns.status())) continue;  // The kernel was built without this kind.
    ASSERT_THAT(ns, IsOk());

    const absl::StatusOr<NamespaceId> id = NamespaceIdOf(*ns);

    EXPECT_THAT(NamespaceTypeOf(*ns), IsOkAndHolds(info.type));
    ASSERT_THAT(id, IsOk());
    EXPECT_NE(id->device, 0u);
    EXPECT_EQ((NamespaceLink{info.type, id->inode}), OwnLink(info.type));
  }
}

TEST(Nsfs, RefusesFilesThatAreNoNamespaces) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file,
                             OpenAt(FdRef(AT_FDCWD), "/proc/self/status", O_RDONLY));
  EXPECT_THAT(NamespaceTypeOf(file), HasErrno(ENOTTY));
  EXPECT_THAT(OpenOwner(file), HasErrno(ENOTTY));
  EXPECT_THAT(KernelIdOf(file), HasErrno(ENOTTY));
  EXPECT_THAT(OpenNextMountNamespace(file), HasErrno(ENOTTY));
}

TEST(OpenOwner, OpensTheUserNamespaceItWasMadeIn) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER | CLONE_NEWNET);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd user, child->OpenNamespace(NamespaceType::kUser));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net, child->OpenNamespace(NamespaceType::kNet));

  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd owner, OpenOwner(net));

  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceId expected, NamespaceIdOf(user));
  EXPECT_THAT(NamespaceIdOf(owner), IsOkAndHolds(expected));
  EXPECT_THAT(NamespaceTypeOf(owner), IsOkAndHolds(NamespaceType::kUser));
  EXPECT_EQ(fcntl(owner.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(owner.path(), absl::StrCat("owner of ", net.path()));
}

TEST(OpenParent, OpensTheParentsOfUserAndPidNamespaces) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER | CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  ASSERT_THAT(child, IsOk());
  for (const NamespaceType type : {NamespaceType::kUser, NamespaceType::kPid}) {
    SCOPED_TRACE(InfoOf(type).name);
    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd ns, child->OpenNamespace(type));
    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd own, OpenOwn(type));

    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd parent, OpenParent(ns));

    NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceId expected, NamespaceIdOf(own));
    EXPECT_THAT(NamespaceIdOf(parent), IsOkAndHolds(expected));
    EXPECT_THAT(OpenParent(own), HasErrno(EPERM)) << "out of the caller's scope";
  }
}

TEST(OpenParent, RefusesKindsWithoutParents) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net, OpenOwn(NamespaceType::kNet));
  EXPECT_THAT(OpenParent(net), HasErrno(EINVAL));
}

TEST(OwnerUidOf, TellsTheCreator) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd user, child->OpenNamespace(NamespaceType::kUser));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net, OpenOwn(NamespaceType::kNet));

  EXPECT_THAT(OwnerUidOf(user), IsOkAndHolds(geteuid()));
  EXPECT_THAT(OwnerUidOf(net), HasErrno(EINVAL));
}

TEST(KernelIdOf, TellsNamespacesApart) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd theirs, child->OpenNamespace(NamespaceType::kUts));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd ours, OpenOwn(NamespaceType::kUts));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd again, OpenOwn(NamespaceType::kUts));
  const absl::StatusOr<uint64_t> our_id = KernelIdOf(ours);
  NSCTL_SKIP_IF_LACKING(our_id.status(), "NS_GET_ID");

  EXPECT_THAT(KernelIdOf(again), IsOkAndHolds(*our_id));
  EXPECT_THAT(KernelIdOf(theirs), IsOkAndHolds(::testing::Ne(*our_id)));
}

TEST(MountNamespaceInfoOf, CountsTheMountsAndAgreesOnTheId) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd mnt, child->OpenNamespace(NamespaceType::kMnt));
  const absl::StatusOr<MountNamespaceInfo> info = MountNamespaceInfoOf(mnt);
  NSCTL_SKIP_IF_LACKING(info.status(), "NS_MNT_GET_INFO");
  ASSERT_THAT(info, IsOk());

  EXPECT_GT(info->mount_count, 0u);
  EXPECT_THAT(MountNamespaceIdOf(mnt), IsOkAndHolds(info->kernel_id));
  const absl::StatusOr<uint64_t> kernel_id = KernelIdOf(mnt);
  if (kernel_id.ok()) {
    EXPECT_EQ(*kernel_id, info->kernel_id);
  }
}

TEST(MountNamespaceInfoOf, RefusesOtherKinds) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net, OpenOwn(NamespaceType::kNet));
  EXPECT_TRUE(IsUnsupported(MountNamespaceInfoOf(net).status()));
  EXPECT_TRUE(IsUnsupported(MountNamespaceIdOf(net).status()));
}

using Step = absl::StatusOr<MountNamespaceNeighbour> (*)(FdRef);

// Whether the mount namespace with `id` is met on the way from `start` to the list's end. Other
// processes' namespaces come and go meanwhile, so that a way may end early.
absl::StatusOr<bool> IsMet(FdRef start, uint64_t id, Step step) {
  absl::StatusOr<MountNamespaceNeighbour> here = step(start);
  while (here.ok() && here->info.kernel_id != id) here = step(here->fd);
  if (!here.ok() && ErrnoOf(here.status()) != ENOENT) return here.status();
  return here.ok();
}

TEST(OpenNextMountNamespace, MeetsEveryMountNamespaceInOneDirection) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd theirs, child->OpenNamespace(NamespaceType::kMnt));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd ours, OpenOwn(NamespaceType::kMnt));
  const absl::StatusOr<uint64_t> id = MountNamespaceIdOf(theirs);
  NSCTL_SKIP_IF_LACKING(id.status(), "NS_GET_MNTNS_ID");

  bool after = false;
  bool before = false;
  for (int attempt = 0; attempt < 100 && !after && !before; ++attempt) {
    const absl::StatusOr<bool> met = IsMet(ours, *id, OpenNextMountNamespace);
    NSCTL_SKIP_IF_LACKING(met.status(), "NS_MNT_GET_NEXT");
    ASSERT_THAT(met, IsOk());
    after = *met;
    NSCTL_ASSERT_OK_AND_ASSIGN(before, IsMet(ours, *id, OpenPreviousMountNamespace));
  }

  EXPECT_NE(after, before);
}

TEST(PidTranslation, GoesBothWays) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd pid, child->OpenNamespace(NamespaceType::kPid));
  const absl::StatusOr<Pid> inside = PidInPidNamespace(pid, child->pid());
  NSCTL_SKIP_IF_LACKING(inside.status(), "NS_GET_TGID_IN_PIDNS");

  EXPECT_THAT(inside, IsOkAndHolds(Pid{1}));
  EXPECT_THAT(PidFromPidNamespace(pid, Pid{1}), IsOkAndHolds(child->pid()));
  EXPECT_THAT(TidInPidNamespace(pid, Tid{child->pid().value}), IsOkAndHolds(Tid{1}));
  EXPECT_THAT(TidFromPidNamespace(pid, Tid{1}), IsOkAndHolds(Tid{child->pid().value}));
  // Linux 6.16 says ENOTTY.
  EXPECT_THAT(PidInPidNamespace(pid, Pid{getpid()}), AnyOf(HasErrno(ESRCH), HasErrno(ENOTTY)));
  EXPECT_THAT(PidFromPidNamespace(pid, Pid{2}), AnyOf(HasErrno(ESRCH), HasErrno(ENOTTY)));
}

TEST(PidTranslation, RefusesOtherKinds) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net, OpenOwn(NamespaceType::kNet));
  EXPECT_TRUE(IsUnsupported(PidInPidNamespace(net, Pid{1}).status()));
}

}  // namespace
}  // namespace nsctl::base
