// Turns what processes and threads are in into namespaces with leaders, owners and parents.
//
// Steps, in this order: AddProcesses, Trace, MoveTo.

#ifndef NSCTL_NSDISC_NAMESPACE_TABLE_H_
#define NSCTL_NSDISC_NAMESPACE_TABLE_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/lineage.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/process.pb.h"
#include "nsdisc/users.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

class NamespaceTable {
 public:
  // Enters every namespace that `processes`, ordered by PID, and their threads are in or will
  // create children in, with its leaders, loose threads and counts.
  void AddProcesses(const google::protobuf::RepeatedPtrField<Process>& processes);

  struct TraceLosses {
    GapList gaps;
    // Namespaces whose last known member ended, or left, before they could be opened.
    uint32_t vanished_namespaces = 0;
  };
  // Adds owner, parent, creator and ids to every namespace, and every namespace that is found
  // upward, until the chains end. `users` may be nullptr.
  TraceLosses Trace(const procfsroot::Procfs& procfs, Lineage& lineage, const UserNames* users);

  // Moves the namespaces of `types` (empty: all) into `namespaces`, in the schema's order.
  void MoveTo(absl::Span<const base::NamespaceType> types,
              google::protobuf::RepeatedPtrField<Namespace>* namespaces);

 private:
  // A way to open a namespace: through a process, one of its threads, or where its children will
  // be.
  struct Holder {
    pid_t pid = 0;
    // 0: the process itself.
    pid_t tid = 0;
    bool for_children = false;
  };
  struct Leader {
    uint64_t start_time = 0;
    pid_t pid = 0;
    friend auto operator<=>(const Leader&, const Leader&) = default;
  };
  struct Entry {
    base::NamespaceType type;
    uint32_t inode = 0;
    Namespace message;
    std::vector<Leader> leaders;
    // Ways other than through a leader, in the order in which they were met.
    std::vector<Holder> other_holders;
    // A kernel thread is in it.
    bool has_kernel_thread = false;
    bool traced = false;
  };

  Entry& FindOrAdd(base::NamespaceType type, uint32_t inode);
  std::vector<Entry*> SortedEntries() const;
  void AddProcess(const Process& process, const Process* parent);
  void AddThread(const Process& process, const Thread& thread);
  void FinishLeaders();
  void MarkInitial();
  static std::vector<Holder> HoldersOf(const Entry& entry);
  static void SetReference(absl::Span<const Holder> holders, const procfsroot::Procfs& procfs,
                           Entry* entry);
  void TraceEntry(Entry& entry, const procfsroot::Procfs& procfs, Lineage& lineage,
                  const UserNames* users, TraceLosses* losses);
  void AddFacts(const NamespaceFacts& facts, const UserNames* users, GapList* gaps);
  void LinkChildren();

  absl::flat_hash_map<uint64_t, std::unique_ptr<Entry>> entries_;
  // Some process or thread shows one; kernels may be built without.
  bool has_user_namespaces_ = false;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_TABLE_H_
