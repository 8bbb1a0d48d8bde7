#include "nsdisc/namespace_names.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

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
