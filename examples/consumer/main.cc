// Prints every namespace of this host with its owner: what a program of another repository needs to
// use nsctl's discovery.

#include <iostream>
#include <memory>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "nsdisc/discover.h"
#include "nsdisc/questions.h"
#include "nsdisc/snapshot_index.h"
#include "procfsroot/procfs.h"

int main() {
  const absl::StatusOr<nsctl::procfsroot::Procfs> procfs = nsctl::procfsroot::Procfs::Live();
  if (!procfs.ok()) {
    std::cerr << procfs.status() << "\n";
    return 1;
  }
  nsctl::nsdisc::KernelQuestions kernel;
  const absl::StatusOr<std::unique_ptr<nsctl::nsdisc::Snapshot>> snapshot =
      nsctl::nsdisc::Discover(*procfs, kernel.For(*procfs), {});
  if (!snapshot.ok()) {
    std::cerr << snapshot.status() << "\n";
    return 1;
  }
  for (const nsctl::nsdisc::Namespace& ns : (*snapshot)->namespaces()) {
    const auto type = nsctl::nsdisc::FromProto(ns.type());
    if (!type.has_value()) continue;
    std::cout << nsctl::base::NamespaceLinkText(*type, ns.inode());
    if (ns.has_owner()) {
      std::cout << " owned by "
                << nsctl::base::NamespaceLinkText(nsctl::base::NamespaceType::kUser, ns.owner());
    }
    std::cout << "\n";
  }
  return 0;
}
