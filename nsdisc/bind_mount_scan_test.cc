#include "nsdisc/bind_mount_scan.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_texts.h"
#include "nsdisc/namespace_table.h"
#include "nsdisc/namespace_way.h"
#include "procfsroot/procfs.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::TestChild;
using procfsroot::Procfs;
using ::testing::Gt;
using testing::HasErrno;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;

// A mount namespace of a child, and this process's descriptor that is open on it.
struct Held {
  std::optional<TestChild> child;
  base::OwnedFd fd;
  uint32_t inode = 0;
};

class BindMountScanTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(procfs_, IsOk()); }

  // nullopt without CAP_SYS_ADMIN.
  std::optional<Held> Hold() {
    absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNS);
    if (!child.ok()) return std::nullopt;
    const NamespaceWay way{.pid = child->pid().value};
    absl::StatusOr<base::OwnedFd> fd = OpenWay(*procfs_, way, {NamespaceType::kMnt, 0});
    EXPECT_THAT(fd, IsOk());
    const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*fd);
    EXPECT_THAT(id, IsOk());
    return Held{*std::move(child), *std::move(fd), id->inode};
  }

  // The namespace with that number, as met by that descriptor alone.
  static NamespaceTable::Known Met(uint32_t inode, const base::OwnedFd& fd) {
    NamespaceTable::Known known;
    known.target = {NamespaceType::kMnt, inode};
    known.ways.push_back({.kind = NamespaceWay::Kind::kFd, .pid = getpid(), .fd = fd.get()});
    return known;
  }

  absl::StatusOr<Procfs> procfs_ = Procfs::Live();
};

TEST_F(BindMountScanTest, ReadsWhatOnlyADescriptorLeadsTo) {
  const std::optional<Held> held = Hold();
  if (!held.has_value()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";

  const absl::StatusOr<BindMounts> mounts = ReadBindMounts(*procfs_, Met(held->inode, held->fd));

  ASSERT_THAT(mounts, IsOk());
  EXPECT_THAT(mounts->examined, Gt(0));
}

// Whoever had the descriptor closed it, and has opened another namespace with the same number.
TEST_F(BindMountScanTest, DescriptorThatIsOpenOnAnotherNamespaceByNow) {
  const std::optional<Held> met = Hold();
  const std::optional<Held> now = Hold();
  if (!met.has_value() || !now.has_value()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";

  EXPECT_THAT(ReadBindMounts(*procfs_, Met(met->inode, now->fd)), HasErrno(ESTALE));
}

// What the kernel lists of a namespace by its id may be fewer mounts than there are; where the
// namespace cannot be opened either, they are all that there is.
TEST_F(BindMountScanTest, FewerThanWereCountedWhereNothingCanBeOpened) {
  const std::optional<Held> held = Hold();
  const std::optional<Held> other = Hold();
  if (!held.has_value() || !other.has_value()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  NamespaceTable::Known known = Met(held->inode, other->fd);
  const absl::StatusOr<uint64_t> id = base::MountNamespaceIdOf(held->fd);
  if (!id.ok()) GTEST_SKIP() << "the kernel tells no ids of mount namespaces";
  known.kernel_id = *id;
  known.mount_count = 1'000'000;
  mounttree::MountNamespace mounts;

  ASSERT_THAT(ReadBindMounts(*procfs_, known, &mounts), IsOk());

  EXPECT_EQ(mounts.kernel_id(), *id);
  EXPECT_THAT(mounts.mounts(), Not(IsEmpty()));
}

TEST_F(BindMountScanTest, FewerThanWereCountedAreLookedForInTheOpenOne) {
  const std::optional<Held> held = Hold();
  if (!held.has_value()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  NamespaceTable::Known known = Met(held->inode, held->fd);
  const absl::StatusOr<uint64_t> id = base::MountNamespaceIdOf(held->fd);
  if (!id.ok()) GTEST_SKIP() << "the kernel tells no ids of mount namespaces";
  known.kernel_id = *id;
  mounttree::MountNamespace whole;
  ASSERT_THAT(ReadBindMounts(*procfs_, known, &whole), IsOk());
  known.mount_count = 1'000'000;
  mounttree::MountNamespace mounts;

  ASSERT_THAT(ReadBindMounts(*procfs_, known, &mounts), IsOk());

  EXPECT_EQ(mounts.SerializeAsString(), whole.SerializeAsString());
}

// What one mount namespace takes is not there for the next one; its mounts are.
TEST_F(BindMountScanTest, LongTextsHaveOneBudgetForAll) {
  const std::optional<Held> held = Hold();
  if (!held.has_value()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  const NamespaceTable::Known known = Met(held->inode, held->fd);
  mounttree::MountNamespace whole, none;
  size_t plenty = size_t{1} << 30;
  size_t nothing = 0;

  ASSERT_THAT(ReadBindMounts(*procfs_, known, &whole, nullptr, &plenty), IsOk());
  const absl::StatusOr<BindMounts> mounts =
      ReadBindMounts(*procfs_, known, &none, nullptr, &nothing);

  ASSERT_THAT(mounts, IsOk());
  EXPECT_EQ(none.mounts_size(), whole.mounts_size());
  const size_t taken = mounttree::LongTextBytes(whole, {});
  EXPECT_EQ(plenty, (size_t{1} << 30) - taken);
  EXPECT_EQ(nothing, 0u);
  EXPECT_EQ(mounttree::LongTextBytes(none, {}), 0u);
  EXPECT_EQ(none.gaps_size(), taken == 0 ? 0 : 1);
}

// The kernel deals inode numbers again, and its ids never.
TEST_F(BindMountScanTest, NumberThatIsAnotherNamespacesByNow) {
  const std::optional<Held> held = Hold();
  if (!held.has_value()) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  NamespaceTable::Known known = Met(held->inode, held->fd);
  known.kernel_id = 1;

  EXPECT_THAT(ReadBindMounts(*procfs_, known), HasErrno(ESTALE));
}

}  // namespace
}  // namespace nsctl::nsdisc
