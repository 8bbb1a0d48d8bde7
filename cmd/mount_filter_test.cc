#include "cmd/mount_filter.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using mounttree::Mount;

Mount Parse(const std::string& text) {
  Mount mount;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &mount)) << text;
  return mount;
}

TEST(Passes, TakesWhatFindmntUsersMean) {
  const std::string fuse = R"(fs_type: "fuse.sshfs" source: "ann@host:" device_minor: 40)";
  const std::string root = R"(fs_type: "ext4" source: "/dev/sda1" device_major: 8 device_minor: 1
                              mount_options: "rw,noatime" super_options: "rw,discard")";
  struct Case {
    const char* name;
    std::string mount;
    MountFilter filter;
    bool passes;
  };
  const Case cases[] = {
      {"no filter", fuse, {}, true},
      {"type", root, {.types = {"ext4"}}, true},
      {"one of two types", root, {.types = {"proc", "ext4"}}, true},
      {"another type", root, {.types = {"ext"}}, false},
      {"type with its subtype", fuse, {.types = {"fuse.sshfs"}}, true},
      {"type without its subtype", fuse, {.types = {"fuse"}}, true},
      {"a beginning is no type", fuse, {.types = {"fus"}}, false},
      {"none of these types", root, {.types = {"noproc", "noext4"}}, false},
      {"not those types", root, {.types = {"noproc"}}, true},
      {"source", root, {.sources = {"/dev/sda1"}}, true},
      {"another source", root, {.sources = {"/dev/sda"}}, false},
      {"device", root, {.devices = {{8, 1}}}, true},
      {"source or device", root, {.sources = {"x"}, .devices = {{8, 1}}}, true},
      {"another device", root, {.devices = {{8, 2}}}, false},
      {"empty source is not an absent one", "source: ''", {.sources = {""}}, true},
      {"absent source", "", {.sources = {""}}, false},
      {"option of the mount", root, {.options = {"noatime"}}, true},
      {"flag that says what is not", root, {.options = {"nosuid"}}, false},
      {"word as it stands", root, {.options = {"+noatime"}}, true},
      {"word as it stands is not there", root, {.options = {"+nodiscard"}}, false},
      {"option of the super block", root, {.options = {"discard"}}, true},
      {"all options", root, {.options = {"discard", "sync"}}, false},
      {"option that must not be", root, {.options = {"nodiscard"}}, false},
      {"option that is not", root, {.options = {"nosync"}}, true},
      {"shadowed", "visibility: covered", {.shadowed = true}, true},
      {"not shadowed", "visibility: visible", {.shadowed = true}, false},
      {"out of reach is not shadowed", "visibility: unreachable", {.shadowed = true}, false},
      {"pseudo", "fs_type: 'proc'", {.pseudo = true}, true},
      {"not pseudo", root, {.pseudo = true}, false},
      {"real", root, {.real = true}, true},
      {"not real", "fs_type: 'tmpfs'", {.real = true}, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Passes(Parse(c.mount), c.filter), c.passes);
  }
}

// The mount says rw, its super block ro: nothing can be written.
TEST(MergedOptions, TellWhatHoldsTogether) {
  const Mount mount =
      Parse(R"(read_only: true mount_options: "rw,nosuid" super_options: "ro,x=1")");

  EXPECT_EQ(MergedOptions(mount), "ro,nosuid,x=1");
  EXPECT_TRUE(Passes(mount, {.options = {"ro"}}));
  EXPECT_FALSE(Passes(mount, {.options = {"rw"}}));
}

TEST(MergedOptions, KeepCommasWithinOptionsWhereTheyAreKnown) {
  const Mount mount = Parse(R"(mount_options: "rw" super_options: "rw,lowerdir=/a,b"
                               super_option_list: "lowerdir=/a,b")");

  EXPECT_EQ(MergedOptions(mount), "rw,lowerdir=/a,b");
  EXPECT_TRUE(Passes(mount, {.options = {"lowerdir=/a,b"}}));
  EXPECT_FALSE(Passes(mount, {.options = {"b"}}));
}

}  // namespace
}  // namespace nsctl::cmd
