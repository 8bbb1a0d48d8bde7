#include "nsdisc/bpf_census.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/discover_fixture.h"
#include "nsdisc/namespace_census.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::OwnedFd;
using base::TestChild;
using ::testing::Contains;
using testing::IsOk;
using ::testing::Not;

constexpr char kNeeds[] = "Linux 6.18, BTF, CAP_BPF and CAP_PERFMON";

// As the kernel itself tells of it.
ListedNamespace Told(NamespaceType type, const OwnedFd& fd) {
  const absl::StatusOr<uint64_t> id = base::KernelIdOf(fd);
  EXPECT_THAT(id, IsOk());
  return {type, id.value_or(0), InodeOf(fd)};
}

// Kernels without BTF have no file that describes them.
bool IsLacking(const absl::Status& status) {
  return absl::IsUnimplemented(status) || base::ErrnoOf(status) == ENOENT;
}

#define SKIP_WITHOUT_CENSUS(status)                        \
  if (IsLacking(status)) GTEST_SKIP() << status.message(); \
  NSCTL_SKIP_IF_LACKING(status, kNeeds)

TEST(KernelBpfCensus, ListsANewNamespaceOfEachType) {
  KernelBpfCensus census;
  SKIP_WITHOUT_CENSUS(census.List().status());
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    SCOPED_TRACE(info.name);
    const absl::StatusOr<OwnedFd> ns = OpenOrphan(static_cast<int>(info.clone_flag), info.type);
    ASSERT_THAT(ns, IsOk());

    const absl::StatusOr<BpfCensus::Listing> listing = census.List();

    ASSERT_THAT(listing, IsOk());
    EXPECT_THAT(listing->missing, IsOk());
    EXPECT_THAT(listing->namespaces, Contains(Told(info.type, *ns)).Times(1));
  }
}

TEST(KernelBpfCensus, ForgetsANamespaceThatHasEnded) {
  KernelBpfCensus census;
  SKIP_WITHOUT_CENSUS(census.List().status());
  ListedNamespace gone{};
  {
    const absl::StatusOr<OwnedFd> ns = OpenOrphan(CLONE_NEWNET, NamespaceType::kNet);
    ASSERT_THAT(ns, IsOk());
    gone = Told(NamespaceType::kNet, *ns);
  }

  // The kernel still has it in its list for a while, until all of it is torn down.
  const absl::StatusOr<BpfCensus::Listing> listing = census.List();

  ASSERT_THAT(listing, IsOk());
  EXPECT_THAT(listing->namespaces, Not(Contains(gone)));
}

TEST(KernelBpfCensus, HasTheMountNamespacesThatTheKernelLists) {
  KernelBpfCensus census;
  const absl::StatusOr<BpfCensus::Listing> before = census.List();
  SKIP_WITHOUT_CENSUS(before.status());
  const absl::StatusOr<std::vector<ListedNamespace>> listed = KernelCensus().ListMountNamespaces();
  NSCTL_SKIP_IF_LACKING(listed.status(), "NS_MNT_GET_NEXT in the initial PID namespace");
  const absl::StatusOr<BpfCensus::Listing> after = census.List();
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(listed, IsOk());
  ASSERT_THAT(after, IsOk());

  // Others may come and go meanwhile.
  for (const ListedNamespace& one : *listed) {
    if (!absl::c_linear_search(after->namespaces, one)) continue;
    EXPECT_THAT(before->namespaces, Contains(one));
  }
  for (const ListedNamespace& one : before->namespaces) {
    if (one.type != NamespaceType::kMnt || !absl::c_linear_search(after->namespaces, one)) continue;
    EXPECT_THAT(*listed, Contains(one));
  }
}

TEST(KernelBpfCensus, IsInOrderAndHasEachOnce) {
  KernelBpfCensus census;
  const absl::StatusOr<BpfCensus::Listing> listing = census.List();
  SKIP_WITHOUT_CENSUS(listing.status());
  ASSERT_THAT(listing, IsOk());

  EXPECT_TRUE(absl::c_is_sorted(listing->namespaces, [](const auto& a, const auto& b) {
    return a.type != b.type ? a.type < b.type : a.kernel_id < b.kernel_id;
  }));
  absl::flat_hash_set<uint64_t> ids;
  for (const ListedNamespace& one : listing->namespaces) {
    EXPECT_TRUE(ids.insert(one.kernel_id).second) << one.kernel_id;
    EXPECT_NE(one.inode, 0U);
  }
}

// In a thread, which alone changes its namespace.
std::vector<OwnedFd> OpenManyUtsNamespaces(size_t count) {
  std::vector<OwnedFd> opened;
  std::thread([&] {
    while (opened.size() < count && unshare(CLONE_NEWUTS) == 0) {
      absl::StatusOr<OwnedFd> fd =
          base::OpenAt(base::FdRef(AT_FDCWD), "/proc/thread-self/ns/uts", O_RDONLY);
      if (!fd.ok()) return;
      opened.push_back(*std::move(fd));
    }
  }).join();
  return opened;
}

// More than are made room for at first.
TEST(KernelBpfCensus, MakesRoomForMany) {
  KernelBpfCensus census;
  SKIP_WITHOUT_CENSUS(census.List().status());
  constexpr size_t kMany = 1200;
  const std::vector<OwnedFd> held = OpenManyUtsNamespaces(kMany);
  if (held.size() < kMany) GTEST_SKIP() << "needs that many descriptors and namespaces";

  const absl::StatusOr<BpfCensus::Listing> listing = census.List();

  ASSERT_THAT(listing, IsOk());
  EXPECT_THAT(listing->missing, IsOk());
  absl::flat_hash_set<uint64_t> ids;
  for (const ListedNamespace& one : listing->namespaces) ids.insert(one.kernel_id);
  for (const OwnedFd& fd : held) EXPECT_TRUE(ids.contains(base::KernelIdOf(fd).value_or(0)));
}

// Namespaces of all types come and go by the thousand while the lists are walked.
TEST(KernelBpfCensus, StandsAStorm) {
  KernelBpfCensus census;
  SKIP_WITHOUT_CENSUS(census.List().status());
  const absl::StatusOr<OwnedFd> kept = OpenOrphan(CLONE_NEWIPC, NamespaceType::kIpc);
  ASSERT_THAT(kept, IsOk());
  const absl::StatusOr<TestChild> storm = TestChild::Start(0, [] {
    const long pid = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid != 0) return pid < 0 ? errno : 0;
    for (int i = 0; i < 3000; ++i) {
      const long child = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
      if (child == 0) {
        syscall(SYS_unshare, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
                                 CLONE_NEWCGROUP | CLONE_NEWTIME);
        _exit(0);
      }
      if (child < 0 || waitpid(static_cast<pid_t>(child), nullptr, 0) < 0) _exit(1);
    }
    _exit(0);
    return 0;
  });
  ASSERT_THAT(storm, IsOk());

  for (int i = 0; i < 300; ++i) {
    const absl::StatusOr<BpfCensus::Listing> listing = census.List();

    ASSERT_THAT(listing, IsOk());
    ASSERT_THAT(listing->missing, IsOk());
    ASSERT_THAT(listing->namespaces, Contains(Told(NamespaceType::kIpc, *kept)));
  }
}

// In a mount namespace of a child's, where a FIFO is mounted over the kernel's description.
TEST(KernelBpfCensus, AsksNothingThatIsMountedOverSysfs) {
  SKIP_WITHOUT_CENSUS(KernelBpfCensus().List().status());
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", "/sys/kernel/btf", "tmpfs", 0, nullptr) != 0 ||
        mkfifo("/sys/kernel/btf/vmlinux", 0600) != 0) {
      _exit(100);
    }
    _exit(base::ErrnoOf(KernelBpfCensus().List().status()) == EXDEV ? 0 : 101);
  }
  ASSERT_GT(pid, 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

// In a child, since a capability that was given up does not come back.
TEST(KernelBpfCensus, IsRefusedWithoutCapabilities) {
  SKIP_WITHOUT_CENSUS(KernelBpfCensus().List().status());
  const pid_t pid = fork();
  if (pid == 0) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    if (syscall(SYS_capset, &header, none) != 0) _exit(100);
    const absl::Status status = KernelBpfCensus().List().status();
    _exit(base::ErrnoOf(status) == EPERM ? 0 : 101);
  }
  ASSERT_GT(pid, 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace nsctl::nsdisc
