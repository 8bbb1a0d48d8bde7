#include "mounttree/super_block_options.h"

#include <sys/sysmacros.h>

#include <string>

#include "base/mount_api.h"
#include "gtest/gtest.h"

namespace nsctl::mounttree {
namespace {

constexpr base::UniqueMountId kNewest{100};

base::MountStatus Status(uint64_t id, unsigned int minor, absl::string_view root = "/") {
  base::MountStatus status;
  base::MountStatus::Mount mount;
  mount.id = base::UniqueMountId{id};
  status.mount = mount;
  base::MountStatus::SuperBlock super_block;
  super_block.device = makedev(0, minor);
  status.super_block = super_block;
  status.root = root;
  return status;
}

Mount WithOptions(const std::string& options) {
  Mount mount;
  mount.set_fs_type("fuse.sshfs");
  mount.set_super_options(options);
  mount.add_super_option_list("one, two");
  mount.add_security_options("context=x");
  return mount;
}

TEST(SuperBlockOptions, AreThoseOfEveryMountOfTheSuperBlock) {
  SuperBlockOptions options(kNewest);
  EXPECT_FALSE(options.MayKnow(kNewest));
  options.Keep(Status(7, 1), WithOptions("rw,a"));
  Mount mount;
  mount.set_source("/dev/sda");

  EXPECT_TRUE(options.MayKnow(kNewest));
  ASSERT_TRUE(options.Fill(Status(9, 1), &mount));

  Mount expected = WithOptions("rw,a");
  expected.set_source("/dev/sda");
  EXPECT_EQ(mount.ShortDebugString(), expected.ShortDebugString());
}

TEST(SuperBlockOptions, AreNotThoseOfOtherSuperBlocksAndRoots) {
  SuperBlockOptions options(kNewest);
  options.Keep(Status(7, 1), WithOptions("rw,a"));
  Mount mount;

  EXPECT_FALSE(options.Fill(Status(9, 2), &mount));
  EXPECT_FALSE(options.Fill(Status(9, 1, "/subvolume"), &mount));
  EXPECT_EQ(mount.ShortDebugString(), "");
}

// Their device numbers may have been another super block's.
TEST(SuperBlockOptions, AreNeitherKeptNorKnownOfMountsThatAreNewer) {
  SuperBlockOptions options(kNewest);
  options.Keep(Status(101, 1), WithOptions("rw,young"));
  Mount mount;
  EXPECT_FALSE(options.Fill(Status(7, 1), &mount));

  options.Keep(Status(7, 1), WithOptions("rw,old"));

  EXPECT_FALSE(options.Fill(Status(101, 1), &mount));
  EXPECT_FALSE(options.MayKnow(base::UniqueMountId{101}));
  EXPECT_EQ(mount.ShortDebugString(), "");
}

}  // namespace
}  // namespace nsctl::mounttree
