#include "testing/silent_fuse.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gtest/gtest.h"
#include "procfsroot/run_in_child.h"
#include "testing/test_directory.h"

namespace nsctl::testing {
namespace {

TEST(SilentFuse, AnswersUntilItIsSilentAndLetsGoAtItsEnd) {
  const TestDirectory directory;
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    absl::StatusOr<std::unique_ptr<SilentFuse>> fuse = SilentFuse::Mount(directory.path());
    if (!fuse.ok()) return std::string(fuse.status().message());
    struct stat status = {};
    NSCTL_CHILD_EXPECT(stat(absl::StrCat(directory.path(), "/d/file").c_str(), &status) == 0);
    NSCTL_CHILD_EXPECT(S_ISREG(status.st_mode));
    (*fuse)->GoSilent();
    NSCTL_CHILD_EXPECT((*fuse)->unanswered() == 0);
    int result = 0;
    std::thread waiting([&] {
      struct statfs filesystem;
      result = statfs(directory.path().c_str(), &filesystem);
    });
    while ((*fuse)->unanswered() == 0) sched_yield();
    fuse->reset();
    waiting.join();
    NSCTL_CHILD_EXPECT(result == -1);
    return "";
  });
}

}  // namespace
}  // namespace nsctl::testing
