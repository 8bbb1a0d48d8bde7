#include "cmd/mount_list.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::StatusIs;

// A host: / with /a, on that /a/b, over which lies another /a/b, and /c; / is shared. A container
// whose / receives from it, with /a and /x.
std::vector<ScannedMounts> Scan() {
  std::vector<ScannedMounts> scanned(2);
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        inode: 10
        mounts {
          mount_id: 1
          parent_id: 0
          mount_point: "/"
          root: "/"
          peer_group: 7
          fs_type: "ext4"
          device_major: 8
          device_minor: 1
          source: "/dev/sda1"
        }
        mounts { mount_id: 2 parent_id: 1 mount_point: "/a" root: "/" fs_type: "tmpfs" }
        mounts { mount_id: 3 parent_id: 2 mount_point: "/a/b" root: "/" fs_type: "xfs" }
        mounts { mount_id: 4 parent_id: 1 mount_point: "/c" root: "/" fs_type: "tmpfs" }
        mounts { mount_id: 5 parent_id: 3 mount_point: "/a/b" root: "/" fs_type: "tmpfs" }
      )pb",
      &scanned[0].mounts));
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        inode: 20
        mounts {
          mount_id: 21
          parent_id: 0
          mount_point: "/"
          root: "/"
          master: 7
          fs_type: "ext4"
          device_major: 8
          device_minor: 1
          source: "/dev/sda1"
        }
        mounts { mount_id: 22 parent_id: 21 mount_point: "/a" root: "/" fs_type: "tmpfs" }
        mounts { mount_id: 23 parent_id: 21 mount_point: "/x" root: "/" fs_type: "proc" }
      )pb",
      &scanned[1].mounts));
  scanned[0].info.set_pid(1);
  scanned[0].info.add_reference("/proc/1/ns/mnt");
  return scanned;
}

std::vector<std::string> Ids(const absl::StatusOr<MountList>& list) {
  EXPECT_TRUE(list.ok()) << list.status();
  std::vector<std::string> ids;
  for (const MountRow& row : list->rows()) {
    ids.push_back(absl::StrCat(row.mount().mount_id(), "@", row.depth()));
  }
  return ids;
}

std::vector<std::string> Texts(const google::protobuf::RepeatedPtrField<MountPlace>& places) {
  std::vector<std::string> texts;
  for (const MountPlace& place : places) {
    texts.push_back(
        absl::StrCat(place.mount_namespace(), ":", place.path(), "#", place.mount_id()));
  }
  return texts;
}

TEST(BuildMountList, HasParentsBeforeChildren) {
  const absl::StatusOr<MountList> list = BuildMountList(Scan(), {});

  EXPECT_THAT(Ids(list), ElementsAre("1@0", "2@1", "3@2", "5@3", "4@1", "21@0", "22@1", "23@1"));
  EXPECT_EQ(list->rows(3).mount_namespace(), 10u);
  EXPECT_EQ(list->rows(5).mount_namespace(), 20u);
  ASSERT_EQ(list->namespaces_size(), 2);
  EXPECT_EQ(list->namespaces(0).pid(), 1);
  EXPECT_EQ(list->namespaces(0).mount_count(), 5u);
  EXPECT_EQ(list->namespaces(0).hidden_count(), 1u);
}

TEST(BuildMountList, CountsDepthAmongWhatItShows) {
  EXPECT_THAT(Ids(BuildMountList(Scan(), {.filter = {.types = {"tmpfs"}}})),
              ElementsAre("2@0", "5@1", "4@0", "22@0"));
  EXPECT_THAT(Ids(BuildMountList(Scan(), {.filter = {.types = {"xfs"}}, .submounts = true})),
              ElementsAre("3@0", "5@1"));
  EXPECT_THAT(Ids(BuildMountList(Scan(), {.filter = {.shadowed = true}})), ElementsAre("3@0"));
  EXPECT_THAT(Ids(BuildMountList(Scan(), {.filter = {.types = {"nfs"}}})), IsEmpty());
}

TEST(BuildMountList, FindsPaths) {
  EXPECT_THAT(Ids(BuildMountList(Scan(), {.holder_of = "/a/b/c"})), ElementsAre("5@0", "22@0"));
  // What was found on a mount is on it, whatever its path says by now.
  EXPECT_THAT(Ids(BuildMountList(Scan(), {.holder_of = "/a/b/c", .holder_id = 3})),
              ElementsAre("3@0"));
  EXPECT_THAT(Ids(BuildMountList(Scan(), {.mount_point = "/a/b"})), ElementsAre("3@0", "5@1"));
  EXPECT_THAT(BuildMountList(Scan(), {.mount_point = "/z"}),
              StatusIs(absl::StatusCode::kNotFound, "no mount is at /z"));
  EXPECT_THAT(BuildMountList({}, {.holder_of = "/z"}),
              StatusIs(absl::StatusCode::kNotFound, "no mount holds /z"));
}

TEST(BuildMountList, SaysWhyAMountHolds) {
  const absl::StatusOr<MountList> list =
      BuildMountList(Scan(), {.holding = mounttree::HoldingQuery{.device = {{8, 1}}}});

  EXPECT_THAT(Ids(list), ElementsAre("1@0", "21@0"));
  EXPECT_EQ(list->rows(0).reason(), MountRow::device);
  // Each line alone says how to get there.
  EXPECT_EQ(list->rows(0).pid(), 1);
  EXPECT_THAT(list->rows(0).reference(), ElementsAre("/proc/1/ns/mnt"));
  EXPECT_FALSE(list->rows(1).has_pid());
}

TEST(BuildMountList, RelatesMountsOfAllNamespacesToThoseShown) {
  std::vector<ScannedMounts> scanned = Scan();
  scanned[1].shown = false;

  const absl::StatusOr<MountList> list =
      BuildMountList(std::move(scanned), {.mount_point = "/a", .propagation = true});

  EXPECT_THAT(Ids(list), ElementsAre("2@0"));
  EXPECT_THAT(list->peer_groups(), IsEmpty());
  // The unmount happens on /, which hands it down.
  EXPECT_THAT(Texts(list->rows(0).unmount_reaches()), ElementsAre("20:/a#22"));
  EXPECT_THAT(list->rows(0).mount_reaches(), IsEmpty());
}

TEST(BuildMountList, HasTheGroupsOfItsRows) {
  std::vector<ScannedMounts> scanned = Scan();
  scanned[0].shown = false;

  const absl::StatusOr<MountList> list = BuildMountList(std::move(scanned), {.propagation = true});

  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->peer_groups_size(), 1);
  EXPECT_EQ(list->peer_groups(0).id(), 7u);
  EXPECT_THAT(Texts(list->peer_groups(0).members()), ElementsAre("10:/#1"));
  EXPECT_THAT(Texts(list->peer_groups(0).slaves()), ElementsAre("20:/#21"));
}

TEST(BuildMountList, TellsWhatAMountReaches) {
  const absl::StatusOr<MountList> list =
      BuildMountList(Scan(), {.mount_point = "/", .propagation = true});

  ASSERT_TRUE(list.ok());
  EXPECT_THAT(Texts(list->rows(0).mount_reaches()), ElementsAre("20:/#21"));
  EXPECT_THAT(list->rows(0).unmount_reaches(), IsEmpty());
}

}  // namespace
}  // namespace nsctl::cmd
