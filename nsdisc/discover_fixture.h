// Discovery on the running kernel, for tests.

#ifndef NSCTL_NSDISC_DISCOVER_FIXTURE_H_
#define NSCTL_NSDISC_DISCOVER_FIXTURE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

class DiscoverFixture : public ::testing::Test {
 protected:
  // A scan of the live procfs, which is checked (snapshot_io.h).
  static std::unique_ptr<Snapshot> Scan(const DiscoverOptions& options = {});

  // nullptr where `snapshot` has it not.
  static const Namespace* Find(const Snapshot& snapshot, base::NamespaceType type, uint32_t inode);
};

// Of the namespace that `fd` is open on.
uint32_t InodeOf(base::FdRef fd);

// A new namespace that only the returned descriptor keeps alive. Errors: those of TestChild::Start.
absl::StatusOr<base::OwnedFd> OpenOrphan(int clone_flag, base::NamespaceType type);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DISCOVER_FIXTURE_H_
