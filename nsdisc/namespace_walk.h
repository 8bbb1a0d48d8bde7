// A walk along the kernel's list of all namespaces of one type, in the kernel's memory.
//
// The program that does it copies the head of each member of the list, looking at nothing but the
// pointer to the next, until it is where it began. What the copies say is judged here, outside.

#ifndef NSCTL_NSDISC_NAMESPACE_WALK_H_
#define NSCTL_NSDISC_NAMESPACE_WALK_H_

#include <linux/bpf.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nsdisc/namespace_census.h"
#include "nsdisc/namespace_layout.h"

namespace nsctl::nsdisc {

// What of the instructions below is a program may be used under the MIT license or the GNU General
// Public License, version 2, as well: the kernel lets no other read its memory.
inline constexpr char kWalkLicense[] = "Dual MIT/GPL";

// A program for a raw tracepoint that is run, not attached (base/bpf.h). It notes up to `capacity`
// members in the one value of the array `map_fd`, which has WalkSize bytes.
// Needs Linux 6.9, whose verifier knows loops of unknown length (BPF_MAY_GOTO).
std::vector<bpf_insn> NamespaceWalkProgram(const NamespaceLayout& layout, int map_fd,
                                           uint32_t capacity);

uint32_t WalkSize(const NamespaceLayout& layout, uint32_t capacity);

// What makes it walk the list that `start` leads to, for that long at most.
std::array<uint64_t, 4> WalkArguments(const NamespaceLayout& layout,
                                      const NamespaceLayout::Start& start, absl::Duration time);

struct NamespaceWalk {
  // By id. Without those that are about to be freed or out of reach.
  std::vector<ListedNamespace> found;
  // The scanner's own namespace, where the walk began.
  ListedNamespace own;
  // It came back to where it began. If it did not, time or capacity ran out, or a pointer led
  // nowhere.
  bool complete = false;
  // It ended for want of capacity.
  bool is_full = false;
};

// Reads what the program noted.
// Errors: DATA_LOSS where that is not the list that it should be: the first member is no namespace
// of that type, or more than one in the circle, its head, is none.
absl::StatusOr<NamespaceWalk> ParseNamespaceWalk(const NamespaceLayout& layout,
                                                 base::NamespaceType type, uint32_t capacity,
                                                 absl::string_view noted);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_WALK_H_
