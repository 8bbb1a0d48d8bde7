#include "engines/cgroup_place.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::engines {
namespace {

const std::string kId(64, 'a');

TEST(ParseCgroupPlace, PrefersTheUnifiedHierarchy) {
  const CgroupPlace place = ParseCgroupPlace(
      absl::StrCat("4:freezer:/long/and/longer/docker/", kId, "\n0::/docker/", kId, "\n"));

  EXPECT_EQ(place.path, absl::StrCat("/docker/", kId));
  EXPECT_EQ(place.unified, place.path);
  EXPECT_EQ(place.freezer, absl::StrCat("/long/and/longer/docker/", kId));
  ASSERT_TRUE(place.name.has_value());
  EXPECT_EQ(place.name->id, kId);
}

TEST(ParseCgroupPlace, TakesTheLongestOfAllOthers) {
  const CgroupPlace place =
      ParseCgroupPlace("9:cpu,freezer:/a\n8:memory:/a/b\n7:name=systemd:/c\n0::/\n");

  EXPECT_EQ(place.path, "/a/b");
  EXPECT_EQ(place.unified, "");
  EXPECT_EQ(place.freezer, "/a");
  EXPECT_FALSE(place.name.has_value());
}

TEST(ParseCgroupPlace, KeepsWhatStandsBeforeAMalformedLine) {
  EXPECT_EQ(ParseCgroupPlace("0::/a\nnonsense\n1:freezer:/b\n").path, "/a");
  EXPECT_EQ(ParseCgroupPlace(""), CgroupPlace());
}

}  // namespace
}  // namespace nsctl::engines
