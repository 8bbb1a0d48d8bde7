#include "mounttree/mount_texts.h"

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"

namespace nsctl::mounttree {
namespace {

constexpr MountTextLimits kLimits = {.longest = 100, .shortest = 10, .all = 150};

Mount With(uint32_t id, size_t point, size_t options) {
  Mount mount;
  mount.set_mount_id(id);
  mount.set_mount_point(std::string(point, 'p'));
  mount.set_root("/");
  mount.set_source("none");
  mount.set_fs_type("tmpfs");
  mount.set_super_options(std::string(options, 'o'));
  return mount;
}

std::string GapsOf(const MountTexts& texts) {
  MountNamespace mounts;
  texts.AddGaps(&mounts);
  return mounts.ShortDebugString();
}

TEST(MountTexts, KeepsWhatIsWithinTheLimits) {
  MountTexts texts(kLimits);
  for (const auto& [point, options] : {std::pair(100, 50), {10, 10}, {0, 0}, {10, 10}}) {
    Mount mount = With(1, point, options);
    const std::string before = mount.ShortDebugString();

    texts.Limit(&mount);

    EXPECT_EQ(mount.ShortDebugString(), before);
  }
  EXPECT_EQ(GapsOf(texts), "");
}

TEST(MountTexts, LeavesOutATextThatIsTooLong) {
  MountTexts texts(kLimits);
  Mount mount = With(7, 101, 20);
  Mount second = With(8, 5, 101);
  second.add_super_option_list("one");
  second.add_security_options("two");

  texts.Limit(&mount);
  texts.Limit(&second);

  EXPECT_FALSE(mount.has_mount_point());
  EXPECT_EQ(mount.super_options().size(), 20u);
  EXPECT_EQ(mount.source(), "none");
  EXPECT_EQ(second.ShortDebugString(), With(8, 5, 0).ShortDebugString());
  EXPECT_EQ(GapsOf(texts),
            R"(gaps { operation: "read mounts" error: "ENAMETOOLONG" consequence: )"
            R"("paths or options of mounts are missing that are longer than 100 bytes; )"
            R"(first of mount 7" count: 2 })");
}

TEST(MountTexts, KeepsShortTextsWhenAllAreTooMuch) {
  MountTexts texts(kLimits);
  Mount first = With(1, 90, 0);
  Mount second = With(2, 90, 11);
  Mount third = With(3, 10, 90);
  Mount fourth = With(4, 10, 10);
  for (Mount* mount : {&first, &second, &third, &fourth}) texts.Limit(mount);

  EXPECT_EQ(first.mount_point().size(), 90u);
  EXPECT_FALSE(second.has_mount_point());
  EXPECT_EQ(second.super_options().size(), 11u);
  EXPECT_EQ(third.mount_point().size(), 10u);
  EXPECT_EQ(third.super_options(), "");
  EXPECT_EQ(fourth.ShortDebugString(), With(4, 10, 10).ShortDebugString());
  EXPECT_EQ(GapsOf(texts),
            R"(gaps { operation: "read mounts" error: "E2BIG" consequence: )"
            R"("paths or options of mounts are missing, as all together are more than 150 bytes; )"
            R"(first of mount 2" count: 2 })");
  MountNamespace mounts;
  for (const Mount& mount : {first, second, third, fourth}) *mounts.add_mounts() = mount;
  EXPECT_EQ(LongTextBytes(mounts, kLimits), 101u);
}

TEST(MountTexts, CountsWhatCameWithoutAText) {
  MountTexts texts(kLimits);
  Mount mount = With(5, 1, 101);

  texts.Limit(&mount, true);

  EXPECT_THAT(GapsOf(texts), ::testing::HasSubstr("first of mount 5\" count: 1 }"));
}

TEST(MountTexts, LimitsMapsOfIds) {
  MountTexts texts(kLimits);
  Mount mount = With(1, 1, 1);
  for (int i = 0; i < 100; ++i) mount.add_uid_map()->set_count(1);

  texts.Limit(&mount);

  EXPECT_EQ(mount.ShortDebugString(), With(1, 1, 1).ShortDebugString());
}

}  // namespace
}  // namespace nsctl::mounttree
