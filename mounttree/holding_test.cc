#include "mounttree/holding.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"
#include "mounttree/read_mounts.h"
#include "testing/status_matchers.h"

namespace nsctl::mounttree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using Reason = Holding::Reason;

MountNamespace Parse(absl::string_view text) {
  MountNamespace mounts;
  EXPECT_THAT(ParseMounts(text, 100, &mounts), IsOk());
  return mounts;
}

class HoldingTest : public ::testing::Test {
 protected:
  MountNamespace host_ = Parse(
      "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
      "2 1 8:2 / /data rw - xfs /dev/sdb1 rw\n"
      "3 1 8:2 /vol /srv rw - xfs /dev/sdb1 rw\n");
  MountNamespace container_ = Parse(
      "11 0 0:50 / / rw - overlay overlay rw\n"
      "12 11 8:2 /vol/a /data rw - xfs /dev/sdb1 rw\n"
      "13 11 8:2 /volume /v rw - xfs /dev/sdb1 rw\n");
};

TEST_F(HoldingTest, FindsADeviceInEveryNamespace) {
  EXPECT_THAT(FindHolding({&host_, &container_}, {.device = Device{8, 2}}),
              ElementsAre(Holding{0, 1, Reason::kDevice}, Holding{0, 2, Reason::kDevice},
                          Holding{1, 1, Reason::kDevice}, Holding{1, 2, Reason::kDevice}));
  EXPECT_THAT(FindHolding({&host_, &container_}, {.device = Device{8, 3}}), IsEmpty());
  EXPECT_THAT(FindHolding({}, {.device = Device{8, 2}}), IsEmpty());
}

TEST_F(HoldingTest, FindsAPathAsSourceOrMountPoint) {
  EXPECT_THAT(FindHolding({&host_, &container_}, {.path = "/dev/sda1"}),
              ElementsAre(Holding{0, 0, Reason::kSource}));
  EXPECT_THAT(FindHolding({&host_, &container_}, {.path = "/data"}),
              ElementsAre(Holding{0, 1, Reason::kMountPoint}, Holding{1, 1, Reason::kMountPoint}));
}

TEST_F(HoldingTest, FindsADirectoryUnderOtherNames) {
  const MountTree tree = PlaceMounts(&host_);
  const std::optional<FilePlace> place = PlaceOf(host_, tree, "/data/vol");

  ASSERT_EQ(place, (FilePlace{{8, 2}, "/vol"}));
  EXPECT_THAT(FindHolding({&host_, &container_}, {.place = place}),
              ElementsAre(Holding{0, 2, Reason::kRoot}, Holding{1, 1, Reason::kBelowRoot}));
}

TEST_F(HoldingTest, TellsThePlaceBehindABindMount) {
  const MountTree tree = PlaceMounts(&host_);

  EXPECT_EQ(PlaceOf(host_, tree, "/srv/a/b"), (FilePlace{{8, 2}, "/vol/a/b"}));
  EXPECT_EQ(PlaceOf(host_, tree, "/etc"), (FilePlace{{8, 1}, "/etc"}));
  EXPECT_EQ(PlaceOf(host_, tree, "/"), (FilePlace{{8, 1}, "/"}));
}

TEST(ParseDevice, TakesTwoNumbers) {
  EXPECT_EQ(ParseDevice("8:1"), (Device{8, 1}));
  EXPECT_EQ(ParseDevice("0:4294967295"), (Device{0, 4294967295}));
  for (const char* text : {"", "8", "8:", ":1", "8:1:2", "+8:1", "8:-1", " 8:1", "8:1 ",
                           "8:4294967296", "a:b", "/dev/sda"}) {
    EXPECT_EQ(ParseDevice(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace nsctl::mounttree
