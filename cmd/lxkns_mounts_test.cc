#include "cmd/lxkns_mounts.h"

#include <string>

#include "cmd/writer.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

std::string Write(const std::string& text) {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot)) << text;
  StringWriter out;
  JsonWriter json(&out, JsonWriter::kCompact);
  WriteLxknsMounts(snapshot, &json);
  return out.text();
}

TEST(WriteLxknsMounts, WritesEveryField) {
  EXPECT_EQ(
      Write(R"pb(
        namespaces { type: mnt inode: 10 }
        mounts {
          inode: 10
          mounts {
            mount_id: 24
            parent_id: 1
            device_major: 8
            device_minor: 33
            root: "/"
            mount_point: "/"
            mount_options: "rw,relatime"
            peer_group: 1
            fs_type: "ext4"
            source: "/dev/root"
            super_options: "rw,discard"
            path_id: 1
            visibility: visible
          }
          mounts {
            mount_id: 25
            parent_id: 24
            root: "/x"
            deleted: true
            mount_point: "/a b\\\\c"
            mount_options: "ro"
            master: 3
            unbindable: true
            other_tags: "new:7"
            fs_type: "tmpfs"
            super_options: "rw"
            path_id: 2
            parent_path_id: 1
            visibility: covered
          }
        })pb"),
      R"({"10":{"/":{"mounts":[{"mountid":24,"parentid":1,"major":8,"minor":33,"root":"/",)"
      R"("mountpoint":"/","mountoptions":["rw","relatime"],"tags":{"shared":"1"},)"
      R"("fstype":"ext4","source":"/dev/root","superoptions":"rw,discard","hidden":false}],)"
      R"("pathid":1,"parentid":0},"/a b\\c":{"mounts":[{"mountid":25,"parentid":24,"major":0,)"
      R"("minor":0,"root":"/x//deleted","mountpoint":"/a b\\c","mountoptions":["ro"],)"
      R"("tags":{"master":"3","new":"7","unbindable":""},"fstype":"tmpfs","source":"",)"
      R"("superoptions":"rw","hidden":true}],"pathid":2,"parentid":1}}})");
}

// Its clients refuse the whole answer otherwise.
TEST(WriteLxknsMounts, LeavesOutWhatClientsCannotPlace) {
  EXPECT_EQ(Write(R"pb(
              namespaces { type: mnt inode: 10 }
              mounts {
                inode: 10
                mounts { mount_id: 1 mount_point: "/chroot" }
              }
              mounts {
                inode: 11
                mounts { mount_id: 2 mount_point: "/" }
              })pb"),
            "{}");
  EXPECT_EQ(Write(R"pb(
              namespaces { type: mnt inode: 10 }
              mounts {
                inode: 10
                mounts { mount_id: 1 mount_point: "/" }
                mounts { mount_id: 2 }
              }
            )pb")
                .find("\"mountid\":2"),
            std::string::npos);
}

}  // namespace
}  // namespace nsctl::cmd
