#include "nsdisc/mounted_file_fds.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using procfsroot::Procfs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;

FdFindings::Path PathFd(const char* path, const FdPlace& place) {
  return {HashOfFdPath(path), place};
}

class MountedFilesTest : public ::testing::Test {
 protected:
  std::vector<FdFindings::NamespaceFile> Find(const MountedFiles& mounted,
                                              const std::vector<FdFindings::Path>& descriptors) {
    EXPECT_THAT(testing::UnpackRecordedTree("f 7/fdinfo/3\n|pos:\\x090\n|mnt_id:\\x0950\n"
                                            "f 7/fdinfo/4\n|mnt_id:\\x0951\n"
                                            "f 7/fdinfo/5\n|pos:\\x090\n"
                                            "f 7/task/8/fdinfo/3\n|mnt_id:\\x0951\n",
                                            directory_.path()),
                IsOk());
    const absl::StatusOr<Procfs> procfs = Procfs::At(directory_.path());
    EXPECT_THAT(procfs, IsOk());
    return mounted.Find(*procfs, descriptors);
  }

  testing::TestDirectory directory_;
};

TEST_F(MountedFilesTest, TellsMountsOfTheSamePathByTheirNumbers) {
  MountedFiles mounted;
  mounted.Add("/run/netns/x", 50, {NamespaceType::kNet, 100});
  mounted.Add("/run/netns/x", 51, {NamespaceType::kNet, 101});

  EXPECT_THAT(Find(mounted, {PathFd("/run/netns/x", {7, 0, 3}), PathFd("/run/netns/x", {7, 0, 4}),
                             PathFd("/run/netns/x", {7, 8, 3})}),
              ElementsAre(FdFindings::NamespaceFile{{7, 0, 3}, {NamespaceType::kNet, 100}},
                          FdFindings::NamespaceFile{{7, 0, 4}, {NamespaceType::kNet, 101}},
                          FdFindings::NamespaceFile{{7, 8, 3}, {NamespaceType::kNet, 101}}));
}

TEST_F(MountedFilesTest, IsNotFooledByPaths) {
  MountedFiles mounted;
  mounted.Add("/run/netns/x", 49, {NamespaceType::kNet, 100});

  EXPECT_THAT(Find(mounted, {PathFd("/run/netns/x", {7, 0, 3}), PathFd("/run/netns/x", {7, 0, 5}),
                             PathFd("/run/netns/x", {7, 0, 9}), PathFd("/run/netns/x", {77, 0, 3}),
                             PathFd("/run/netns/y", {7, 0, 4})}),
              IsEmpty());
}

}  // namespace
}  // namespace nsctl::nsdisc
