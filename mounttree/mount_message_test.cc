#include "mounttree/mount_message.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/mount_api.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mountinfo.h"
#include "testing/status_matchers.h"

namespace nsctl::mounttree {
namespace {

using base::MountStatus;
using base::StatMountStrings;
using testing::IsOk;

std::string FromLine(absl::string_view line) {
  Mount mount;
  EXPECT_THAT(ForEachMount(line, [&](const MountinfoRow& row) { FillMount(row, &mount); }), IsOk());
  return mount.DebugString();
}

// The mount of Answer(), but for `changes` (textproto).
std::string Expected(absl::string_view changes) {
  Mount mount;
  for (const absl::string_view text : {absl::string_view(R"pb(mount_id: 36
                                                              parent_id: 35
                                                              device_major: 98
                                                              root: "/"
                                                              mount_point: "/mnt"
                                                              fs_type: "tmpfs"
                                                              source: ""
                                                              mount_options: "rw,relatime"
                                                              super_options: "rw")pb"),
                                       changes}) {
    EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(std::string(text), &mount));
  }
  return mount.DebugString();
}

// The answer about the mount 36 with unique id 1036.
MountStatus Answer() {
  MountStatus status;
  status.super_block = {makedev(98, 0), TMPFS_MAGIC, 0};
  status.mount = {
      .id = {1036}, .parent_id = {1035}, .mountinfo_id = {36}, .mountinfo_parent_id = {35}};
  status.root = "/";
  status.mount_point = "/mnt";
  status.fs_type = "tmpfs";
  return status;
}

std::string FromAnswer(const MountStatus& status) {
  Mount mount;
  FillMount(status, /*knows_source=*/true, &mount);
  EXPECT_EQ(mount.unique_id(), 1036u);
  EXPECT_EQ(mount.unique_parent_id(), 1035u);
  mount.clear_unique_id();
  mount.clear_unique_parent_id();
  mount.clear_fs_magic();
  return mount.DebugString();
}

StatMountStrings Strings(absl::string_view bytes, uint32_t count) { return {count, bytes}; }

TEST(FillMount, TakesAPlainMount) {
  const std::string expected = Expected(R"pb(source: "shm"
                                             mount_options: "rw,nosuid,relatime"
                                             super_options: "rw,size=4k"
                                             attributes: 2)pb");
  MountStatus status = Answer();
  status.mount->attributes = MOUNT_ATTR_NOSUID;
  status.source = "shm";
  status.option_array = Strings(absl::string_view("size=4k\0", 8), 1);

  EXPECT_EQ(FromLine("36 35 98:0 / /mnt rw,nosuid,relatime - tmpfs shm rw,size=4k"), expected);
  EXPECT_EQ(FromAnswer(status), expected);
}

TEST(FillMount, KeepsPropagation) {
  const std::string expected = Expected(R"pb(peer_group: 7 master: 3 propagate_from: 2)pb");
  MountStatus status = Answer();
  status.mount->propagation = MS_SHARED | MS_SLAVE;
  status.mount->peer_group = 7;
  status.mount->master = 3;
  status.propagate_from = 2;

  EXPECT_EQ(
      FromLine("36 35 98:0 / /mnt rw,relatime shared:7 master:3 propagate_from:2 - tmpfs  rw"),
      expected);
  EXPECT_EQ(FromAnswer(status), expected);
}

TEST(FillMount, TellsUnbindable) {
  const std::string expected = Expected(R"pb(unbindable: true)pb");
  MountStatus status = Answer();
  status.mount->propagation = MS_UNBINDABLE;
  // Left behind by the kernel where a mount is no slave any more.
  status.mount->master = 3;

  EXPECT_EQ(FromLine("36 35 98:0 / /mnt rw,relatime unbindable - tmpfs  rw"), expected);
  EXPECT_EQ(FromAnswer(status), expected);
}

TEST(FillMount, EncodesOnce) {
  const std::string expected = Expected(R"pb(root: "/a b"
                                             mount_point: "/n\nl\\\\ \\xff"
                                             fs_type: "fuse.ssh fs"
                                             source: "# \x1b"
                                             super_options: "rw,o=\t")pb");
  MountStatus status = Answer();
  status.root = "/a b";
  status.mount_point = "/n\nl\\ \xff";
  status.fs_type = "fuse";
  status.fs_subtype = "ssh fs";
  status.source = "# \x1b";
  status.option_array = Strings(absl::string_view("o=\t\0", 4), 1);

  EXPECT_EQ(FromLine("36 35 98:0 /a\\040b /n\\012l\\134\\040\xff rw,relatime - fuse.ssh\\040fs "
                     "\\043\\040\x1b rw,o=\\011"),
            expected);
  EXPECT_EQ(FromAnswer(status), expected);
}

TEST(FillMount, ListsOptionsWhereOneHasAComma) {
  const std::string expected = Expected(R"pb(super_options: "ro,sync,lowerdir=/a,b,x"
                                             super_option_list: "ro"
                                             super_option_list: "sync"
                                             super_option_list: "lowerdir=/a,b"
                                             super_option_list: "x"
                                             read_only: true)pb");
  MountStatus status = Answer();
  status.super_block->flags = MS_RDONLY | MS_SYNCHRONOUS;
  status.option_array = Strings(absl::string_view("lowerdir=/a,b\0x\0", 16), 2);
  EXPECT_EQ(FromLine("36 35 98:0 / /mnt rw,relatime - tmpfs  ro,sync,lowerdir=/a\\054b,x"),
            expected);
  EXPECT_EQ(FromAnswer(status), expected);

  // Before the kernel had the array.
  status.option_array.reset();
  status.options = "lowerdir=/a\\054b,x";
  EXPECT_EQ(FromAnswer(status), expected);
}

TEST(FillMount, KeepsSecurityOptionsApart) {
  const std::string expected = Expected(R"pb(super_options: "rw,seclabel,size=4k"
                                             security_options: "seclabel")pb");
  MountStatus status = Answer();
  status.security_option_array = Strings(absl::string_view("seclabel\0", 9), 1);
  status.option_array = Strings(absl::string_view("size=4k\0", 8), 1);

  EXPECT_EQ(FromLine("36 35 98:0 / /mnt rw,relatime - tmpfs  rw,seclabel,size=4k"), expected);
  EXPECT_EQ(FromAnswer(status), expected);
}

TEST(FillMount, TellsADeletedRoot) {
  const std::string expected = Expected(R"pb(root: "/gone" deleted: true)pb");
  MountStatus status = Answer();
  status.root = "/gone//deleted";

  EXPECT_EQ(FromLine("36 35 98:0 /gone//deleted /mnt rw,relatime - tmpfs  rw"), expected);
  EXPECT_EQ(FromAnswer(status), expected);
}

TEST(FillMount, TellsAnEmptySourceFromNone) {
  Mount mount;
  FillMount(Answer(), /*knows_source=*/false, &mount);
  EXPECT_FALSE(mount.has_source());
  EXPECT_TRUE(absl::StrContains(FromAnswer(Answer()), "source: \"\""));
}

TEST(FillMount, KeepsWhatIsNew) {
  EXPECT_EQ(FromLine("36 35 98:0 / /mnt rw,later later:9 shared:x shared:99999999999999999999 - "
                     "tmpfs none rw"),
            Expected(R"pb(source: "none"
                          mount_options: "rw,later"
                          attributes: 32
                          other_tags: "later:9"
                          other_tags: "shared:x"
                          other_tags: "shared:99999999999999999999")pb"));
}

TEST(FillMount, LeavesOutWhatTheKernelDidNotSay) {
  MountStatus status = Answer();
  status.mount_point.reset();
  Mount mount;
  FillMount(status, true, &mount);
  EXPECT_FALSE(mount.has_mount_point());
}

TEST(FillIdMaps, TakesLines) {
  MountStatus status = Answer();
  status.uid_map = Strings(absl::string_view("0 10000 5\0"
                                             "7 20000 1\0",
                                             20),
                           2);
  status.gid_map = Strings(absl::string_view("nonsense\0", 9), 1);
  Mount mount;

  FillIdMaps(status, &mount);

  EXPECT_EQ(mount.ShortDebugString(),
            "uid_map { outside: 10000 count: 5 } uid_map { inside: 7 outside: 20000 count: 1 }");
}

}  // namespace
}  // namespace nsctl::mounttree
