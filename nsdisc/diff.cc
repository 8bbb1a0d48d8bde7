#include "nsdisc/diff.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nsdisc/diff_containers.h"
#include "nsdisc/diff_filter.h"
#include "nsdisc/diff_holders.h"
#include "nsdisc/diff_matching.h"
#include "nsdisc/diff_rules.h"
#include "nsdisc/message_diff.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using google::protobuf::FieldDescriptor;

std::string SubjectOf(const Namespace& ns) {
  const std::optional<NamespaceType> type = FromProto(ns.type());
  return type.has_value() ? base::NamespaceLinkText(*type, ns.inode())
                          : absl::StrCat("namespace ", ns.inode());
}
std::string SubjectOf(const Process& process) { return absl::StrCat("pid:", process.pid()); }

// The order of a section.
std::tuple<int, uint64_t> KeyOf(const Namespace& ns) {
  return {static_cast<int>(ns.type()), ns.inode()};
}
std::tuple<int, uint64_t> KeyOf(const Process& process) {
  return {0, static_cast<uint64_t>(process.pid())};
}

class Differ {
 public:
  Differ(const Snapshot& before, const Snapshot& after, const DiffOptions& options)
      : before_(before), after_(after), options_(options), filter_(options) {}

  SnapshotDiff Diff() {
    DescribeSides();
    FindLimits();
    const Matching<Process> processes = MatchProcesses(before_, after_);
    same_pids_ = HaveSamePidNamespace(before_, after_);
    Introduce(processes);
    const google::protobuf::Descriptor& type = *Snapshot::descriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (!IsSection(field) || filter_.IsIgnored(field.name(), "")) continue;
      if (field.name() == "namespaces") {
        DiffNamespaces();
      } else if (field.name() == "processes") {
        DiffProcesses(processes);
      } else if (field.name() == "containers" && options_.types.empty()) {
        CompareContainers();
      } else if (options_.types.empty()) {
        DiffElements(field);
      }
    }
    diff_.set_equal(absl::c_all_of(
        diff_.changes(), [](const Change& change) { return change.kind() == Change::unknown; }));
    return std::move(diff_);
  }

 private:
  static void Describe(const Snapshot& snapshot, SnapshotDiff::Side* side) {
    *side->mutable_taken_at() = snapshot.taken_at();
    *side->mutable_host() = snapshot.host();
    *side->mutable_options() = snapshot.options();
  }
  void DescribeSides() {
    Describe(before_.snapshot(), diff_.mutable_before());
    Describe(after_.snapshot(), diff_.mutable_after());
  }

  void AddGap(const std::string& operation, const std::string& consequence) {
    Gap* const gap = diff_.add_gaps();
    gap->set_subject("host");
    gap->set_operation(operation);
    gap->set_error("ENODATA");
    gap->set_consequence(consequence);
    gap->set_count(1);
  }

  // What only one of the snapshots was taken with is not compared.
  void FindLimits() {
    const Snapshot& a = before_.snapshot();
    const Snapshot& b = after_.snapshot();
    if (a.host().boot_id().empty() || b.host().boot_id().empty()) {
      AddGap("compare boots", "whether both are of the same boot is unknown");
    }
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      if (!options_.types.empty() && !absl::c_linear_search(options_.types, info.type)) continue;
      const bool looked = WasLookedFor(a, info.type) && WasLookedFor(b, info.type);
      if (looked) {
        types_.push_back(info.type);
      } else {
        AddGap(absl::StrCat("compare ", info.name, " namespaces"),
               "not both snapshots were taken with them");
      }
    }
    if (a.options().threads() != b.options().threads()) {
      filter_.LeaveOut("processes.threads");
      AddGap("compare threads", "the snapshots were taken with different threads");
    }
    if (a.options().capabilities() != b.options().capabilities()) {
      filter_.LeaveOut("processes.capabilities");
      AddGap("compare capabilities", "not both snapshots were taken with them");
    } else if (a.options().all_capability_sets() != b.options().all_capability_sets()) {
      for (const char* set : {"bounding", "ambient", "no_new_privileges"}) {
        filter_.LeaveOut(absl::StrCat("processes.capabilities.", set));
      }
      AddGap("compare bounding and ambient capabilities",
             "not both snapshots were taken with them");
    }
    for (const std::string& section : LeftOut(a, b)) {
      filter_.LeaveOut(section);
      AddGap(absl::StrCat("compare ", section), "not both snapshots have them");
    }
  }

  static std::set<std::string> LeftOut(const Snapshot& a, const Snapshot& b) {
    std::set<std::string> sections(a.options().left_out().begin(), a.options().left_out().end());
    sections.insert(b.options().left_out().begin(), b.options().left_out().end());
    return sections;
  }

  static bool WasLookedFor(const Snapshot& snapshot, NamespaceType type) {
    return snapshot.options().types().empty() ||
           absl::c_linear_search(snapshot.options().types(), ToProto(type));
  }

  bool IsLeftOut(const Process& process, const DiffSide& side) const {
    if (options_.all) return false;
    return process.kernel_thread() || IsScanner(process, side);
  }

  // The scanner, or a process that has the same command line and waits for it: nsctl runs apart
  // from whoever called it what may never end.
  static bool IsScanner(const Process& process, const DiffSide& side) {
    const int32_t pid = side.snapshot().scanner().pid();
    if (pid == 0) return false;
    if (process.pid() == pid) return true;
    const Process* const scanner = side.index().FindProcess(pid);
    return scanner != nullptr && scanner->parent_pid() == process.pid() &&
           !process.command_line().empty() &&
           absl::c_equal(process.command_line(), scanner->command_line());
  }

  void Introduce(const Matching<Process>& processes) {
    absl::flat_hash_map<const Process*, const Process*> forth;
    absl::flat_hash_map<const Process*, const Process*> back;
    for (const auto& [a, b] : processes.pairs) {
      forth[a] = b;
      back[b] = a;
    }
    after_.SetCounterparts(before_, forth);
    before_.SetCounterparts(after_, back);
  }

  void DiffNamespaces() {
    const Matching<Namespace> matching = MatchNamespaces(before_, after_, types_);
    // Where other types are left out, nothing else tells of their changes.
    const HolderRules rules = {.same_pids = same_pids_,
                               .leave_out_implied = !options_.all && options_.types.empty()};
    std::vector<std::pair<std::tuple<int, uint64_t>, Change>> changes;
    for (const Namespace* ns : matching.removed) {
      changes.emplace_back(KeyOf(*ns), Whole(*ns, Change::removed, after_.WhyUnseen(*ns, before_)));
    }
    for (const Namespace* ns : matching.added) {
      changes.emplace_back(KeyOf(*ns), Whole(*ns, Change::added, before_.WhyUnseen(*ns, after_)));
    }
    for (const auto& [a, b] : matching.pairs) {
      const SplitHolders old_holders = SplitByKnowledge(*a, before_, *b, after_, true, rules);
      const SplitHolders new_holders = SplitByKnowledge(*b, after_, *a, before_, false, rules);
      auto change = Compare("namespaces", *a, *b, old_holders.comparable, new_holders.comparable)
                        .value_or(Change());
      AddUnseen(old_holders.unseen, new_holders.unseen, &change);
      if (change.fields().empty()) continue;
      change.set_section("namespaces");
      change.set_subject(SubjectOf(*b));
      *change.mutable_namespace_() = *b;
      changes.emplace_back(KeyOf(*b), std::move(change));
    }
    Add(std::move(changes));
  }

  // Holders that only one side could see.
  void AddUnseen(const Namespace& before, const Namespace& after, Change* change) const {
    const auto is_ignored = [&](absl::string_view path) {
      return filter_.IsIgnored("namespaces", path);
    };
    for (FieldChange& field : DiffMessages(before, after, is_ignored)) {
      field.set_unknown_before(field.before().empty());
      field.set_unknown_after(field.after().empty());
      *change->add_fields() = std::move(field);
    }
    if (!change->fields().empty()) Settle(change);
  }

  static Change Whole(const Namespace& ns, Change::Kind kind, const std::string& why_unseen) {
    Change change;
    change.set_section("namespaces");
    change.set_subject(SubjectOf(ns));
    SetKind(kind, why_unseen, &change);
    *change.mutable_namespace_() = ns;
    return change;
  }

  static void SetKind(Change::Kind kind, const std::string& why_unseen, Change* change) {
    change->set_kind(why_unseen.empty() ? kind : Change::unknown);
    if (why_unseen.empty()) return;
    change->set_reason(
        absl::StrCat(kind == Change::added ? "not seen before: " : "not seen after: ", why_unseen));
  }

  void DiffProcesses(const Matching<Process>& matching) {
    const bool alone = options_.types.empty();
    const bool have_pidfds = absl::c_any_of(before_.snapshot().processes(), HasPidfd) &&
                             absl::c_any_of(after_.snapshot().processes(), HasPidfd);
    if (!same_pids_ && !have_pidfds) {
      AddGap("compare processes", "the snapshots number them in different PID namespaces");
      return;
    }
    std::vector<std::pair<std::tuple<int, uint64_t>, Change>> changes;
    for (const Process* process : matching.removed) {
      if (!alone || IsLeftOut(*process, before_)) continue;
      changes.emplace_back(KeyOf(*process), Whole(*process, Change::removed, after_));
    }
    for (const Process* process : matching.added) {
      if (!alone || IsLeftOut(*process, after_)) continue;
      changes.emplace_back(KeyOf(*process), Whole(*process, Change::added, before_));
    }
    for (const auto& [a, b] : matching.pairs) {
      if (IsLeftOut(*a, before_) || IsLeftOut(*b, after_)) continue;
      if (auto change = Compare("processes", *a, *b, Comparable(*a), Comparable(*b))) {
        CompareCgroups(*a, *b, &*change);
        *change->mutable_process() = Comparable(*b);
        changes.emplace_back(KeyOf(*b), *std::move(change));
      } else {
        Change only_cgroups;
        only_cgroups.set_section("processes");
        only_cgroups.set_subject(SubjectOf(*b));
        CompareCgroups(*a, *b, &only_cgroups);
        if (only_cgroups.fields().empty()) continue;
        *only_cgroups.mutable_process() = Comparable(*b);
        changes.emplace_back(KeyOf(*b), std::move(only_cgroups));
      }
    }
    Add(std::move(changes));
  }

  static bool HasPidfd(const Process& process) { return process.has_pidfd_inode(); }

  Change Whole(const Process& process, Change::Kind kind, const DiffSide& lacking) const {
    Change change;
    change.set_section("processes");
    change.set_subject(SubjectOf(process));
    SetKind(kind, WhyUnseen(lacking), &change);
    *change.mutable_process() = process;
    change.mutable_process()->clear_cgroups();
    change.mutable_process()->clear_container();
    change.mutable_process()->clear_threads();
    return change;
  }

  std::string WhyUnseen(const DiffSide& lacking) const {
    if (lacking.hides_processes()) return "processes are hidden";
    return same_pids_ ? "" : "processes are seen from another PID namespace";
  }

  // Without indices, which mean nothing in the other snapshot.
  static Process Comparable(const Process& process) {
    Process copy = process;
    copy.clear_cgroups();
    copy.clear_container();
    for (Thread& thread : *copy.mutable_threads()) {
      thread.clear_cgroups();
      thread.clear_scheduling();
    }
    return copy;
  }

  // Where a value is missing on one side: whether that is for lack of knowledge.
  template <typename Element>
  static bool IsUnknown(const DiffSide& side, const Element& element,
                        const google::protobuf::RepeatedPtrField<std::string>& values,
                        const std::string& path) {
    if (values.empty()) return side.IsUnknown(element, path);
    // What could not be read is left at its default where absence cannot be told.
    const bool is_default = values.size() == 1 && (values[0].empty() || values[0] == "0");
    return is_default && side.HasGap(SubjectOf(element));
  }

  template <typename Element>
  std::optional<Change> Compare(const std::string& section, const Element& a, const Element& b,
                                const Element& comparable_a, const Element& comparable_b) const {
    std::vector<FieldChange> fields =
        DiffMessages(comparable_a, comparable_b,
                     [&](absl::string_view path) { return filter_.IsIgnored(section, path); });
    if (fields.empty()) return std::nullopt;
    Change change;
    change.set_section(section);
    change.set_subject(SubjectOf(b));
    for (FieldChange& field : fields) {
      field.set_unknown_before(IsUnknown(before_, a, field.before(), field.field()));
      field.set_unknown_after(IsUnknown(after_, b, field.after(), field.field()));
      *change.add_fields() = std::move(field);
    }
    Settle(&change);
    return change;
  }

  // What changed before what is unknown.
  static void Settle(Change* change) {
    const auto is_known = [](const FieldChange& field) {
      return !field.unknown_before() && !field.unknown_after();
    };
    std::stable_partition(change->mutable_fields()->begin(), change->mutable_fields()->end(),
                          is_known);
    change->set_kind(is_known(change->fields(0)) ? Change::changed : Change::unknown);
  }

  // What stands behind the index, under names of their own.
  void CompareCgroups(const Process& a, const Process& b, Change* change) const {
    const auto add = [&](const std::string& name, const std::optional<std::string>& old_value,
                         const std::optional<std::string>& new_value) {
      if (old_value == new_value || filter_.IsIgnored("processes", name)) return;
      FieldChange* const field = change->add_fields();
      field->set_field(name);
      if (old_value.has_value()) field->add_before(*old_value);
      if (new_value.has_value()) field->add_after(*new_value);
      field->set_unknown_before(!old_value.has_value());
      field->set_unknown_after(!new_value.has_value());
    };
    const auto path = [](const DiffSide& side, const Process& process) {
      return process.has_cgroups() ? std::optional<std::string>(side.index().CgroupPathOf(process))
                                   : std::nullopt;
    };
    const auto frozen = [](const DiffSide& side, const Process& process) {
      std::optional<std::string> text;
      const auto index = static_cast<int64_t>(process.cgroups());
      if (!process.has_cgroups() || index >= side.snapshot().cgroups_size()) return text;
      const Cgroups& cgroups = side.snapshot().cgroups(static_cast<int>(index));
      if (cgroups.has_frozen()) text = cgroups.frozen() ? "true" : "false";
      return text;
    };
    add("cgroup", path(before_, a), path(after_, b));
    add("frozen", frozen(before_, a), frozen(after_, b));
    if (!change->fields().empty()) Settle(change);
  }

  void CompareContainers() {
    if (!before_.snapshot().options().containers() || !after_.snapshot().options().containers()) {
      // Neither side lacks what it was not asked for.
      if (before_.snapshot().options().containers() != after_.snapshot().options().containers()) {
        AddGap("compare containers", "not both snapshots were taken with them");
      }
      return;
    }
    for (Change& change : DiffContainers(
             before_.snapshot(), after_.snapshot(),
             [&](absl::string_view path) { return filter_.IsIgnored("containers", path); })) {
      *diff_.add_changes() = std::move(change);
    }
  }

  // Engines and pods are there where containers are.
  static std::string OptionOf(const FieldDescriptor& section) {
    return section.name() == "engines" || section.name() == "pods" ? "containers" : section.name();
  }

  // A section of which only is known that it is a list.
  void DiffElements(const FieldDescriptor& section) {
    const FieldDescriptor* const option =
        ScanOptions::descriptor()->FindFieldByName(OptionOf(section));
    const auto taken = [&](const DiffSide& side) {
      if (option == nullptr || option->is_repeated() ||
          option->cpp_type() != FieldDescriptor::CPPTYPE_BOOL) {
        return true;
      }
      const ScanOptions& options = side.snapshot().options();
      return options.GetReflection()->GetBool(options, option);
    };
    if (taken(before_) != taken(after_)) {
      // Told of the containers.
      if (OptionOf(section) != section.name()) return;
      AddGap(absl::StrCat("compare ", section.name()), "not both snapshots were taken with them");
      return;
    }
    for (const FieldChange& field :
         DiffMessages(before_.snapshot(), after_.snapshot(),
                      [&](absl::string_view path) { return path != section.name(); })) {
      const bool of_engines = section.name() == "engines" || section.name() == "pods";
      const auto add = [&](const std::string& text, Change::Kind kind, const DiffSide& lacking) {
        Change* const change = diff_.add_changes();
        change->set_section(section.name());
        change->set_subject(text);
        SetKind(kind, of_engines ? WhyContainersAreUnseen(lacking.snapshot()) : "", change);
      };
      for (const std::string& text : field.before()) add(text, Change::removed, after_);
      for (const std::string& text : field.after()) add(text, Change::added, before_);
    }
  }

  void Add(std::vector<std::pair<std::tuple<int, uint64_t>, Change>> changes) {
    absl::c_stable_sort(changes, [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [key, change] : changes) *diff_.add_changes() = std::move(change);
  }

  DiffSide before_;
  DiffSide after_;
  const DiffOptions& options_;
  DiffFilter filter_;
  std::vector<NamespaceType> types_;
  // Process.pid means the same in both.
  bool same_pids_ = true;
  SnapshotDiff diff_;
};

}  // namespace

absl::StatusOr<SnapshotDiff> DiffSnapshots(const Snapshot& before, const Snapshot& after,
                                           const DiffOptions& options) {
  const std::string& a = before.host().boot_id();
  const std::string& b = after.host().boot_id();
  if (!a.empty() && !b.empty() && a != b) {
    return absl::FailedPreconditionError(
        absl::StrCat("the snapshots are of different boots (", a, " and ", b,
                     "): what has the same number need not be the same"));
  }
  return Differ(before, after, options).Diff();
}

std::vector<std::string> ComparedFields() {
  std::vector<std::string> words;
  const google::protobuf::Descriptor& type = *Snapshot::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    if (IsSection(*type.field(i))) words.push_back(type.field(i)->name());
  }
  const std::vector<std::string> sections = words;
  for (const std::string& section : sections) {
    std::vector<std::string> paths = FieldPaths(*type.FindFieldByName(section)->message_type());
    if (section == "processes") paths.insert(paths.end(), {"cgroup", "frozen"});
    for (const std::string& path : paths) {
      if (!IsIdentity(section, path)) words.push_back(absl::StrCat(section, ".", path));
    }
  }
  return words;
}

}  // namespace nsctl::nsdisc
