#include "cmd/target_root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pidfd.h"
#include "cmd/target.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using procfsroot::Procfs;
using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::ProcessSpec;
using testing::StatusIs;

uint32_t MountNamespaceOf(const testing::RealProcess& process) {
  return process.namespaces.in[static_cast<size_t>(NamespaceType::kMnt)].inode;
}

class TargetRootTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Procfs> procfs = Procfs::Live();
    ASSERT_TRUE(procfs.ok()) << procfs.status();
    procfs_ = std::make_unique<Procfs>(*std::move(procfs));
    std::ofstream(directory_.path() + "/marker") << "outside";
  }

  absl::StatusOr<TargetRoot> Open(const Target& target) const {
    return OpenTargetRoot(
        target, *procfs_,
        {.timeout = absl::Seconds(20), .caller = std::make_shared<procfsroot::BoundedCaller>()});
  }

  // What the file "marker" of the test's directory says there.
  absl::StatusOr<std::string> MarkerOf(const Target& target) const {
    const absl::StatusOr<TargetRoot> root = Open(target);
    if (!root.ok()) return root.status();
    return root->root().ReadFile(directory_.path() + "/marker", 100);
  }

  // In a new mount namespace puts a tmpfs with another marker over the test's directory.
  ProcessSpec WithMarker() const {
    return {.namespaces = CLONE_NEWNS, .setup = [path = directory_.path()] {
              const std::string marker = path + "/marker";
              if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                  mount("test", path.c_str(), "tmpfs", 0, nullptr) != 0) {
                return errno;
              }
              const base::OwnedFd file(open(marker.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
              return write(file.get(), "inside", 6) == 6 ? 0 : EIO;
            }};
  }

  testing::TestDirectory directory_;
  std::unique_ptr<Procfs> procfs_;
};

TEST_F(TargetRootTest, IsThatOfAProcess) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {WithMarker()});
  const base::Pid pid = fixture->processes()[0].pid;

  EXPECT_THAT(MarkerOf(ProcessTarget{pid}), IsOkAndHolds("inside"));
  EXPECT_THAT(MarkerOf(ProcessTarget{{getpid()}}), IsOkAndHolds("outside"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd pidfd, base::OpenPidfd(pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::optional<uint64_t> inode, base::PidfdInodeOf(pidfd));
  if (!inode.has_value()) GTEST_SKIP() << "needs pidfs (Linux 6.9)";
  EXPECT_THAT(MarkerOf(ProcessTarget{pid, *inode}), IsOkAndHolds("inside"));
  EXPECT_THAT(MarkerOf(ProcessTarget{pid, *inode + 1}), HasErrno(ESRCH));
}

TEST_F(TargetRootTest, IsWhereAProcessChangedItsRootTo) {
  ProcessSpec spec = WithMarker();
  spec.root = "/usr";
  spec.setup = nullptr;
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {std::move(spec)});
  const testing::RealProcess& process = fixture->processes()[0];

  NSCTL_ASSERT_OK_AND_ASSIGN(const TargetRoot changed, Open(ProcessTarget{process.pid}));
  EXPECT_THAT(changed.root().Stat("bin"), testing::IsOk());
  EXPECT_THAT(changed.root().Stat("usr"), HasErrno(ENOENT));
  NSCTL_ASSERT_OK_AND_ASSIGN(const TargetRoot whole,
                             Open(NamespaceTarget{NamespaceType::kMnt, MountNamespaceOf(process)}));
  EXPECT_THAT(whole.root().Stat("usr/bin"), testing::IsOk());
}

TEST_F(TargetRootTest, IsThatOfAMountNamespaceWhereverItIs) {
  NSCTL_START_NAMESPACES_OR_SKIP(auto fixture, {WithMarker()});
  const testing::RealProcess process = fixture->processes()[0];
  const Target target = NamespaceTarget{NamespaceType::kMnt, MountNamespaceOf(process)};
  const std::string link = absl::StrCat("/proc/", process.pid.value, "/ns/mnt");

  EXPECT_THAT(MarkerOf(target), IsOkAndHolds("inside"));
  EXPECT_THAT(MarkerOf(PathTarget{link}), IsOkAndHolds("inside"));
  // Nobody is in it any more: a descriptor of this process keeps it.
  const base::OwnedFd held(open(link.c_str(), O_RDONLY | O_CLOEXEC));
  fixture.reset();
  EXPECT_THAT(MarkerOf(target), IsOkAndHolds("inside"));
  EXPECT_THAT(MarkerOf(PathTarget{absl::StrCat("/proc/self/fd/", held.get())}),
              IsOkAndHolds("inside"));
}

TEST_F(TargetRootTest, IsADirectoryThatWasNamed) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TargetRoot root, Open(PathTarget{directory_.path()}));

  EXPECT_THAT(root.root().ReadFile("/marker", 100), IsOkAndHolds("outside"));
}

TEST_F(TargetRootTest, SaysWhatHasNoFiles) {
  EXPECT_THAT(
      Open(PathTarget{"/proc/self/ns/net"}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "/proc/self/ns/net: a namespace of type net has no files; use a process that "
               "is in it, or a mount namespace"));
  EXPECT_THAT(Open(NamespaceTarget{NamespaceType::kPid, 4026531836}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pid:[4026531836]: a name")));
  EXPECT_THAT(Open(PathTarget{directory_.path() + "/marker"}), HasErrno(ENOTDIR));
  EXPECT_THAT(Open(PathTarget{directory_.path() + "/none"}), HasErrno(ENOENT));
  EXPECT_THAT(Open(ContainerTarget{"docker", "web"}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("docker/web: ")));
  EXPECT_THAT(Open(ContainerIdTarget{"0123456789ab"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(TargetRootTest, SaysWhatIsNotThere) {
  EXPECT_THAT(Open(ProcessTarget{{4194304}}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no process 4194304: ")));
  EXPECT_THAT(Open(NamespaceTarget{NamespaceType::kMnt, 5}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no mount namespace mnt:[5]")));
}

}  // namespace
}  // namespace nsctl::cmd
