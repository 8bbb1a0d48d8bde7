#include "cmd/snapshot_filter.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/text.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using google::protobuf::RepeatedPtrField;
using nsdisc::Gap;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::ScanOptions;
using nsdisc::Snapshot;
using nsdisc::Thread;

// Removes the elements of `field` that `drop` says yes to.
template <typename Message, typename Predicate>
void RemoveIf(RepeatedPtrField<Message>* field, const Predicate& drop) {
  // Moving a generated message swaps pointers.
  field->erase(std::remove_if(field->begin(), field->end(), drop), field->end());
}

void AddGap(const std::string& operation, const char* consequence, Snapshot* snapshot) {
  Gap* gap = snapshot->add_gaps();
  gap->set_subject("host");
  gap->set_operation(operation);
  gap->set_error("ENODATA");
  gap->set_consequence(consequence);
  gap->set_count(1);
}

// Gaps that were appended belong with the host's, which come first.
void PlaceGaps(Snapshot* snapshot) {
  RepeatedPtrField<Gap>& gaps = *snapshot->mutable_gaps();
  const auto key = [](const Gap& gap) {
    return std::tie(gap.operation(), gap.error(), gap.consequence());
  };
  const auto hosts_end = std::stable_partition(
      gaps.begin(), gaps.end(), [](const Gap& gap) { return gap.subject() == "host"; });
  std::stable_sort(gaps.begin(), hosts_end,
                   [&](const Gap& a, const Gap& b) { return key(a) < key(b); });
}

void AddGap(const std::string& operation, Snapshot* snapshot) {
  AddGap(operation, "the snapshot was taken without them", snapshot);
}

bool WasLookedFor(NamespaceType type, const ScanOptions& options) {
  return options.types().empty() || absl::c_linear_search(options.types(), nsdisc::ToProto(type));
}

bool HasLeft(const Thread& thread, const Process& process) {
  return absl::c_any_of(base::kNamespaceTypes, [&](const base::NamespaceTypeInfo& info) {
    const std::optional<uint32_t> inode = nsdisc::NamespaceOf(thread.namespaces(), info.type);
    return inode.has_value() && inode != nsdisc::NamespaceOf(process.namespaces(), info.type);
  });
}

void CountAgain(Snapshot* snapshot) {
  nsdisc::ScanStatistics* statistics = snapshot->mutable_statistics();
  statistics->set_namespaces(snapshot->namespaces_size());
  statistics->set_processes(snapshot->processes_size());
  statistics->set_gaps(snapshot->gaps_size());
  uint32_t threads = 0;
  for (const Process& process : snapshot->processes()) threads += process.threads_size();
  statistics->set_threads(threads);
  uint32_t mounts = 0;
  for (const mounttree::MountNamespace& ns : snapshot->mounts()) mounts += ns.mounts_size();
  statistics->set_mounts(mounts);
}

}  // namespace

void KeepTypes(const std::vector<NamespaceType>& types, Snapshot* snapshot) {
  RemoveIf(snapshot->mutable_namespaces(), [&](const Namespace& ns) {
    const std::optional<NamespaceType> type = nsdisc::FromProto(ns.type());
    return !type.has_value() || !absl::c_linear_search(types, *type);
  });
  if (!absl::c_linear_search(types, NamespaceType::kMnt)) snapshot->clear_mounts();
  snapshot->mutable_options()->clear_types();
  for (const NamespaceType type : types) {
    snapshot->mutable_options()->add_types(nsdisc::ToProto(type));
  }
  CountAgain(snapshot);
}

void KeepThreads(ScanOptions::Threads threads, Snapshot* snapshot) {
  if (threads >= snapshot->options().threads()) return;
  for (Process& process : *snapshot->mutable_processes()) {
    RemoveIf(process.mutable_threads(), [&](const Thread& thread) {
      return threads == ScanOptions::none || !HasLeft(thread, process);
    });
  }
  if (threads == ScanOptions::none) {
    for (Namespace& ns : *snapshot->mutable_namespaces()) ns.clear_loose_threads();
  }
  snapshot->mutable_options()->set_threads(threads);
  CountAgain(snapshot);
}

void KeepSections(const std::vector<std::string>& names, Snapshot* snapshot) {
  const google::protobuf::Reflection& reflection = *snapshot->GetReflection();
  std::set<std::string> left_out(snapshot->options().left_out().begin(),
                                 snapshot->options().left_out().end());
  for (const char* section : kSnapshotSections) {
    if (absl::c_linear_search(names, section)) continue;
    reflection.ClearField(snapshot, snapshot->GetDescriptor()->FindFieldByName(section));
    if (section == absl::string_view("processes")) snapshot->clear_cgroups();
    if (section == absl::string_view("containers")) {
      snapshot->clear_engines();
      snapshot->clear_pods();
      for (Process& process : *snapshot->mutable_processes()) process.clear_container();
    }
    // What was not asked for at all is no loss.
    const bool was_asked_for = section == absl::string_view("mounts") ? snapshot->options().mounts()
                               : section == absl::string_view("containers")
                                   ? snapshot->options().containers()
                                   : true;
    if (was_asked_for) left_out.insert(section);
  }
  snapshot->mutable_options()->mutable_left_out()->Assign(left_out.begin(), left_out.end());
  CountAgain(snapshot);
}

void AddRecordedTree(const std::string& directory, Snapshot* snapshot) {
  AddGap(absl::StrCat("scan of ", base::EncodeText(directory)),
         "it is a recorded tree, no procfs of this kernel: owners, parents and ids are unknown",
         snapshot);
  PlaceGaps(snapshot);
  CountAgain(snapshot);
}

void AddUnrecorded(const ScanScope& scope, Snapshot* snapshot) {
  for (const NamespaceType type : scope.types) {
    if (WasLookedFor(type, snapshot->options())) continue;
    AddGap(absl::StrCat("scan for ", base::InfoOf(type).name, " namespaces"), snapshot);
  }
  if (scope.threads.has_value() && *scope.threads > snapshot->options().threads()) {
    AddGap(absl::StrCat("scan for ", ScanOptions::Threads_Name(*scope.threads), " threads"),
           snapshot);
  }
  if (scope.mounts && !snapshot->options().mounts()) AddGap("scan for mounts", snapshot);
  if (scope.all_capability_sets && !snapshot->options().all_capability_sets()) {
    AddGap("scan for all sets of capabilities", snapshot);
  }
  for (const std::string& section : snapshot->options().left_out()) {
    AddGap(absl::StrCat("read ", section), "the snapshot was written without them", snapshot);
  }
  const bool has_bpf = absl::c_any_of(snapshot->statistics().sources(), [](const auto& report) {
    return report.source() == nsdisc::SourceReport::bpf &&
           report.state() != nsdisc::SourceReport::off;
  });
  if (scope.bpf_census && !has_bpf) AddGap("BPF census", snapshot);
  PlaceGaps(snapshot);
  CountAgain(snapshot);
}

}  // namespace nsctl::cmd
