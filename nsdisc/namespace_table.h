// Turns what was seen of namespaces into namespaces with holders, leaders, owners and parents.
//
// Steps, in this order: AddProcesses; any number of times the other Add* and Trace; Finish; MoveTo.

#ifndef NSCTL_NSDISC_NAMESPACE_TABLE_H_
#define NSCTL_NSDISC_NAMESPACE_TABLE_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/lineage.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/namespace_way.h"
#include "nsdisc/process.pb.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/users.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// Of each list of holders of one namespace this many are kept; all are counted.
inline constexpr int kMaxHoldersListed = 10'000;

class NamespaceTable {
 public:
  // Enters every namespace that `processes`, ordered by PID, and their threads are in or will
  // create children in, with its leaders, loose threads and counts.
  void AddProcesses(const google::protobuf::RepeatedPtrField<Process>& processes);

  // A namespace that a descriptor, a socket or a TUN/TAP file (`holder.kind`) keeps alive. Calls
  // for the same namespace come in the order of the lists that they fill.
  void AddFdHolder(const NamespaceTarget& target, const FdHolder& holder);

  // A namespace that is mounted somewhere, and the way to the mount (kPath); nullopt where no path
  // leads to it.
  void AddBindMount(const NamespaceTarget& target, const BindMount& mount,
                    std::optional<NamespaceWay> way);

  // A namespace that a list of the kernel's has. Its inode is known.
  void AddListed(SourceReport::Source source, const NamespaceTarget& target, uint64_t kernel_id);

  // Adds owner, parent, creator and ids to every namespace that has none yet and for which there is
  // a new way to it, and every namespace that is found upward, until the chains end. `users` may be
  // nullptr.
  void Trace(const procfsroot::Procfs& procfs, Lineage& lineage, const UserNames* users);

  // The namespace is in the table.
  bool Has(const NamespaceTarget& target) const { return Find(target) != nullptr; }
  // Every namespace of `type`, by inode. Ways: those that are known, the one that worked first.
  struct Known {
    NamespaceTarget target;
    // It was opened and asked about.
    bool traced = false;
    // 0 where unknown.
    uint64_t kernel_id = 0;
    // mnt only, 0 where unknown: as Namespace.mount_count.
    uint32_t mount_count = 0;
    std::vector<NamespaceWay> ways;
    // The paths of the best way that has some.
    std::vector<std::string> reference;
  };
  std::vector<Known> All(const procfsroot::Procfs& procfs, base::NamespaceType type) const;
  // Every id that the kernel gave to a namespace in the table, and the namespace's inode.
  void ForEachKernelId(
      absl::FunctionRef<void(base::NamespaceType, uint64_t id, uint32_t inode)> call) const;
  // The message of a namespace in the table, to add to; nullptr where it is not there.
  Namespace* Mutable(const NamespaceTarget& target);

  // Namespaces that only the kernel's lists have, as far as is known by now.
  std::vector<NamespaceTarget> ListedOnly() const;
  // Says of a namespace that something holds it that is in no list of holders: a process that
  // started after the others were looked at.
  void MarkSeen(const NamespaceTarget& target);
  // Takes a namespace out that only the kernel's lists had, and that has ended since.
  void Forget(const NamespaceTarget& target);

  struct Losses {
    GapList gaps;
    // Namespaces whose last known holder ended, or left, before they could be opened.
    uint32_t vanished_namespaces = 0;
    // Namespaces that each source showed first, indexed by SourceReport::Source.
    std::array<uint32_t, SourceReport::Source_ARRAYSIZE> found = {};
  };
  // Adds references and children, tells the dark namespaces (where `tells_dark`), and says what is
  // missing. Drops namespaces that were listed and are gone.
  Losses Finish(const procfsroot::Procfs& procfs, bool tells_dark);

  // Moves the namespaces of `types` (empty: all) into `namespaces`, in the schema's order.
  void MoveTo(absl::Span<const base::NamespaceType> types,
              google::protobuf::RepeatedPtrField<Namespace>* namespaces);

 private:
  struct Leader {
    uint64_t start_time = 0;
    pid_t pid = 0;
    friend auto operator<=>(const Leader&, const Leader&) = default;
  };
  struct Entry {
    base::NamespaceType type;
    uint32_t inode = 0;
    Namespace message;
    // What showed it first.
    SourceReport::Source source = SourceReport::unspecified;
    std::vector<Leader> leaders;
    // Ways other than through a leader, in the order in which they were met, the best first.
    std::vector<NamespaceWay> other_ways;
    // How many of all ways were tried, and why the last one failed.
    size_t tried_ways = 0;
    int error = 0;
    // The first of the kernel threads is in it.
    bool has_kernel_thread = false;
    bool traced = false;
    // Something that the scan can see holds it, or one that it owns or is the parent of.
    bool seen = false;
  };

  static uint64_t KeyOf(base::NamespaceType type, uint32_t inode) {
    return uint64_t{static_cast<uint8_t>(type)} << 32 | inode;
  }
  Entry& FindOrAdd(SourceReport::Source source, base::NamespaceType type, uint32_t inode);
  const Entry* Find(const NamespaceTarget& target) const;
  std::vector<Entry*> SortedEntries() const;
  void AddProcess(const Process& process, const Process* parent);
  void AddThread(const Process& process, const Thread& thread);
  void AddWay(Entry& entry, NamespaceWay way);
  void FinishLeaders();
  void MarkInitial();
  static std::vector<NamespaceWay> WaysOf(const Entry& entry);
  static std::vector<NamespaceWay> WorkingWaysOf(const Entry& entry);
  static std::vector<std::string> BestReference(const Entry& entry,
                                                const procfsroot::Procfs& procfs);
  void TraceEntry(Entry& entry, const procfsroot::Procfs& procfs, Lineage& lineage,
                  const UserNames* users);
  void AddFacts(const NamespaceFacts& facts, const UserNames* users);
  void AddUserFacts(const NamespaceFacts& facts, const UserNames* users, Namespace* message);
  void DropVanishedListed();
  void LinkChildren();
  void MarkDark();
  void MarkSeenUpward(const Entry& entry);

  absl::flat_hash_map<uint64_t, std::unique_ptr<Entry>> entries_;
  // Some process or thread shows one; kernels may be built without.
  bool has_user_namespaces_ = false;
  Losses losses_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_TABLE_H_
