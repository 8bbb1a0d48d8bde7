// Reads a list of 64-bit ids that the kernel gives out piece by piece: listmount(2), listns(2).

#ifndef NSCTL_BASE_COLLECT_IDS_H_
#define NSCTL_BASE_COLLECT_IDS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace nsctl::base {

// Asks `list(after, out)` until it has given all: it writes the ids that follow `after` (0 for the
// first ones) to `out` and returns their number, fewer than `out` holds only at the end. The result
// is in the order given.
//
// Errors: what `list` returns; RESOURCE_EXHAUSTED where there are more than `limit`.
// Races: an id that comes or goes between two calls may be in the result or not; every id that is
// there all the time is in it once.
absl::StatusOr<std::vector<uint64_t>> CollectIds(
    size_t limit,
    absl::FunctionRef<absl::StatusOr<size_t>(uint64_t after, absl::Span<uint64_t> out)> list);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_COLLECT_IDS_H_
