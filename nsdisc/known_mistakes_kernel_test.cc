// Scenes that programs like this one have got wrong: docs/testing.md lists them all.

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/discover_fixture.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::OwnedFd;
using base::TestChild;
using ::testing::ElementsAre;
using testing::IsOk;
using ::testing::NotNull;

class KnownMistakesKernelTest : public DiscoverFixture {
 protected:
  static const mounttree::MountNamespace* MountsOf(const Snapshot& snapshot, uint32_t inode) {
    for (const mounttree::MountNamespace& mounts : snapshot.mounts()) {
      if (mounts.inode() == inode) return &mounts;
    }
    return nullptr;
  }

  static bool HasMountAt(const mounttree::MountNamespace& mounts, const std::string& path) {
    return absl::c_any_of(mounts.mounts(), [&](const mounttree::Mount& mount) {
      return mount.mount_point() == path;
    });
  }
};

// The following run in children with mounts of their own, on a /run of their own.
int MakeFile(const char* path) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

int MountRun() { return mount("none", "/run", "tmpfs", 0, "") == 0 ? 0 : errno; }

int Bind(const char* link, const char* path) {
  const int error = MakeFile(path);
  if (error != 0) return error;
  return mount(link, path, "", MS_BIND, nullptr) == 0 ? 0 : errno;
}

// The mounts of such a namespace are its own, not those of the process that has the descriptor.
TEST_F(KnownMistakesKernelTest, MountNamespaceThatOnlyADescriptorHoldsHasItsOwnMounts) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS | CLONE_NEWUTS, [] {
    const int error = MountRun();
    return error != 0 ? error : Bind("/proc/self/ns/uts", "/run/only here");
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> mnt = child->OpenNamespace(NamespaceType::kMnt);
  const absl::StatusOr<OwnedFd> uts = child->OpenNamespace(NamespaceType::kUts);
  ASSERT_THAT(mnt, IsOk());
  ASSERT_THAT(uts, IsOk());
  child->Stop();

  DiscoverOptions options;
  options.mounts = true;
  const std::unique_ptr<Snapshot> snapshot = Scan(options);

  const mounttree::MountNamespace* const mounts = MountsOf(*snapshot, InodeOf(*mnt));
  ASSERT_THAT(mounts, NotNull());
  EXPECT_TRUE(HasMountAt(*mounts, "/run/only here"));
  const Namespace* const bound = Find(*snapshot, NamespaceType::kUts, InodeOf(*uts));
  ASSERT_THAT(bound, NotNull());
  ASSERT_EQ(bound->bind_mounts_size(), 1);
  EXPECT_EQ(bound->bind_mounts(0).mount_namespace(), InodeOf(*mnt));
}

// The mountinfo of its one process has no "/".
TEST_F(KnownMistakesKernelTest, MountNamespaceWhoseProcessHasAnotherRoot) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS, [] {
    int error = MountRun();
    if (error == 0 && mkdir("/run/jail", 0755) != 0) error = errno;
    if (error == 0 && mkdir("/run/jail/in", 0755) != 0) error = errno;
    if (error == 0 && mount("none", "/run/jail/in", "tmpfs", 0, "") != 0) error = errno;
    if (error == 0 && syscall(SYS_chroot, "/run/jail") != 0) error = errno;
    return error;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> mnt = child->OpenNamespace(NamespaceType::kMnt);
  ASSERT_THAT(mnt, IsOk());

  DiscoverOptions options;
  options.mounts = true;
  const std::unique_ptr<Snapshot> snapshot = Scan(options);

  const mounttree::MountNamespace* const mounts = MountsOf(*snapshot, InodeOf(*mnt));
  ASSERT_THAT(mounts, NotNull());
  EXPECT_GT(mounts->mounts_size(), 0);
  EXPECT_TRUE(HasMountAt(*mounts, "/run/jail/in"));
}

TEST_F(KnownMistakesKernelTest, BindMountsUnderNamesWithBlanksAndWorse) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS | CLONE_NEWIPC, [] {
    int error = MountRun();
    for (const char* path : {"/run/a b", "/run/t\tb", "/run/n\nl", "/run/b\\040s", "/run/\xff"}) {
      if (error == 0) error = Bind("/proc/self/ns/ipc", path);
    }
    return error;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> ipc = child->OpenNamespace(NamespaceType::kIpc);
  ASSERT_THAT(ipc, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* const found = Find(*snapshot, NamespaceType::kIpc, InodeOf(*ipc));
  ASSERT_THAT(found, NotNull());
  std::vector<std::string> paths;
  for (const BindMount& mount : found->bind_mounts()) paths.push_back(mount.path());
  EXPECT_THAT(paths,
              ElementsAre("/run/\\xff", "/run/a b", "/run/b\\\\040s", "/run/n\nl", "/run/t\tb"));
}

// Mounts two namespaces at one path. Both are told, each as what it is.
TEST_F(KnownMistakesKernelTest, NamespaceUnderAnotherAtTheSamePath) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS | CLONE_NEWUTS, [] {
    int error = MountRun();
    if (error == 0) error = Bind("/proc/self/ns/uts", "/run/ns");
    if (error == 0 && syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWUTS) != 0) error = errno;
    return error;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> lower = child->Open("root/run/ns");
  const absl::StatusOr<OwnedFd> upper = child->OpenNamespace(NamespaceType::kUts);
  const absl::StatusOr<OwnedFd> user = child->OpenNamespace(NamespaceType::kUser);
  const absl::StatusOr<OwnedFd> mnt = child->OpenNamespace(NamespaceType::kMnt);
  ASSERT_THAT(lower, IsOk());
  ASSERT_THAT(upper, IsOk());
  ASSERT_THAT(user, IsOk());
  ASSERT_THAT(mnt, IsOk());
  // From outside: the child may not mount there any more.
  std::thread([&] {
    if (syscall(SYS_unshare, CLONE_FS) != 0 || setns(mnt->get(), CLONE_NEWNS) != 0) return;
    const std::string link = absl::StrCat("/proc/", child->pid().value, "/ns/uts");
    mount(link.c_str(), "/run/ns", "", MS_BIND, nullptr);
  }).join();

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* const below = Find(*snapshot, NamespaceType::kUts, InodeOf(*lower));
  const Namespace* const above = Find(*snapshot, NamespaceType::kUts, InodeOf(*upper));
  ASSERT_THAT(below, NotNull());
  ASSERT_THAT(above, NotNull());
  ASSERT_EQ(below->bind_mounts_size(), 1);
  ASSERT_EQ(above->bind_mounts_size(), 1);
  EXPECT_TRUE(below->bind_mounts(0).hidden());
  EXPECT_FALSE(above->bind_mounts(0).hidden());
  EXPECT_EQ(above->owner(), InodeOf(*user));
  EXPECT_NE(below->owner(), InodeOf(*user));
}

// A namespace that a mount alone holds has a parent and a creator as every other.
TEST_F(KnownMistakesKernelTest, BoundUserAndPidNamespacesHaveParentsAndCreators) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS, [] {
    int error = MountRun();
    if (error == 0) error = MakeFile("/run/user");
    if (error == 0) error = MakeFile("/run/pid");
    const long inner = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, nullptr, nullptr,
                               nullptr, nullptr);
    if (inner == 0) {
      while (true) pause();
    }
    for (const char* type : {"user", "pid"}) {
      char link[64];
      char path[64];
      snprintf(link, sizeof(link), "/proc/%ld/ns/%s", inner, type);
      snprintf(path, sizeof(path), "/run/%s", type);
      if (error == 0 && mount(link, path, "", MS_BIND, nullptr) != 0) error = errno;
    }
    kill(static_cast<pid_t>(inner), SIGKILL);
    waitpid(static_cast<pid_t>(inner), nullptr, 0);
    return error;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> own_user = child->OpenNamespace(NamespaceType::kUser);
  const absl::StatusOr<OwnedFd> own_pid = child->OpenNamespace(NamespaceType::kPid);
  struct stat user = {};
  struct stat pid = {};
  const std::string root = absl::StrCat("/proc/", child->pid().value, "/root/run/");
  ASSERT_EQ(stat((root + "user").c_str(), &user), 0);
  ASSERT_EQ(stat((root + "pid").c_str(), &pid), 0);

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* const bound_user =
      Find(*snapshot, NamespaceType::kUser, static_cast<uint32_t>(user.st_ino));
  const Namespace* const bound_pid =
      Find(*snapshot, NamespaceType::kPid, static_cast<uint32_t>(pid.st_ino));
  ASSERT_THAT(bound_user, NotNull());
  ASSERT_THAT(bound_pid, NotNull());
  EXPECT_EQ(bound_user->parent(), InodeOf(*own_user));
  EXPECT_EQ(bound_user->owner_uid(), geteuid());
  EXPECT_EQ(bound_pid->parent(), InodeOf(*own_pid));
  EXPECT_EQ(bound_pid->owner(), bound_user->inode());
}

// A mount that is in many mount namespaces is reached by the scanner's own.
TEST_F(KnownMistakesKernelTest, ReferenceIsThatOfTheScannersOwnMounts) {
  absl::StatusOr<OwnedFd> uts = OpenOrphan(CLONE_NEWUTS, NamespaceType::kUts);
  NSCTL_SKIP_IF_LACKING(uts.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(uts, IsOk());
  const uint32_t inode = InodeOf(*uts);
  const testing::TestDirectory directory;
  const std::string path = directory.path() + "/ns";
  const auto cleanup = absl::MakeCleanup([&] { umount2(path.c_str(), MNT_DETACH); });
  ASSERT_EQ(Bind(absl::StrCat("/proc/self/fd/", uts->get()).c_str(), path.c_str()), 0);
  ASSERT_THAT(uts->Close(), IsOk());
  // Two more mount namespaces, one of them held by a descriptor alone, with copies of the mount.
  const absl::StatusOr<OwnedFd> copy = OpenOrphan(CLONE_NEWNS, NamespaceType::kMnt);
  const absl::StatusOr<TestChild> other = TestChild::Start(CLONE_NEWNS);
  ASSERT_THAT(copy, IsOk());
  ASSERT_THAT(other, IsOk());

  const std::unique_ptr<Snapshot> snapshot = Scan();

  const Namespace* const found = Find(*snapshot, NamespaceType::kUts, inode);
  ASSERT_THAT(found, NotNull());
  EXPECT_GE(found->bind_mount_count(), 3u);
  EXPECT_THAT(found->reference(), ElementsAre(path));
  EXPECT_TRUE(found->has_owner());
}

// Who lacks CAP_NET_ADMIN learns nothing from SIOCGSKNS; a socket's cookie tells its namespace to
// everybody.
TEST_F(KnownMistakesKernelTest, SocketsAreToldWithoutCapNetAdmin) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNET);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<OwnedFd> net = child->OpenNamespace(NamespaceType::kNet);
  ASSERT_THAT(net, IsOk());
  OwnedFd socket_inside;
  std::unique_ptr<Snapshot> snapshot;
  std::thread([&] {
    if (setns(net->get(), CLONE_NEWNET) != 0) return;
    socket_inside = OwnedFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (syscall(SYS_capget, &header, data) != 0) return;
    data[0].effective &= ~(uint32_t{1} << CAP_NET_ADMIN);
    if (syscall(SYS_capset, &header, data) != 0) return;
    // The whole scan is this thread's.
    DiscoverOptions options;
    options.worker_threads = 1;
    snapshot = Scan(options);
  }).join();
  ASSERT_THAT(snapshot, NotNull());

  const Namespace* const found = Find(*snapshot, NamespaceType::kNet, InodeOf(*net));
  ASSERT_THAT(found, NotNull());
  const bool is_told = absl::c_any_of(found->sockets(), [&](const FdHolder& holder) {
    return holder.pid() == getpid() && holder.fd() == socket_inside.get();
  });
  const bool is_gap = absl::c_any_of(snapshot->gaps(), [](const Gap& gap) {
    return gap.error() == "EPERM" &&
           (gap.operation() == "ioctl SIOCGSKNS" || gap.operation() == "pidfd_getfd");
  });
  // Before Linux 6.18 nothing says of a cookie which namespace has it.
  EXPECT_TRUE(found->has_kernel_id() ? is_told : is_told || is_gap);
}

}  // namespace
}  // namespace nsctl::nsdisc
