#include "cmd/mount_options.h"

#include <algorithm>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::StatusIs;

// What the options of `arguments` choose.
absl::StatusOr<MountSelection> Resolve(std::vector<std::string> arguments) {
  CLI::App app;
  MountOptions options;
  options.AddTo(&app);
  // CLI11 takes them from the end.
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return options.Resolve();
}

TEST(ParseFsTypes, NegatesWholeLists) {
  EXPECT_THAT(ParseFsTypes({}), IsEmpty());
  EXPECT_THAT(ParseFsTypes({"ext4,xfs"}), ElementsAre("ext4", "xfs"));
  EXPECT_THAT(ParseFsTypes({"noproc,sysfs"}), ElementsAre("noproc", "nosysfs"));
  EXPECT_THAT(ParseFsTypes({"noproc,nosysfs", "tmpfs"}), ElementsAre("noproc", "nosysfs", "tmpfs"));
}

TEST(MountOptions, TakeASourceThatIsADeviceAsBoth) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const MountSelection selection,
                             Resolve({"-S", "8:1", "-S", "a\\\\b"}));

  EXPECT_THAT(selection.filter.sources, ElementsAre("8:1", "a\\\\b"));
  EXPECT_THAT(selection.filter.devices, ElementsAre(mounttree::Device{8, 1}));
}

TEST(MountOptions, TellWhatFindmntUsersType) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const MountSelection selection,
                             Resolve({"--types", "ext4", "-O", "ro,nodev", "-R", "--shadowed",
                                      "--real", "--propagation"}));

  EXPECT_THAT(selection.filter.types, ElementsAre("ext4"));
  EXPECT_THAT(selection.filter.options, ElementsAre("ro", "nodev"));
  EXPECT_TRUE(selection.submounts);
  EXPECT_TRUE(selection.filter.shadowed);
  EXPECT_TRUE(selection.filter.real);
  EXPECT_FALSE(selection.filter.pseudo);
  EXPECT_TRUE(selection.propagation);
}

TEST(MountOptions, RefuseWhatCannotBeMeant) {
  EXPECT_THAT(Resolve({"--real", "--pseudo"}), StatusIs(absl::StatusCode::kInvalidArgument,
                                                        "--real and --pseudo exclude each other"));
  EXPECT_THAT(Resolve({"-T", "etc"}), StatusIs(absl::StatusCode::kInvalidArgument,
                                               R"(--target wants an absolute path: "etc")"));
  EXPECT_THAT(Resolve({"-M", "./x"}), StatusIs(absl::StatusCode::kInvalidArgument,
                                               R"(--mountpoint wants an absolute path: "./x")"));
}

}  // namespace
}  // namespace nsctl::cmd
