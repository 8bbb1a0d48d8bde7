#include "cmd/fs_file.h"

#include <sys/stat.h>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

TEST(ModeText, IsThatOfLs) {
  EXPECT_EQ(ModeText(S_IFREG | 0644), "-rw-r--r--");
  EXPECT_EQ(ModeText(S_IFDIR | 01777), "drwxrwxrwt");
  EXPECT_EQ(ModeText(S_IFDIR | 01776), "drwxrwxrwT");
  EXPECT_EQ(ModeText(S_IFREG | 06755), "-rwsr-sr-x");
  EXPECT_EQ(ModeText(S_IFREG | 06644), "-rwSr-Sr--");
  EXPECT_EQ(ModeText(S_IFLNK | 0777), "lrwxrwxrwx");
  EXPECT_EQ(ModeText(S_IFIFO), "p---------");
  EXPECT_EQ(ModeText(S_IFSOCK), "s---------");
  EXPECT_EQ(ModeText(S_IFCHR), "c---------");
  EXPECT_EQ(ModeText(S_IFBLK), "b---------");
  EXPECT_EQ(ModeText(0), "?---------");
}

// As `ls -h` of coreutils 9.1 prints them.
TEST(HumanSize, RoundsUpAsLsDoes) {
  struct Case {
    uint64_t bytes;
    const char* text;
  };
  const Case cases[] = {{0, "0"},          {1023, "1023"},       {1024, "1.0K"},
                        {1025, "1.1K"},    {10137, "9.9K"},      {10138, "10K"},
                        {10240, "10K"},    {10241, "11K"},       {1047552, "1023K"},
                        {1047553, "1.0M"}, {1048576, "1.0M"},    {104857600, "100M"},
                        {1 << 30, "1.0G"}, {~uint64_t{0}, "16E"}};
  for (const Case& c : cases) EXPECT_EQ(HumanSize(c.bytes), c.text) << c.bytes;
}

TEST(LastComponent, IgnoresSlashesAtTheEnd) {
  EXPECT_EQ(LastComponent("/a/b"), "b");
  EXPECT_EQ(LastComponent("/a/b//"), "b");
  EXPECT_EQ(LastComponent("a"), "a");
  EXPECT_EQ(LastComponent("/"), "/");
  EXPECT_EQ(LastComponent("//"), "/");
  EXPECT_EQ(LastComponent("/a/.."), "..");
}

TEST(FillFsFile, LeavesOutWhatWasNotTold) {
  struct statx status = {};
  status.stx_mask = STATX_TYPE | STATX_SIZE;
  status.stx_mode = S_IFREG | 0644;
  status.stx_size = 0;

  FsFile file;
  FillFsFile(status, &file);

  EXPECT_EQ(file.type(), FsFile::file);
  EXPECT_TRUE(file.has_size());
  EXPECT_FALSE(file.has_mode());
  EXPECT_EQ(file.mode_text(), "");
  EXPECT_FALSE(file.has_uid());
  EXPECT_FALSE(file.has_modified());
}

TEST(FillFsFile, TellsDevicesAndMounts) {
  struct statx status = {};
  status.stx_mask = STATX_BASIC_STATS;
  status.stx_mode = S_IFCHR | 0666;
  status.stx_rdev_major = 1;
  status.stx_rdev_minor = 3;
  status.stx_dev_minor = 5;
  status.stx_attributes = STATX_ATTR_MOUNT_ROOT;

  FsFile file;
  FillFsFile(status, &file);

  EXPECT_EQ(file.device(), "0:5");
  EXPECT_EQ(file.device_number(), "1:3");
  EXPECT_TRUE(file.mount_root());
  EXPECT_FALSE(file.has_mount_id());
}

}  // namespace
}  // namespace nsctl::cmd
