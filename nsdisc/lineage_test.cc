#include "nsdisc/lineage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceId;
using base::NamespaceType;
using base::TestChild;
using procfsroot::Procfs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

NamespaceId IdOf(pid_t pid, const std::string& entry) {
  struct stat stat_of_file = {};
  EXPECT_EQ(stat(absl::StrCat("/proc/", pid, "/ns/", entry).c_str(), &stat_of_file), 0) << entry;
  return {.device = stat_of_file.st_dev, .inode = static_cast<uint32_t>(stat_of_file.st_ino)};
}

// The link texts of a chain, nearest first.
std::vector<std::string> Chain(const std::vector<NamespaceFacts>& facts) {
  std::vector<std::string> chain;
  for (const NamespaceFacts& one : facts) {
    chain.push_back(NamespaceLinkText(one.type, one.id.inode));
  }
  return chain;
}

std::string Text(NamespaceType type, NamespaceId id) { return NamespaceLinkText(type, id.inode); }

class KernelLineageTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<NamespaceFacts>> Trace(pid_t pid, const char* entry,
                                                    std::vector<NamespaceId> known = {}) {
    NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, Procfs::Live());
    const NamespaceTarget target{*base::NamespaceTypeFromName(entry), 0};
    return lineage_.Trace(procfs, {.pid = pid}, target, [&](NamespaceType, NamespaceId id) {
      return std::find(known.begin(), known.end(), id) != known.end();
    });
  }

  KernelLineage lineage_;
};

TEST_F(KernelLineageTest, FollowsOwnersToTheTop) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUSER | CLONE_NEWNET);
  NSCTL_SKIP_IF_LACKING(child.status(), "user namespaces");
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid().value;

  const absl::StatusOr<std::vector<NamespaceFacts>> facts = Trace(pid, "net");

  ASSERT_THAT(facts, IsOk());
  const NamespaceId user = IdOf(pid, "user");
  EXPECT_THAT(Chain(*facts), ElementsAre(Text(NamespaceType::kNet, IdOf(pid, "net")),
                                         Text(NamespaceType::kUser, user),
                                         Text(NamespaceType::kUser, IdOf(getpid(), "user"))));
  EXPECT_EQ((*facts)[0].owner, (Answer<NamespaceId>{.value = user}));
  EXPECT_EQ((*facts)[1].parent, (Answer<NamespaceId>{.value = IdOf(getpid(), "user")}));
  EXPECT_EQ((*facts)[1].owner_uid, (Answer<uid_t>{.value = geteuid()}));
}

TEST_F(KernelLineageTest, FollowsTheParentsOfPidNamespaces) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());

  const absl::StatusOr<std::vector<NamespaceFacts>> facts =
      Trace(child->pid().value, "pid", {IdOf(getpid(), "user"), IdOf(getpid(), "pid")});

  ASSERT_THAT(facts, IsOk());
  ASSERT_THAT(*facts, SizeIs(1));
  EXPECT_EQ((*facts)[0].parent, (Answer<NamespaceId>{.value = IdOf(getpid(), "pid")}));
  EXPECT_EQ((*facts)[0].owner, (Answer<NamespaceId>{.value = IdOf(getpid(), "user")}));
}

TEST_F(KernelLineageTest, StopsAtWhatIsKnown) {
  const absl::StatusOr<std::vector<NamespaceFacts>> facts =
      Trace(getpid(), "uts", {IdOf(getpid(), "user")});

  ASSERT_THAT(facts, IsOk());
  EXPECT_THAT(Chain(*facts), ElementsAre(Text(NamespaceType::kUts, IdOf(getpid(), "uts"))));
}

// ioctl_nsfs(2): above the initial namespaces there is nothing, which the kernel says as EPERM.
TEST_F(KernelLineageTest, TopHasNoParent) {
  const absl::StatusOr<std::vector<NamespaceFacts>> facts = Trace(getpid(), "user");

  ASSERT_THAT(facts, IsOk());
  ASSERT_THAT(*facts, ::testing::Not(IsEmpty()));
  EXPECT_EQ(facts->back().parent, (Answer<NamespaceId>{.value = std::nullopt, .error = EPERM}));
}

TEST_F(KernelLineageTest, GivesTheKernelsId) {
  const absl::StatusOr<std::vector<NamespaceFacts>> facts =
      Trace(getpid(), "net", {IdOf(getpid(), "user")});
  ASSERT_THAT(facts, IsOk());
  const absl::StatusOr<base::OwnedFd> fd =
      base::OpenAt(base::FdRef(AT_FDCWD), "/proc/self/ns/net", O_RDONLY);
  ASSERT_THAT(fd, IsOk());
  const absl::StatusOr<uint64_t> id = base::KernelIdOf(*fd);
  NSCTL_SKIP_IF_LACKING(id.status(), "NS_GET_ID");

  EXPECT_EQ((*facts)[0].kernel_id, (Answer<uint64_t>{.value = *id}));
}

TEST_F(KernelLineageTest, EndedProcessIsGone) {
  absl::StatusOr<TestChild> child = TestChild::Start(0);
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid().value;
  child->Stop();

  const absl::StatusOr<std::vector<NamespaceFacts>> facts = Trace(pid, "net");

  EXPECT_TRUE(base::IsGone(facts.status())) << facts.status();
}

}  // namespace
}  // namespace nsctl::nsdisc
