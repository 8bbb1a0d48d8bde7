// Holds a census of the kernel's memory against what else is known: neither is believed alone.

#ifndef NSCTL_NSDISC_CENSUS_CHECK_H_
#define NSCTL_NSDISC_CENSUS_CHECK_H_

#include "nsdisc/bpf_census.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/lineage.h"
#include "nsdisc/namespace_table.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// `first` was taken before all else and is in `table`; a second one is taken now, when all sources
// have been asked. Namespaces that only lists of the kernel had and that are not in the second one
// have ended, and leave the table; those that are left are given 50 ms to end, too. What is in the
// table, is in neither and still lives is a gap, and so is what the census itself could not see.
GapList CompareWithCensus(const BpfCensus::Listing& first, BpfCensus& census,
                          const procfsroot::Procfs& procfs, Lineage& lineage,
                          NamespaceTable* table);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_CENSUS_CHECK_H_
