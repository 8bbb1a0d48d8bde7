// Namespaces that nothing in sight holds, on the running kernel: found by the kernel's own lists
// and called dark, and no other is.

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/bpf_census.h"
#include "nsdisc/discover.h"
#include "nsdisc/discover_fixture.h"
#include "nsdisc/namespace_census.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::OwnedFd;
using base::TestChild;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::NotNull;

using DarkKernelTest = DiscoverFixture;

// unix(7): a descriptor on its way between two sockets is in no table.
void SendAway(OwnedFd fd, int through) {
  char byte = 0;
  struct iovec data = {&byte, 1};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = fd.get();
  memcpy(CMSG_DATA(header), &number, sizeof(number));
  EXPECT_EQ(sendmsg(through, &message, 0), 1) << errno;
}

TEST_F(DarkKernelTest, MountNamespaceInFlightIsDark) {
  absl::StatusOr<OwnedFd> ns = OpenOrphan(CLONE_NEWNS, NamespaceType::kMnt);
  NSCTL_SKIP_IF_LACKING(ns.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(ns, IsOk());
  NSCTL_SKIP_IF_LACKING(base::OpenNextMountNamespace(*ns).status(), "NS_MNT_GET_NEXT");
  const uint32_t inode = InodeOf(*ns);
  const absl::StatusOr<uint64_t> id = base::MountNamespaceIdOf(*ns);
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
  const OwnedFd sender(ends[0]);
  const OwnedFd receiver(ends[1]);
  SendAway(*std::move(ns), sender.get());

  const std::unique_ptr<Snapshot> snapshot = Scan();
  DiscoverOptions without;
  without.kernel_lists = false;

  const Namespace* found = Find(*snapshot, NamespaceType::kMnt, inode);
  ASSERT_THAT(found, NotNull());
  EXPECT_TRUE(found->dark());
  EXPECT_EQ(found->kernel_id(), *id);
  EXPECT_TRUE(found->has_owner());
  EXPECT_THAT(found->reference(), IsEmpty());
  EXPECT_EQ(Find(*Scan(without), NamespaceType::kMnt, inode), nullptr);
}

// Linux 6.19: what listns(2) has and nothing in sight holds.
TEST_F(DarkKernelTest, NamespaceOfAnyTypeInFlightIsDark) {
  NSCTL_SKIP_IF_LACKING(KernelCensus().ListAllNamespaces().status(), "listns");
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
  const OwnedFd sender(ends[0]);
  const OwnedFd receiver(ends[1]);
  std::vector<base::NamespaceLink> sent;
  for (const NamespaceType type : {NamespaceType::kCgroup, NamespaceType::kUts, NamespaceType::kIpc,
                                   NamespaceType::kUser, NamespaceType::kNet}) {
    absl::StatusOr<OwnedFd> ns = OpenOrphan(static_cast<int>(base::InfoOf(type).clone_flag), type);
    ASSERT_THAT(ns, IsOk());
    sent.push_back({type, InodeOf(*ns)});
    SendAway(*std::move(ns), sender.get());
  }

  const std::unique_ptr<Snapshot> snapshot = Scan();

  for (const base::NamespaceLink& one : sent) {
    SCOPED_TRACE(base::InfoOf(one.type).name);
    const Namespace* found = Find(*snapshot, one.type, one.inode);
    ASSERT_THAT(found, NotNull());
    EXPECT_TRUE(found->dark());
    EXPECT_TRUE(one.type == NamespaceType::kUser ? found->has_parent() : found->has_owner());
  }
}

// Linux 6.18: what the kernel's memory has and nothing in sight holds, and no other.
TEST_F(DarkKernelTest, BpfCensusFindsWhatIsInFlightOfEveryType) {
  const absl::Status status = KernelBpfCensus().List().status();
  if (absl::IsUnimplemented(status) || base::ErrnoOf(status) == ENOENT) {
    GTEST_SKIP() << status.message();
  }
  NSCTL_SKIP_IF_LACKING(status, "CAP_BPF and CAP_PERFMON");
  DiscoverOptions with_bpf;
  with_bpf.bpf_census = true;
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
  const OwnedFd sender(ends[0]);
  const OwnedFd receiver(ends[1]);
  std::vector<base::NamespaceLink> sent;
  std::vector<uint64_t> ids;
  std::vector<OwnedFd> held;
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    absl::StatusOr<OwnedFd> ns = OpenOrphan(static_cast<int>(info.clone_flag), info.type);
    ASSERT_THAT(ns, IsOk());
    sent.push_back({info.type, InodeOf(*ns)});
    ids.push_back(base::KernelIdOf(*ns).value_or(0));
    SendAway(*std::move(ns), sender.get());
    absl::StatusOr<OwnedFd> other = OpenOrphan(static_cast<int>(info.clone_flag), info.type);
    ASSERT_THAT(other, IsOk());
    held.push_back(*std::move(other));
  }

  const std::unique_ptr<Snapshot> snapshot = Scan(with_bpf);

  for (size_t i = 0; i < sent.size(); ++i) {
    SCOPED_TRACE(base::InfoOf(sent[i].type).name);
    const Namespace* found = Find(*snapshot, sent[i].type, sent[i].inode);
    ASSERT_THAT(found, NotNull());
    EXPECT_TRUE(found->dark());
    EXPECT_EQ(found->kernel_id(), ids[i]);
    EXPECT_THAT(found->reference(), IsEmpty());
    EXPECT_TRUE(sent[i].type == NamespaceType::kUser ? found->has_parent() : found->has_owner());
  }
  // What something holds is not, were it only a descriptor of this test.
  for (size_t i = 0; i < held.size(); ++i) {
    SCOPED_TRACE(base::kNamespaceTypes[i].name);
    const Namespace* found = Find(*snapshot, base::kNamespaceTypes[i].type, InodeOf(held[i]));
    ASSERT_THAT(found, NotNull());
    EXPECT_FALSE(found->dark());
    EXPECT_GT(found->fd_count(), 0U);
  }
  for (const Namespace& ns : snapshot->namespaces()) {
    if (!ns.dark()) continue;
    EXPECT_EQ(ns.process_count() + ns.fd_count() + ns.socket_count() + ns.bind_mount_count(), 0U)
        << ns.ShortDebugString();
    EXPECT_FALSE(ns.initial()) << ns.ShortDebugString();
  }
  const SourceReport& report = snapshot->statistics().sources(SourceReport::bpf - 1);
  EXPECT_EQ(report.source(), SourceReport::bpf);
  EXPECT_EQ(report.state(), SourceReport::used);
  EXPECT_GE(report.examined(), sent.size());
}

// Makes and leaves namespaces by the hundred in a second, all owned by the child's user namespace.
// A child of the child does that, which ends by itself.
absl::StatusOr<TestChild> StartStorm(int flags) {
  return TestChild::Start(CLONE_NEWUSER, [flags] {
    const long pid = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid != 0) return pid < 0 ? errno : 0;
    for (int i = 0; i < 2000; ++i) {
      const long child = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
      if (child == 0) {
        syscall(SYS_unshare, flags);
        _exit(0);
      }
      if (child < 0 || waitpid(static_cast<pid_t>(child), nullptr, 0) < 0) _exit(1);
    }
    _exit(0);
    return 0;
  });
}

// Namespaces come and go while the host is looked at: none is dark only because its process came
// and went between two looks, and every scan is consistent.
TEST_F(DarkKernelTest, StormOfNewNamespacesCastsNoShadow) {
  struct Case {
    const char* name;
    bool by_bpf;
    int flags;
  };
  const Case cases[] = {
      {"kernel lists", false, CLONE_NEWNS | CLONE_NEWUTS},
      {"BPF census", true, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const absl::StatusOr<TestChild> storm = StartStorm(c.flags);
    NSCTL_SKIP_IF_LACKING(storm.status(), "user namespaces");
    ASSERT_THAT(storm, IsOk());
    const absl::StatusOr<OwnedFd> owner = storm->OpenNamespace(NamespaceType::kUser);
    ASSERT_THAT(owner, IsOk());
    DiscoverOptions options;
    options.bpf_census = c.by_bpf;

    for (int i = 0; i < 10; ++i) {
      const std::unique_ptr<Snapshot> snapshot = Scan(options);
      for (const Namespace& ns : snapshot->namespaces()) {
        EXPECT_FALSE(ns.dark() && ns.owner() == InodeOf(*owner)) << ns.ShortDebugString();
      }
    }
  }
}

}  // namespace
}  // namespace nsctl::nsdisc
