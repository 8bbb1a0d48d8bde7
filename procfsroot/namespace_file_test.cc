#include "procfsroot/namespace_file.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/handle.h"
#include "procfsroot/run_in_child.h"
#include "testing/resource_check.h"
#include "testing/silent_fuse.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::procfsroot {
namespace {

using base::FdRef;
using base::OwnedFd;
using testing::IsOk;

constexpr char kOwnUts[] = "/proc/self/ns/uts";

TEST(NamespaceFile, IsToldByItsDevice) {
  const OwnedFd open_file(open(kOwnUts, O_RDONLY | O_CLOEXEC));
  const OwnedFd handle(open(kOwnUts, O_PATH | O_CLOEXEC));
  const OwnedFd other(open("/proc/self/stat", O_PATH | O_CLOEXEC));

  EXPECT_TRUE(IsNamespaceFile(open_file));
  EXPECT_TRUE(IsNamespaceFile(handle));
  EXPECT_FALSE(IsNamespaceFile(other));

  EXPECT_THAT(ReopenNamespaceFile(handle), IsOk());
  EXPECT_EQ(base::ErrnoOf(ReopenNamespaceFile(other).status()), ESTALE);
}

TEST(NamespaceFile, LinksAreFollowedForThoseWhoAskForIt) {
  const absl::StatusOr<OwnedFd> followed =
      OpenNamespaceFileAt(FdRef(AT_FDCWD), kOwnUts, PathLinks::kFollowed);
  ASSERT_THAT(followed, IsOk());
  EXPECT_THAT(base::NamespaceTypeOf(*followed), IsOk());

  const absl::StatusOr<OwnedFd> refused =
      OpenNamespaceFileAt(FdRef(AT_FDCWD), kOwnUts, PathLinks::kRefused);
  EXPECT_EQ(base::ErrnoOf(refused.status()), ELOOP);
  const absl::StatusOr<OwnedFd> none =
      OpenNamespaceFileAt(FdRef(AT_FDCWD), "/dev/null", PathLinks::kFollowed);
  EXPECT_EQ(base::ErrnoOf(none.status()), ESTALE);
}

// Mounted, with all directories on the way, it is in the kernel's caches: nobody is sent.
TEST(NamespaceFile, OpensWhatIsMounted) {
  const testing::TestDirectory directory;
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    const std::string path = absl::StrCat(directory.path(), "/file");
    NSCTL_CHILD_EXPECT(OwnedFd(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)).ok());
    NSCTL_CHILD_EXPECT(mount(kOwnUts, path.c_str(), nullptr, MS_BIND, nullptr) == 0);
    const OwnedFd root(open("/", O_PATH | O_CLOEXEC));
    for (const FdRef from : {FdRef(AT_FDCWD), FdRef(root)}) {
      NSCTL_CHILD_EXPECT(OpenNamespaceFileAt(from, path, PathLinks::kRefused).ok());
    }
    return "";
  });
}

TEST(NamespaceFile, NothingHereWaitsForASilentServer) {
  const testing::TestDirectory directory;
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    absl::StatusOr<std::unique_ptr<testing::SilentFuse>> fuse =
        testing::SilentFuse::Mount(directory.path());
    if (!fuse.ok()) return std::string(fuse.status().message());
    const std::string path = absl::StrCat(directory.path(), "/d/file");
    NSCTL_CHILD_EXPECT(mount(kOwnUts, path.c_str(), nullptr, MS_BIND, nullptr) == 0);
    NSCTL_CHILD_EXPECT(OpenNamespaceFileAt(FdRef(AT_FDCWD), path, PathLinks::kRefused).ok());
    const OwnedFd handle(open(directory.path().c_str(), O_PATH | O_CLOEXEC));
    (*fuse)->GoSilent();
    NSCTL_CHILD_EXPECT(!IsNamespaceFile(handle));
    NSCTL_CHILD_EXPECT(LookedUpStat(handle).ok());
    NSCTL_CHILD_EXPECT((*fuse)->unanswered() == 0);
    const absl::StatusOr<OwnedFd> found =
        OpenNamespaceFileAt(FdRef(AT_FDCWD), path, PathLinks::kRefused, absl::Milliseconds(300));
    NSCTL_CHILD_EXPECT(base::ErrnoOf(found.status()) == ETIMEDOUT);
    return "";
  });
}

}  // namespace
}  // namespace nsctl::procfsroot
