#include "cmd/namespace_at_path.h"

#include <sched.h>
#include <sys/mount.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/run_in_child.h"
#include "testing/resource_check.h"
#include "testing/silent_fuse.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::cmd {
namespace {

using testing::IsOkAndHolds;
using testing::StatusIs;

TEST(NamespaceAtPath, FollowsLinksOfProcfs) {
  const absl::StatusOr<base::OwnedFd> fd = OpenNamespaceAtPath("/proc/self/ns/net");

  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_THAT(base::NamespaceTypeOf(*fd), IsOkAndHolds(base::NamespaceType::kNet));
}

TEST(NamespaceAtPath, OpensNothingElse) {
  EXPECT_THAT(OpenNamespaceAtPath("/dev/null"),
              StatusIs(absl::StatusCode::kInvalidArgument, "\"/dev/null\" is no namespace"));
  EXPECT_TRUE(base::IsGone(OpenNamespaceAtPath("/none/of/that").status()));
}

TEST(NamespaceAtPath, GivesUpASilentFileSystem) {
  const testing::TestDirectory directory;
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    absl::StatusOr<std::unique_ptr<testing::SilentFuse>> fuse =
        testing::SilentFuse::Mount(directory.path());
    if (!fuse.ok()) return std::string(fuse.status().message());
    (*fuse)->GoSilent();
    const absl::Status status =
        OpenNamespaceAtPath(absl::StrCat(directory.path(), "/d/file")).status();
    NSCTL_CHILD_EXPECT(absl::IsDeadlineExceeded(status));
    NSCTL_CHILD_EXPECT(absl::StrContains(status.message(), "did not answer within 5s"));
    return "";
  });
}

}  // namespace
}  // namespace nsctl::cmd
