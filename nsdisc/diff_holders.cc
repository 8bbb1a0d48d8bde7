#include "nsdisc/diff_holders.h"

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using google::protobuf::RepeatedPtrField;

enum class Fate {
  // The other side has it, or would have.
  kComparable,
  kUnseen,
  // What happened to it follows from another change.
  kImplied,
};

class Splitter {
 public:
  Splitter(const DiffSide& own, const DiffSide& other, bool gone, const HolderRules& rules)
      : own_(own), other_(other), gone_(gone), rules_(rules) {}

  template <typename Holder>
  void Split(const RepeatedPtrField<Holder>& mine, const RepeatedPtrField<Holder>& others,
             RepeatedPtrField<Holder>* comparable, RepeatedPtrField<Holder>* unseen) const {
    absl::flat_hash_set<std::string> known;
    for (const Holder& holder : others) known.insert(holder.SerializeAsString());
    comparable->Clear();
    for (const Holder& holder : mine) {
      const Fate fate =
          known.contains(holder.SerializeAsString()) ? Fate::kComparable : FateOf(holder);
      if (fate == Fate::kComparable) *comparable->Add() = holder;
      if (fate == Fate::kUnseen) *unseen->Add() = holder;
    }
  }

 private:
  Fate FateOf(const FdHolder& holder) const {
    const bool is_socket = holder.kind() == FdHolder::socket;
    if (!other_.Used(is_socket ? SourceReport::sockets : SourceReport::fds)) return Fate::kUnseen;
    if (!rules_.same_pids || other_.HasGap(absl::StrCat("pid:", holder.pid()))) {
      return Fate::kUnseen;
    }
    const Process* const mine = own_.index().FindProcess(holder.pid());
    const Process* const others = other_.index().FindProcess(holder.pid());
    if (mine == nullptr) return Fate::kComparable;
    if (others != nullptr && mine->start_time() == others->start_time()) return Fate::kComparable;
    if (other_.hides_processes()) return Fate::kUnseen;
    return gone_ && rules_.leave_out_implied ? Fate::kImplied : Fate::kComparable;
  }

  Fate FateOf(const BindMount& mount) const {
    if (!other_.Used(SourceReport::bind_mounts)) return Fate::kUnseen;
    const uint32_t inode = mount.mount_namespace();
    if (other_.HasGap(base::NamespaceLinkText(NamespaceType::kMnt, inode))) return Fate::kUnseen;
    const Namespace* const mine = own_.index().FindNamespace(NamespaceType::kMnt, inode);
    const Namespace* const others = other_.index().FindNamespace(NamespaceType::kMnt, inode);
    if (others != nullptr) return Fate::kComparable;
    if (mine == nullptr) return Fate::kComparable;
    if (!other_.WhyUnseen(*mine, own_).empty()) return Fate::kUnseen;
    return rules_.leave_out_implied ? Fate::kImplied : Fate::kComparable;
  }

  const DiffSide& own_;
  const DiffSide& other_;
  const bool gone_;
  const HolderRules& rules_;
};

}  // namespace

SplitHolders SplitByKnowledge(const Namespace& ns, const DiffSide& own,
                              const Namespace& counterpart, const DiffSide& other, bool gone,
                              const HolderRules& rules) {
  const Splitter splitter(own, other, gone, rules);
  SplitHolders split;
  split.comparable = ns;
  splitter.Split(ns.fds(), counterpart.fds(), split.comparable.mutable_fds(),
                 split.unseen.mutable_fds());
  splitter.Split(ns.sockets(), counterpart.sockets(), split.comparable.mutable_sockets(),
                 split.unseen.mutable_sockets());
  splitter.Split(ns.bind_mounts(), counterpart.bind_mounts(),
                 split.comparable.mutable_bind_mounts(), split.unseen.mutable_bind_mounts());
  return split;
}

}  // namespace nsctl::nsdisc
