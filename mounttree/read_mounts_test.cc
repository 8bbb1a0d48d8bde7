#include "mounttree/read_mounts.h"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"
#include "procfsroot/procfs.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::mounttree {
namespace {

using procfsroot::Procfs;
using testing::HasErrno;
using testing::IsOk;
using testing::StatusIs;

// 70 and 71 are rows that Linux 6.18 wrote: 70 of a host with a container's root file system in the
// making, 71 of a process that had changed its root to a plain directory. 72 is broken.
constexpr char kTree[] = R"(f 70/mountinfo
|146 145 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resv_strict,resuid=65534,resgid=65534
|161 146 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334492k,nr_inodes=3083623,mode=755
|162 161 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24684092k
|163 162 0:27 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24684092k
|167 146 0:45 / /tmp/cap rw,relatime - tmpfs scene rw
|171 167 0:46 / /tmp/cap/root rw,relatime shared:3 - overlay overlay rw,lowerdir=/tmp/cap/l1:/tmp/cap/l2,upperdir=/tmp/cap/up,workdir=/tmp/cap/work,uuid=on
|172 171 0:45 /vol\\040one /tmp/cap/root/data rw,relatime - tmpfs scene rw
|173 171 0:45 /gone//deleted /tmp/cap/root/lost rw,relatime unbindable - tmpfs scene rw
|174 171 0:48 / /tmp/cap/root/proc rw,nosuid,nodev,noexec,relatime shared:4 - proc proc rw
|175 171 0:49 / /tmp/cap/root/dev rw,nosuid,relatime shared:5 - tmpfs tmpfs rw,size=65536k,mode=755
|176 174 0:6 /null /tmp/cap/root/proc/keys ro,relatime shared:6 - devtmpfs devtmpfs rw,size=12334492k,nr_inodes=3083623,mode=755
l 70/ns/mnt mnt:[4026532500]
f 71/mountinfo
|700 600 0:70 / /a rw,relatime - tmpfs \\043s rw
|701 700 0:71 / /a rw,relatime - tmpfs  rw
l 71/ns/mnt mnt:[4026532501]
f 72/mountinfo
|1 0 8:1 / / rw - ext4 /dev/sda rw
|2 1 8:x / /a rw - ext4 /dev/sda rw
l 72/ns/mnt mnt:[4026532502]
)";

class ReadMountsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(testing::UnpackRecordedTree(kTree, directory_.path()), IsOk());
  }

  // ReadMounts of a process in the recorded tree, placed.
  absl::Status Read(int pid, const ReadMountsOptions& options = {},
                    std::optional<uint32_t> inode = std::nullopt) {
    absl::StatusOr<Procfs> procfs = Procfs::At(directory_.path());
    if (!procfs.ok()) return procfs.status();
    const absl::Status status = ReadMounts(
        {.procfs = &*procfs, .process = base::Pid{pid}, .inode = inode}, options, &mounts_);
    PlaceMounts(&mounts_);
    return status;
  }

  std::string Show() const {
    return absl::StrJoin(mounts_.mounts(), "\n", [](std::string* out, const Mount& mount) {
      absl::StrAppend(out, mount.path_id(), "<", mount.parent_path_id(), " ", mount.mount_point(),
                      " ", mount.fs_type(), " ", mount.source(), " ",
                      Mount::Visibility_Name(mount.visibility()));
    });
  }

  testing::TestDirectory directory_;
  MountNamespace mounts_;
};

TEST_F(ReadMountsTest, ReadsARecordedProcess) {
  ASSERT_THAT(Read(70, {}, 4026532500), IsOk());

  EXPECT_EQ(mounts_.reader(), MountNamespace::mountinfo);
  EXPECT_EQ(mounts_.process(), 70);
  EXPECT_EQ(mounts_.inode(), 4026532500);
  EXPECT_EQ(Show(),
            "1<0 / ext4 /dev/vda visible\n"
            "2<1 /dev devtmpfs devtmpfs visible\n"
            "3<2 /dev/shm tmpfs tmpfs overmounted\n"
            "3<2 /dev/shm tmpfs tmpfs visible\n"
            "4<1 /tmp/cap tmpfs scene visible\n"
            "5<4 /tmp/cap/root overlay overlay visible\n"
            "6<5 /tmp/cap/root/data tmpfs scene visible\n"
            "8<5 /tmp/cap/root/lost tmpfs scene visible\n"
            "9<5 /tmp/cap/root/proc proc proc visible\n"
            "7<5 /tmp/cap/root/dev tmpfs tmpfs visible\n"
            "10<9 /tmp/cap/root/proc/keys devtmpfs devtmpfs visible");
  EXPECT_EQ(mounts_.mounts(2).hidden_by(), 163u);
  EXPECT_EQ(mounts_.mounts(5).peer_group(), 3u);
  EXPECT_EQ(mounts_.mounts(6).root(), "/vol one");
  EXPECT_TRUE(mounts_.mounts(7).deleted());
  EXPECT_TRUE(mounts_.mounts(7).unbindable());
  EXPECT_TRUE(mounts_.mounts(10).read_only());
}

TEST_F(ReadMountsTest, TakesAReaderWithoutARoot) {
  ASSERT_THAT(Read(71), IsOk());

  EXPECT_EQ(Show(), "1<0 /a tmpfs #s overmounted\n1<0 /a tmpfs  visible");
}

TEST_F(ReadMountsTest, NamesLineAndFieldOfABrokenRow) {
  EXPECT_THAT(Read(72), StatusIs(absl::StatusCode::kInvalidArgument,
                                 "mountinfo line 2: bad device: \"2 1 8:x / /a rw - ext4 "
                                 "/dev/sda rw\""));
  EXPECT_EQ(mounts_.ByteSizeLong(), 0u);
}

TEST_F(ReadMountsTest, SaysThatAProcessIsGoneOrElsewhere) {
  EXPECT_THAT(Read(99), HasErrno(ENOENT));
  EXPECT_THAT(Read(70, {}, 1), HasErrno(ESRCH));
}

TEST_F(ReadMountsTest, WantsAnAddress) {
  EXPECT_THAT(ReadMounts({}, {}, &mounts_), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(ParseMounts, FoldsWhatTheKernelRepeats) {
  MountNamespace mounts;
  ASSERT_THAT(ParseMounts("1 0 8:1 / / rw - a b c\n2 1 8:2 / /x rw - a b c\n"
                          "1 0 8:1 / / rw - a b c\n2 1 8:2 / /y rw - a b c\n",
                          3, &mounts),
              IsOk());

  ASSERT_EQ(mounts.mounts_size(), 3);
  EXPECT_EQ(mounts.mounts(2).mount_point(), "/y") << "another mount with the same number";
}

TEST(ParseMounts, KeepsToTheLimit) {
  MountNamespace mounts;
  EXPECT_THAT(ParseMounts("1 0 8:1 / / rw - a b c\n2 1 8:2 / /x rw - a b c\n", 1, &mounts),
              StatusIs(absl::StatusCode::kResourceExhausted, "mountinfo: more than 1 mounts"));
  EXPECT_EQ(mounts.mounts_size(), 0);
}

TEST(ParseMounts, LeavesOutLongTexts) {
  MountNamespace mounts;
  ASSERT_THAT(ParseMounts(absl::StrCat("1 0 8:1 / / rw - a b c\n2 1 8:2 / /", std::string(300, 'x'),
                                       " rw - a b c\n3 2 8:2 / /y rw - a b c\n"),
                          3, &mounts, {.longest = 300}),
              IsOk());
  PlaceMounts(&mounts);

  EXPECT_FALSE(mounts.mounts(1).has_mount_point());
  EXPECT_EQ(mounts.mounts(1).visibility(), Mount::unreachable);
  EXPECT_EQ(mounts.mounts(2).visibility(), Mount::unreachable);
  ASSERT_EQ(mounts.gaps_size(), 1);
  EXPECT_EQ(mounts.gaps(0).error(), "ENAMETOOLONG");
}

TEST(ParseMounts, TakesLongLines) {
  MountNamespace mounts;
  const std::string options(100000, 'x');
  ASSERT_THAT(ParseMounts(absl::StrCat("1 0 0:1 / / rw - overlay o rw,", options), 1, &mounts),
              IsOk());
  EXPECT_EQ(mounts.mounts(0).super_options(), "rw," + options);
}

}  // namespace
}  // namespace nsctl::mounttree
