#include "nsdisc/namespace_names.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::TestChild;
using procfsroot::Procfs;
using ::testing::ElementsAre;
using testing::IsOk;

NamedNamespace Named(pid_t pid, NamespaceType type) {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  EXPECT_THAT(procfs, IsOk());
  const NamespaceWay way{.pid = pid};
  const absl::StatusOr<base::OwnedFd> fd = OpenWay(*procfs, way, {type, 0});
  EXPECT_THAT(fd, IsOk());
  const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*fd);
  return {{type, id.ok() ? id->inode : 0}, way};
}

class KernelNamespaceNamesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const absl::StatusOr<Procfs> procfs = Procfs::Live();
    ASSERT_THAT(procfs, IsOk());
  }
  absl::StatusOr<Procfs> procfs_ = Procfs::Live();
  KernelNamespaceNames names_;
};

TEST_F(KernelNamespaceNamesTest, AsksInsideAndStaysOutside) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUTS, [] {
    return sethostname("in\x1bner", 6) == 0 && setdomainname("dom", 3) == 0 ? 0 : errno;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const NamedNamespace inner = Named(child->pid().value, NamespaceType::kUts);
  const NamedNamespace own = Named(getpid(), NamespaceType::kUts);
  struct utsname before = {};
  ASSERT_EQ(uname(&before), 0);

  const std::vector<Answer<UtsNames>> answers = names_.UtsNamesOf(*procfs_, {inner, own, inner});

  EXPECT_THAT(answers,
              ElementsAre(Answer<UtsNames>{.value = UtsNames{"in\x1bner", "dom"}},
                          Answer<UtsNames>{.value = UtsNames{before.nodename, before.domainname}},
                          Answer<UtsNames>{.value = UtsNames{"in\x1bner", "dom"}}));
  struct utsname after = {};
  ASSERT_EQ(uname(&after), 0);
  EXPECT_STREQ(after.nodename, before.nodename);
}

TEST_F(KernelNamespaceNamesTest, SaysWhyThereIsNoAnswer) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const NamedNamespace gone = Named(child->pid().value, NamespaceType::kUts);
  child->Stop();
  NamedNamespace other = Named(getpid(), NamespaceType::kUts);
  other.target.inode += 1;

  const std::vector<Answer<UtsNames>> answers = names_.UtsNamesOf(*procfs_, {gone, other});

  EXPECT_THAT(answers, ElementsAre(Answer<UtsNames>{.value = std::nullopt, .error = ENOENT},
                                   Answer<UtsNames>{.value = std::nullopt, .error = ESTALE}));
}

TEST_F(KernelNamespaceNamesTest, CountsWhatAnIpcNamespaceHolds) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWIPC, [] {
    const long page = sysconf(_SC_PAGESIZE);
    struct {
      long type;
      char text[8];
    } message = {1, "message"};
    const int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    if (queue < 0 || msgget(IPC_PRIVATE, IPC_CREAT | 0600) < 0) return errno;
    if (msgsnd(queue, &message, sizeof(message.text), 0) != 0) return errno;
    if (semget(IPC_PRIVATE, 5, IPC_CREAT | 0600) < 0) return errno;
    if (shmget(IPC_PRIVATE, static_cast<size_t>(3 * page), IPC_CREAT | 0600) < 0) return errno;
    return 0;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const absl::StatusOr<TestChild> empty = TestChild::Start(CLONE_NEWIPC);
  ASSERT_THAT(empty, IsOk());

  const std::vector<Answer<IpcCounts>> answers =
      names_.IpcCountsOf(*procfs_, {Named(child->pid().value, NamespaceType::kIpc),
                                    Named(empty->pid().value, NamespaceType::kIpc)});

  ASSERT_EQ(answers.size(), 2u);
  ASSERT_TRUE(answers[0].value.has_value()) << answers[0].error;
  EXPECT_EQ(answers[0].value->ShortDebugString(),
            "message_queues: 2 messages: 1 semaphore_sets: 1 semaphores: 5 "
            "shared_memory_segments: 1 shared_memory_pages: 3");
  ASSERT_TRUE(answers[1].value.has_value()) << answers[1].error;
  EXPECT_EQ(answers[1].value->ShortDebugString(),
            "message_queues: 0 messages: 0 semaphore_sets: 0 semaphores: 0 "
            "shared_memory_segments: 0 shared_memory_pages: 0");
}

TEST_F(KernelNamespaceNamesTest, NamespaceWithoutANumberHasNone) {
  const absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNET);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());

  const std::vector<Answer<int32_t>> answers =
      names_.NsidsOf(*procfs_, {Named(child->pid().value, NamespaceType::kNet)});

  EXPECT_THAT(answers, ElementsAre(Answer<int32_t>{.value = std::nullopt, .error = ENOENT}));
}

}  // namespace
}  // namespace nsctl::nsdisc
