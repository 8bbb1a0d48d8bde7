#include "cmd/fs_list_text.h"

#include <string>

#include "absl/time/time.h"
#include "cmd/writer.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

// 2025-06-15 12:00:00 UTC.
constexpr int64_t kNow = 1749988800;

FsDirectory Parse(const char* text) {
  FsDirectory directory;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &directory));
  return directory;
}

std::string Print(const FsDirectory& directory, FsListStyle style) {
  style.now = absl::FromUnixSeconds(kNow);
  StringWriter out;
  PrintFiles(directory.entries(), style, {}, &out);
  return out.text();
}

const FsDirectory& Sample() {
  static const FsDirectory directory = Parse(R"pb(
    entries {
      name: "app.log"
      type: file
      mode: 420
      mode_text: "-rw-r--r--"
      links: 1
      uid: 0
      gid: 4
      size: 1536
      blocks: 8
      modified { seconds: 1749988799 }
      inode: 12
    }
    entries {
      name: "link"
      type: symlink
      mode_text: "lrwxrwxrwx"
      links: 1
      uid: 1000
      gid: 1000
      size: 7
      blocks: 0
      modified { seconds: 981169500 }
      inode: 3
      link_target: "a\\x1bb"
    }
    entries {
      name: "null"
      type: character_device
      mode_text: "crw-rw-rw-"
      links: 12
      uid: 0
      gid: 0
      size: 0
      modified { seconds: 1749988801 }
      device_number: "1:3"
      inode: 4
    }
    entries { name: "dead" }
  )pb");
  return directory;
}

TEST(PrintFiles, LooksLikeLs) {
  EXPECT_EQ(Print(Sample(), {.details = true}),
            "-rw-r--r--  1    0    4 1536 Jun 15 11:59 app.log\n"
            "lrwxrwxrwx  1 1000 1000    7 Feb  3  2001 link -> a\\x1bb\n"
            "crw-rw-rw- 12    0    0 1, 3 Jun 15  2025 null\n"
            "??????????  ?    ?    ?    ?            ? dead\n");
}

TEST(PrintFiles, HasDeviceNumbersBelowEachOther) {
  const FsDirectory directory = Parse(R"pb(
    entries { name: "a" type: character_device size: 0 device_number: "1:3" }
    entries { name: "b" type: block_device size: 0 device_number: "10:229" }
    entries { name: "c" type: file size: 7 }
  )pb");

  EXPECT_EQ(Print(directory, {.details = true}),
            "?????????? ? ? ?  1,   3 ? a\n"
            "?????????? ? ? ? 10, 229 ? b\n"
            "?????????? ? ? ?       7 ? c\n");
}

// Its text cannot be read.
TEST(PrintFiles, HasNoArrowForALinkWithoutText) {
  const FsDirectory directory = Parse(R"pb(
    entries { name: "cwd" type: symlink mode_text: "lrwxrwxrwx" links: 1 uid: 0 gid: 0 size: 0 }
  )pb");

  EXPECT_EQ(Print(directory, {.details = true}), "lrwxrwxrwx 1 0 0 0 ? cwd\n");
}

TEST(PrintFiles, HasSizesForPeopleAndInodes) {
  EXPECT_EQ(Print(Sample(), {.details = true, .human_sizes = true, .inodes = true}),
            "12 -rw-r--r--  1    0    4 1.5K Jun 15 11:59 app.log\n"
            " 3 lrwxrwxrwx  1 1000 1000    7 Feb  3  2001 link -> a\\x1bb\n"
            " 4 crw-rw-rw- 12    0    0 1, 3 Jun 15  2025 null\n"
            " ? ??????????  ?    ?    ?    ?            ? dead\n");
}

TEST(PrintFiles, FillsColumnsDownwards) {
  EXPECT_EQ(Print(Sample(), {}), "app.log\nlink\nnull\ndead\n");
  EXPECT_EQ(Print(Sample(), {.width = 80}), "app.log  link  null  dead\n");
  EXPECT_EQ(Print(Sample(), {.width = 13}), "app.log  null\nlink     dead\n");
  EXPECT_EQ(Print(Sample(), {.width = 12}), "app.log\nlink\nnull\ndead\n");
  EXPECT_EQ(Print(Sample(), {.inodes = true, .width = 19}),
            "12 app.log   4 null\n 3 link      ? dead\n");
}

TEST(PrintFiles, EscapesNames) {
  const FsDirectory directory = Parse(R"pb(
    entries { name: "a\nb\x1b[31m" }
    entries { name: "\xe2\x80\xae" }
  )pb");

  EXPECT_EQ(Print(directory, {}), "a\\x0ab\\x1b[31m\n\\xe2\\x80\\xae\n");
}

TEST(TotalLine, IsInKibibytes) {
  EXPECT_EQ(TotalLine(Sample(), {}), "total 4\n");
  EXPECT_EQ(TotalLine(Sample(), {.human_sizes = true}), "total 4.0K\n");
}

}  // namespace
}  // namespace nsctl::cmd
