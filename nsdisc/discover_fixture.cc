#include "nsdisc/discover_fixture.h"

#include <errno.h>
#include <sched.h>

#include <utility>

#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "nsdisc/questions.h"
#include "nsdisc/snapshot_index.h"
#include "nsdisc/snapshot_io.h"
#include "procfsroot/procfs.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {

using base::NamespaceType;
using procfsroot::Procfs;
using testing::IsOk;

namespace {

// Nobody is in a time namespace by making it: it is for children.
absl::StatusOr<base::OwnedFd> OpenTimeOrphan() {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(0, [] {
    return unshare(static_cast<int>(base::InfoOf(NamespaceType::kTime).clone_flag)) == 0 ? 0
                                                                                         : errno;
  });
  if (!child.ok()) return child.status();
  absl::StatusOr<base::OwnedFd> ns = child->Open("ns/time_for_children");
  child->Stop();
  return ns;
}

}  // namespace

std::unique_ptr<Snapshot> DiscoverFixture::Scan(const DiscoverOptions& options) {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  EXPECT_THAT(procfs, IsOk());
  KernelQuestions kernel;
  absl::StatusOr<std::unique_ptr<Snapshot>> snapshot =
      Discover(*procfs, kernel.For(*procfs), options);
  EXPECT_THAT(snapshot, IsOk());
  EXPECT_THAT(CheckSnapshot(**snapshot), IsOk());
  return *std::move(snapshot);
}

const Namespace* DiscoverFixture::Find(const Snapshot& snapshot, NamespaceType type,
                                       uint32_t inode) {
  return SnapshotIndex(snapshot).FindNamespace(type, inode);
}

uint32_t InodeOf(base::FdRef fd) {
  const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(fd);
  EXPECT_THAT(id, IsOk());
  return id.ok() ? id->inode : 0;
}

absl::StatusOr<base::OwnedFd> OpenOrphan(int clone_flag, NamespaceType type) {
  if (type == NamespaceType::kTime) return OpenTimeOrphan();
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(clone_flag);
  if (!child.ok()) return child.status();
  absl::StatusOr<base::OwnedFd> ns = child->OpenNamespace(type);
  child->Stop();
  return ns;
}

}  // namespace nsctl::nsdisc
