#include "nsdisc/census_check.h"

#include <errno.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "nsdisc/namespace_way.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;

constexpr int kLooks = 5;
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(10);

// By inode, which all that a scan finds has.
using Set = absl::flat_hash_set<std::pair<NamespaceType, uint32_t>>;

Set SetOf(const BpfCensus::Listing& listing) {
  Set set;
  for (const ListedNamespace& one : listing.namespaces) set.emplace(one.type, one.inode);
  return set;
}

void AddMissing(const absl::Status& missing, GapList* gaps) {
  if (missing.ok()) return;
  gaps->Add({}, "BPF census", absl::IsDeadlineExceeded(missing) ? ETIME : EOVERFLOW,
            "it was cut short: namespaces that nothing in sight holds may be missing");
}

void ForgetEnded(const Set& now, NamespaceTable* table) {
  for (const NamespaceTarget& listed : table->ListedOnly()) {
    if (!now.contains({listed.type, listed.inode})) table->Forget(listed);
  }
}

// A process that ends lets go of its namespaces one by one, and waits for the kernel to take down
// the mounts of the first; of the others nothing in sight holds them meanwhile. What stays is dark.
void Settle(BpfCensus& census, NamespaceTable* table) {
  for (int look = 0; look < kLooks && !table->ListedOnly().empty(); ++look) {
    absl::SleepFor(kBetweenLooks);
    const absl::StatusOr<BpfCensus::Listing> listing = census.List();
    if (!listing.ok() || !listing->missing.ok()) return;
    ForgetEnded(SetOf(*listing), table);
  }
}

bool Lives(const ListedNamespace& one, const procfsroot::Procfs& procfs, Lineage& lineage) {
  NamespaceWay way{.kind = NamespaceWay::Kind::kHandle};
  way.kernel_id = one.kernel_id;
  return lineage
      .Trace(procfs, way, {one.type, one.inode},
             [](NamespaceType, base::NamespaceId) { return true; })
      .ok();
}

}  // namespace

GapList CompareWithCensus(const BpfCensus::Listing& first, BpfCensus& census,
                          const procfsroot::Procfs& procfs, Lineage& lineage,
                          NamespaceTable* table) {
  GapList gaps;
  const absl::StatusOr<BpfCensus::Listing> second = census.List();
  if (!second.ok()) {
    const CensusFailure failure = DescribeFailure(second.status());
    gaps.Add({}, failure.operation, failure.error,
             "whether all that it found still lives is unknown");
    AddMissing(first.missing, &gaps);
    return gaps;
  }
  AddMissing(first.missing.ok() ? second->missing : first.missing, &gaps);
  if (!first.missing.ok() || !second->missing.ok()) return gaps;

  const Set before = SetOf(first);
  const Set now = SetOf(*second);
  ForgetEnded(now, table);
  Settle(census, table);
  std::vector<ListedNamespace> unlisted;
  table->ForEachKernelId([&](NamespaceType type, uint64_t id, uint32_t inode) {
    if (before.contains({type, inode}) || now.contains({type, inode})) return;
    unlisted.push_back({type, id, inode});
  });
  // Else it came and went between the two.
  std::erase_if(unlisted, [&](const ListedNamespace& one) { return !Lives(one, procfs, lineage); });
  for (const ListedNamespace& one : unlisted) {
    gaps.Add({.kind = GapSubject::kNamespace, .number = one.inode, .type = one.type}, "BPF census",
             ENOENT,
             "it lives and the census lacks it: other namespaces may be missing there, too");
  }
  return gaps;
}

}  // namespace nsctl::nsdisc
