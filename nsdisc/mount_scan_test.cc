#include "nsdisc/mount_scan.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"
#include "testing/namespace_fixture.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using google::protobuf::RepeatedPtrField;
using mounttree::MountNamespace;
using procfsroot::Procfs;
using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

constexpr char kTree[] = R"(f 7/mountinfo
|1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
|2 1 0:5 / /a\\040b ro - tmpfs none rw
l 7/ns/mnt mnt:[4026532001]
)";

Namespace MountNamespaceOf(uint32_t inode, int32_t ealdorman) {
  Namespace ns;
  ns.set_type(Namespace::mnt);
  ns.set_inode(inode);
  if (ealdorman != 0) ns.set_ealdorman(ealdorman);
  return ns;
}

class RecordedMounts : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(testing::UnpackRecordedTree(kTree, directory_.path()), IsOk());
  }

  const testing::TestDirectory directory_;
};

TEST_F(RecordedMounts, AreReadAndPlaced) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::At(directory_.path()));
  MountNamespace mounts;

  ASSERT_THAT(ReadMountsOf(MountNamespaceOf(4026532001, 7), procfs, {}, &mounts), IsOk());

  EXPECT_EQ(mounts.inode(), 4026532001u);
  ASSERT_EQ(mounts.mounts_size(), 2);
  EXPECT_EQ(mounts.mounts(1).mount_point(), "/a b");
  EXPECT_EQ(mounts.mounts(1).visibility(), mounttree::Mount::visible);
}

// Nothing in a recording may be asked of the running kernel, where ids and paths are others'.
TEST_F(RecordedMounts, WithoutAProcessCannotBeRead) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::At(directory_.path()));
  Namespace ns = MountNamespaceOf(4026532001, 0);
  ns.set_kernel_id(1);
  ns.add_reference("/proc/self/ns/mnt");
  MountNamespace mounts;

  EXPECT_THAT(ReadMountsOf(ns, procfs, {}, &mounts),
              StatusIs(absl::StatusCode::kNotFound, "no way leads to it"));
}

TEST_F(RecordedMounts, ThatCannotBeReadAreAGap) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::At(directory_.path()));
  RepeatedPtrField<Namespace> namespaces;
  *namespaces.Add() = MountNamespaceOf(4026532001, 7);
  // Its process has moved on, which is no gap: it is gone.
  *namespaces.Add() = MountNamespaceOf(4026532002, 7);
  *namespaces.Add() = MountNamespaceOf(4026532003, 0);
  RepeatedPtrField<MountNamespace> mounts;
  GapList list;

  ScanMounts(namespaces, procfs, {}, &mounts, &list);

  ASSERT_EQ(mounts.size(), 1);
  EXPECT_EQ(mounts[0].inode(), 4026532001u);
  RepeatedPtrField<Gap> gaps;
  list.MoveTo(&gaps);
  ASSERT_EQ(gaps.size(), 1);
  EXPECT_EQ(gaps[0].subject(), "mnt:[4026532003]");
  EXPECT_EQ(gaps[0].error(), "NOT_FOUND");
}

int MountTmpfs() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  return mount("scanned", "/mnt", "tmpfs", 0, nullptr) == 0 ? 0 : errno;
}

// What /proc shows and what was read agree, for a namespace with mounts of its own.
TEST(ScanMountsKernelTest, ReadsWhatMountinfoHas) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.namespaces = CLONE_NEWNS, .setup = MountTmpfs}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  const testing::RealProcess& process = fixture->last();
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::ProcessDir dir, procfs.OpenProcess(process.pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::string mountinfo, dir.Read("mountinfo", 1 << 20));
  const auto& link = process.namespaces.in[static_cast<size_t>(base::NamespaceType::kMnt)];
  RepeatedPtrField<Namespace> namespaces;
  *namespaces.Add() = MountNamespaceOf(link.inode, process.pid.value);
  RepeatedPtrField<MountNamespace> mounts;
  GapList gaps;

  ScanMounts(namespaces, procfs, {}, &mounts, &gaps);

  ASSERT_EQ(mounts.size(), 1);
  EXPECT_EQ(mounts[0].mounts_size(), std::count(mountinfo.begin(), mountinfo.end(), '\n'));
  std::vector<std::string> scanned;
  for (const mounttree::Mount& mount : mounts[0].mounts()) {
    if (mount.source() == "scanned") scanned.push_back(mount.mount_point());
  }
  EXPECT_THAT(scanned, ElementsAre("/mnt"));
}

}  // namespace
}  // namespace nsctl::nsdisc
