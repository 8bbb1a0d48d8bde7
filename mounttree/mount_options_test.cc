#include "mounttree/mount_options.h"

#include <linux/mount.h>
#include <sys/mount.h>

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace nsctl::mounttree {
namespace {

struct OptionsCase {
  const char* name;
  const char* text;
  uint64_t attributes;
};

class MountOptions : public ::testing::TestWithParam<OptionsCase> {};

TEST_P(MountOptions, AreAttributesAndBack) {
  std::string text;
  AppendMountOptions(GetParam().attributes, &text);

  EXPECT_EQ(text, GetParam().text);
  EXPECT_EQ(ParseMountOptions(GetParam().text), GetParam().attributes);
}

INSTANTIATE_TEST_SUITE_P(
    Kernel, MountOptions,
    ::testing::Values(
        OptionsCase{"Relatime", "rw,relatime", 0},
        OptionsCase{"Strictatime", "rw", MOUNT_ATTR_STRICTATIME},
        OptionsCase{"Noatime", "ro,noatime", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME},
        OptionsCase{"Nodiratime", "rw,nodiratime", MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_STRICTATIME},
        OptionsCase{"All", "ro,nosuid,nodev,noexec,nodiratime,relatime,nosymfollow,idmapped",
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                        MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_IDMAP}),
    [](const auto& info) { return info.param.name; });

TEST(MountOptionsText, PassesOverWhatIsNew) {
  EXPECT_EQ(ParseMountOptions("rw,later,relatime"), 0u);
  EXPECT_EQ(ParseMountOptions("rorw"), uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(ParseMountOptions(""), uint64_t{MOUNT_ATTR_STRICTATIME});
  std::string text;
  AppendMountOptions(uint64_t{1} << 40, &text);
  EXPECT_EQ(text, "rw,relatime");
}

TEST(SuperBlockFlags, AreWrittenAsInMountinfo) {
  std::string text;
  AppendSuperBlockFlags(MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME, &text);
  EXPECT_EQ(text, "ro,sync,dirsync,lazytime");
  text.clear();
  AppendSuperBlockFlags(0, &text);
  EXPECT_EQ(text, "rw");
}

TEST(SecurityOption, IsKnownByItsName) {
  EXPECT_TRUE(IsSecurityOption("seclabel"));
  EXPECT_TRUE(IsSecurityOption("context=system_u:object_r:tmp_t:s0"));
  EXPECT_TRUE(IsSecurityOption("smackfsroot=*"));
  EXPECT_FALSE(IsSecurityOption("seclabel2"));
  EXPECT_FALSE(IsSecurityOption("rw"));
}

}  // namespace
}  // namespace nsctl::mounttree
