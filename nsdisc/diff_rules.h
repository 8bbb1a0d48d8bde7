// What a comparison of snapshots leaves out, and what one side of it does not know.

#ifndef NSCTL_NSDISC_DIFF_RULES_H_
#define NSCTL_NSDISC_DIFF_RULES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {

// True for fields by which elements of `section` are told apart.
bool IsIdentity(absl::string_view section, absl::string_view path);

// True for fields that follow from other changes, or only count, or change all the time.
bool IsImplied(absl::string_view section, absl::string_view path);

// One snapshot and what it does not know. Borrows the snapshot.
class DiffSide {
 public:
  explicit DiffSide(const Snapshot& snapshot);

  const Snapshot& snapshot() const { return snapshot_; }
  const SnapshotIndex& index() const { return index_; }
  const PidMap& pids() const { return pids_; }

  // Processes may be hidden from its scanner.
  bool hides_processes() const { return hides_processes_; }

  // The source was looked at.
  bool Used(SourceReport::Source source) const;

  // Something about the subject ("pid:12") could not be read.
  bool HasGap(const std::string& subject) const { return gaps_.contains(subject); }

  // Where `path` of a process or namespace has no value here: whether that is for lack of
  // knowledge.
  bool IsUnknown(const Process& process, absl::string_view path) const;
  bool IsUnknown(const Namespace& ns, absl::string_view path) const;

  // Tells which process here each of `other` is. Before WhyUnseen.
  void SetCounterparts(const DiffSide& other,
                       const absl::flat_hash_map<const Process*, const Process*>& counterparts);

  // Where a namespace that `other` has is not here: why it may be there all the same; empty where
  // it is not.
  std::string WhyUnseen(const Namespace& ns, const DiffSide& other) const;

 private:
  std::string WhyMembersAreUnseen(const Namespace& ns, const DiffSide& other) const;
  std::string WhyHoldersAreUnseen(const Namespace& ns, const DiffSide& other) const;
  std::string WhyRelativesAreUnseen(const Namespace& ns, const DiffSide& other) const;

  const Snapshot& snapshot_;
  const SnapshotIndex index_;
  const PidMap pids_;
  absl::flat_hash_set<std::string> gaps_;
  bool hides_processes_ = false;
  // Processes whose namespaces could not be read, but for those of which the other side does not
  // know them either, and so has nothing from them.
  std::vector<const Process*> veiled_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DIFF_RULES_H_
