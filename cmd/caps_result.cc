#include "cmd/caps_result.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/namespace_type.h"
#include "cmd/capabilities.h"
#include "cmd/caps_rule.h"
#include "cmd/labels.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Capabilities;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::Snapshot;
using nsdisc::SnapshotIndex;

constexpr uint32_t kHighestBit = 63;

class ReportBuilder {
 public:
  ReportBuilder(const SnapshotIndex& index, const CapsRequest& request)
      : snapshot_(index.snapshot()), index_(index), process_(*request.process), request_(request) {
    // Files from kernels, or scanners, that do not tell.
    last_ = snapshot_.host().has_last_capability()
                ? std::min(snapshot_.host().last_capability(), kHighestBit)
                : static_cast<uint32_t>(kLastNamedCapability);
  }

  CapabilityReport Build() {
    *report_.mutable_taken_at() = snapshot_.taken_at();
    *report_.mutable_host() = snapshot_.host();
    report_.set_last_capability(last_);
    AddProcess();
    const Namespace target = Target();
    *report_.mutable_verdict() = VerdictOn(target);
    AddRows(target);
    if (request_.target == nullptr) AddOthers();
    AddGaps(target);
    return std::move(report_);
  }

 private:
  uint64_t All() const { return ~uint64_t{0} >> (kHighestBit - last_); }

  void Fill(uint64_t mask, CapabilitySet* set) const {
    set->set_mask(absl::StrFormat("%016x", mask));
    for (std::string& name : CapabilityNames(mask)) *set->add_names() = std::move(name);
    set->set_all((mask & All()) == All());
  }

  void AddProcess() {
    *report_.mutable_process() = process_;
    report_.mutable_process()->clear_cgroups();
    report_.mutable_process()->clear_container();
    report_.mutable_process()->clear_threads();
    report_.mutable_process()->clear_capabilities();
    if (request_.securebits.has_value()) report_.set_securebits(*request_.securebits);
    if (!process_.has_capabilities()) return;
    const Capabilities& sets = process_.capabilities();
    Fill(sets.effective(), report_.mutable_effective());
    Fill(sets.permitted(), report_.mutable_permitted());
    Fill(sets.inheritable(), report_.mutable_inheritable());
    if (sets.has_bounding()) Fill(sets.bounding(), report_.mutable_bounding());
    if (sets.has_ambient()) Fill(sets.ambient(), report_.mutable_ambient());
    if (sets.has_no_new_privileges()) {
      report_.set_no_new_privileges(sets.no_new_privileges());
    }
  }

  // A user namespace that the snapshot may not have: it lists those that could be seen.
  Namespace UserNamespace(uint32_t inode) const {
    const Namespace* const found = index_.FindNamespace(NamespaceType::kUser, inode);
    if (found != nullptr) return *found;
    Namespace ns;
    ns.set_type(Namespace::user);
    ns.set_inode(inode);
    return ns;
  }

  Namespace Target() const {
    return request_.target != nullptr ? *request_.target
                                      : UserNamespace(process_.namespaces().user());
  }

  // The sets that count by `rule`.
  void FillSets(CapabilityReport::Rule rule, CapabilityReport::Verdict* verdict) const {
    switch (rule) {
      case CapabilityReport::creator:
        Fill(All(), verdict->mutable_effective());
        Fill(All(), verdict->mutable_permitted());
        return;
      case CapabilityReport::ancestor:
      case CapabilityReport::unrelated:
        Fill(0, verdict->mutable_effective());
        Fill(0, verdict->mutable_permitted());
        return;
      case CapabilityReport::own:
      case CapabilityReport::descendant:
        if (!process_.has_capabilities()) return;
        Fill(process_.capabilities().effective(), verdict->mutable_effective());
        Fill(process_.capabilities().permitted(), verdict->mutable_permitted());
        return;
      default:
        return;
    }
  }

  CapabilityReport::Verdict VerdictOn(const Namespace& target) const {
    CapabilityReport::Verdict verdict;
    Namespace* const out = verdict.mutable_target();
    out->set_type(target.type());
    out->set_inode(target.inode());
    if (target.has_kernel_id()) out->set_kernel_id(target.kernel_id());
    if (target.has_owner()) out->set_owner(target.owner());
    const std::optional<uint32_t> user = UserNamespaceFor(target);
    if (user.has_value()) verdict.set_user_namespace(*user);
    const CapsRuling ruling = RuleOn(index_, process_, target);
    verdict.set_rule(ruling.rule);
    verdict.set_reason(ruling.reason);
    FillSets(ruling.rule, &verdict);
    return verdict;
  }

  void AddNamespaceRow(const Namespace& ns, uint32_t depth, bool is_target) {
    CapabilityReport::Row* const row = report_.add_rows();
    row->set_depth(depth);
    *row->mutable_namespace_() = ns;
    row->set_is_target(is_target);
    if (const Process* const process = index_.RepresentativeOf(ns)) {
      *row->mutable_representative() = *process;
      row->mutable_representative()->clear_cgroups();
      row->mutable_representative()->clear_container();
      row->mutable_representative()->clear_threads();
      row->mutable_representative()->clear_capabilities();
    }
    if (ns.type() != Namespace::user) return;
    CapabilityReport::Verdict verdict = VerdictOn(ns);
    row->set_rule(verdict.rule());
    if (verdict.has_effective())
      *row->mutable_effective() = std::move(*verdict.mutable_effective());
  }

  // `chain` goes upward and ends below what is drawn already.
  uint32_t AddChain(const std::vector<uint32_t>& chain, uint32_t depth, const Namespace& target) {
    for (auto inode = chain.rbegin(); inode != chain.rend(); ++inode) {
      const bool is_target = target.type() == Namespace::user && target.inode() == *inode;
      AddNamespaceRow(UserNamespace(*inode), depth++, is_target);
    }
    return depth;
  }

  void AddRows(const Namespace& target) {
    std::vector<uint32_t> to_process;
    if (process_.namespaces().has_user()) {
      to_process = UserNamespacesUpFrom(index_, process_.namespaces().user());
    }
    std::vector<uint32_t> to_target;
    if (const auto user = UserNamespaceFor(target)) {
      to_target = UserNamespacesUpFrom(index_, *user);
    }
    const auto common = absl::c_find_if(
        to_target, [&](uint32_t inode) { return absl::c_linear_search(to_process, inode); });
    uint32_t depth = 0;
    if (common != to_target.end()) {
      to_process.erase(absl::c_find(to_process, *common), to_process.end());
      const std::vector<uint32_t> top = {*common};
      to_target.erase(common, to_target.end());
      depth = AddChain(top, 0, target);
    }
    CapabilityReport::Row process;
    process.set_depth(AddChain(to_process, depth, target));
    *report_.add_rows() = process;
    const uint32_t below = AddChain(to_target, depth, target);
    if (target.type() != Namespace::user) AddNamespaceRow(target, below, true);
  }

  void AddOthers() {
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      const std::optional<uint32_t> inode = nsdisc::NamespaceOf(process_.namespaces(), info.type);
      if (info.type == NamespaceType::kUser || !inode.has_value()) continue;
      Namespace unseen;
      unseen.set_type(nsdisc::ToProto(info.type));
      unseen.set_inode(*inode);
      const Namespace* const ns = index_.FindNamespace(info.type, *inode);
      *report_.add_others() = VerdictOn(ns == nullptr ? unseen : *ns);
    }
  }

  void AddGap(const std::string& subject, const std::string& operation,
              const std::string& consequence) {
    nsdisc::Gap* const gap = report_.add_gaps();
    gap->set_subject(subject);
    gap->set_operation(operation);
    gap->set_error("ENODATA");
    gap->set_consequence(consequence);
    gap->set_count(1);
  }

  // The snapshot's gaps that are about something here, and what this answer itself lacks.
  void AddGaps(const Namespace& target) {
    std::set<std::string> subjects = {"host", absl::StrCat("pid:", process_.pid()),
                                      NamespaceText(target)};
    for (const CapabilityReport::Row& row : report_.rows()) {
      if (row.has_namespace_()) subjects.insert(NamespaceText(row.namespace_()));
    }
    for (const nsdisc::Gap& gap : snapshot_.gaps()) {
      if (subjects.contains(gap.subject())) *report_.add_gaps() = gap;
    }
    const std::string subject = absl::StrCat("pid:", process_.pid());
    const CapabilityReport::Verdict& verdict = report_.verdict();
    if (verdict.rule() == CapabilityReport::unknown) {
      AddGap(subject, "judge capabilities", verdict.reason());
    }
    if (!process_.has_capabilities()) {
      AddGap(subject, "read capabilities",
             snapshot_.options().capabilities() ? "its capabilities are unknown"
                                                : "the snapshot was taken without capabilities");
    } else if (!process_.capabilities().has_bounding()) {
      AddGap(subject, "read bounding and ambient capabilities",
             "the snapshot was taken without them: \"nsctl snapshot --capabilities\"");
    }
  }

  const Snapshot& snapshot_;
  const SnapshotIndex& index_;
  const Process& process_;
  const CapsRequest& request_;
  uint32_t last_ = 0;
  CapabilityReport report_;
};

}  // namespace

CapabilityReport BuildCapabilityReport(const SnapshotIndex& index, const CapsRequest& request) {
  return ReportBuilder(index, request).Build();
}

}  // namespace nsctl::cmd
