#include "nsentry/namespace_reference.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsentry/test_scene.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsentry {
namespace {

using base::NamespaceType;
using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

std::string Name(const NamespaceReference& reference) {
  return base::NamespaceLinkText(reference.type, reference.id.inode);
}

TEST(NamespaceReference, IsWhatThePathLeadsTo) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceReference any, OpenNamespaceAt("/proc/self/ns/uts"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceReference uts,
                             OpenNamespaceAt("/proc/self/ns/uts", NamespaceType::kUts));

  EXPECT_EQ(Name(any), OwnLink(NamespaceType::kUts));
  EXPECT_EQ(uts.id, any.id);
  EXPECT_EQ(uts.origin, "/proc/self/ns/uts");
}

TEST(NamespaceReference, RefusesWhatIsNoneOfThatType) {
  const testing::TestDirectory directory;
  const std::string fifo = directory.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);

  EXPECT_THAT(
      OpenNamespaceAt("/proc/self/ns/uts", NamespaceType::kNet),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "/proc/self/ns/uts is " + OwnLink(NamespaceType::kUts) + ", not a net namespace"));
  EXPECT_THAT(OpenNamespaceAt("/proc/self/stat"),
              StatusIs(absl::StatusCode::kInvalidArgument, "/proc/self/stat is no namespace"));
  EXPECT_THAT(OpenNamespaceAt(fifo, NamespaceType::kNet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no namespace")));
  EXPECT_THAT(OpenNamespaceAt("/gone", NamespaceType::kNet), HasErrno(ENOENT));
}

TEST(NamespaceReference, IsTheProcessesOwn) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(child->pid()));

  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceReference uts,
                             OpenNamespaceOf(target.process, NamespaceType::kUts));
  EXPECT_EQ(Name(uts), LinkOf(child->pid(), NamespaceType::kUts));
  EXPECT_NE(Name(uts), OwnLink(NamespaceType::kUts));

  child->Stop();
  EXPECT_TRUE(base::IsGone(OpenNamespaceOf(target.process, NamespaceType::kUts).status()));
}

TEST(NamespaceReference, IsWhereTheSocketIsNotItsProcess) {
  int socket_fd = -1;
  // The socket stays behind in the network namespace that its process leaves.
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWNET, [] {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || fcntl(fd, F_DUPFD_CLOEXEC, 100) != 100) return errno;
    return unshare(CLONE_NEWNET) == 0 ? 0 : errno;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  socket_fd = 100;
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(child->pid()));

  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceReference net,
                             OpenNetworkNamespaceOfSocket(target.process, socket_fd));

  EXPECT_EQ(net.type, NamespaceType::kNet);
  EXPECT_NE(Name(net), LinkOf(child->pid(), NamespaceType::kNet));
  EXPECT_NE(Name(net), OwnLink(NamespaceType::kNet));
  EXPECT_THAT(OpenNetworkNamespaceOfSocket(target.process, 99), HasErrno(EBADF));
}

TEST(NamespaceReference, OfAnOwnerIsTheUserNamespaceAbove) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWUSER | CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(child->pid()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceReference uts,
                             OpenNamespaceOf(target.process, NamespaceType::kUts));

  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceReference owner, OpenOwnerOf(uts));
  NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceReference parent, OpenOwnerOf(owner));

  EXPECT_EQ(Name(owner), LinkOf(child->pid(), NamespaceType::kUser));
  EXPECT_EQ(Name(parent), OwnLink(NamespaceType::kUser));
}

}  // namespace
}  // namespace nsctl::nsentry
