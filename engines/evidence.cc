#include "engines/evidence.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/cgroup_names.h"
#include "engines/container.h"
#include "engines/docker_records.h"
#include "engines/engine_client.h"
#include "engines/engine_rights.h"
#include "engines/evidence_pods.h"
#include "engines/helper_processes.h"
#include "engines/http_json.h"
#include "engines/path_owner.h"
#include "engines/process_table.h"
#include "engines/runtime_folders.h"
#include "google/protobuf/timestamp.pb.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

using Row = ProcessTable::Row;

constexpr size_t kMaxRows = 10'000;
// In one container, whose owner may start as many helpers as he likes.
constexpr size_t kMaxRowsInside = 64;

bool IsOlder(const Row* a, const Row* b) {
  return std::tie(a->process.start_time, a->process.pid) <
         std::tie(b->process.start_time, b->process.pid);
}

// Whether it may be an initial process: no runtime that is at work, or waits for the start.
bool MayBeInit(const Row& row) {
  const std::string& name = row.process.name;
  return !row.process.zombie && !row.helper.has_value() && name != "runc" && name != "crun" &&
         !absl::StartsWith(name, "runc:[");
}

const char* SourceOf(Engine::Type type) {
  switch (type) {
    case Engine::containerd:
      return "containerd-shim";
    case Engine::lxc:
      return "lxc-monitor";
    case Engine::nspawn:
      return "systemd-nspawn";
    default:
      return "conmon";
  }
}

// What tells containers of one helper apart; a process that was added is in its container's cgroup.
std::string GroupOf(const Row& row) {
  if (row.cgroup == nullptr) return "";
  return row.cgroup->name.has_value() ? row.cgroup->name->path : row.cgroup->path;
}

void SetSource(absl::string_view source, Container* container) {
  SetLabel(kEvidenceAnnotation, source, container->mutable_annotations());
}

// Of neither root nor the observer, who takes what is his own for the host's.
bool IsUsers(uid_t uid) { return uid != 0 && uid != geteuid(); }

}  // namespace

Evidence::Evidence(const procfsroot::Procfs& procfs, ProcessTable* table,
                   std::optional<procfsroot::Root> root)
    : inside_(procfs), table_(table), root_(std::move(root)), freezer_(root_) {
  if (root_.has_value()) folders_.emplace(*root_);
}

void Evidence::AddHelped(const Processes& processes, Rows* rows) {
  std::map<base::Pid, std::vector<const Row*>> children;
  for (const auto& [pid, row] : processes) {
    if (MayBeInit(row)) children[row.process.parent].push_back(&row);
  }
  for (const auto& [pid, helper_row] : processes) {
    if (!helper_row.helper.has_value()) continue;
    const HelperProcess& helper = *helper_row.helper;
    const auto found = children.find(pid);
    if (found == children.end()) continue;
    std::sort(found->second.begin(), found->second.end(), IsOlder);
    std::set<std::string> groups;
    bool first = true;
    for (const Row* child : found->second) {
      if (!first && (!helper.serves_many || groups.contains(GroupOf(*child)))) continue;
      groups.insert(GroupOf(*child));
      EvidenceRow& evidence = (*rows)[child->process.pid];
      evidence.helper = pid;
      Container& container = evidence.row.container;
      const bool named = child->cgroup != nullptr && child->cgroup->name.has_value();
      // Of a pod's helper only the first container has the id that the helper was started with.
      std::string id = helper.id;
      if (!first) id = named ? child->cgroup->name->id : GroupOf(*child);
      container.set_id(base::EncodeText(id));
      container.set_name(base::EncodeText(helper.name));
      container.set_native_namespace(base::EncodeText(helper.native_namespace));
      SetSource(SourceOf(helper.type), &container);
      first = false;
    }
  }
}

// Whether the process is that user's own. Of root, and of the observer himself, true.
bool Evidence::MaySpeakOf(base::Pid pid, uid_t uid) const {
  if (!IsUsers(uid)) return true;
  const absl::StatusOr<EngineRights> rights = EngineRights::OfUser(table_->procfs(), uid);
  const absl::StatusOr<procfsroot::ProcessDir> process = table_->procfs().OpenProcess(pid);
  return rights.ok() && process.ok() && rights->CheckOwn(*process).ok();
}

// Of what a helper shows; all else has one from the beginning.
void Evidence::SetTeller(EvidenceRow* evidence) const {
  if (evidence->helper.value == 0) return;
  Engine standing;
  SetStanding(table_->procfs(), evidence->helper, &standing);
  Container& container = evidence->row.container;
  container.set_foreign(standing.foreign());
  if (standing.has_uid()) container.set_told_by_uid(standing.uid());
}

// Whether a user's helper has a program with more rights than he has for a child.
bool Evidence::IsAbove(base::Pid init, const EvidenceRow& evidence) const {
  const Container& container = evidence.row.container;
  if (evidence.helper.value == 0 || !container.foreign() || !container.has_told_by_uid()) {
    return false;
  }
  const absl::StatusOr<procfsroot::ProcessDir> helper =
      table_->procfs().OpenProcess(evidence.helper);
  const absl::StatusOr<procfsroot::ProcessDir> process = table_->procfs().OpenProcess(init);
  return !helper.ok() || !process.ok() ||
         !CanBeAround(table_->procfs(), container.told_by_uid(), *helper, *process);
}

void Evidence::AddByCgroup(const Processes& processes, Rows* rows) const {
  std::map<std::string, const Row*> oldest;
  for (const auto& [pid, row] : processes) {
    if (row.cgroup == nullptr || !row.cgroup->name.has_value() || !MayBeInit(row)) continue;
    const Row*& place = oldest[row.cgroup->name->path];
    if (place == nullptr || IsOlder(&row, place)) place = &row;
  }
  for (const auto& [pid, evidence] : *rows) {
    const Row& row = processes.at(pid);
    if (row.cgroup != nullptr && row.cgroup->name.has_value()) {
      oldest.erase(row.cgroup->name->path);
    }
  }
  std::optional<PathOwners> owners;
  if (root_.has_value()) owners.emplace(*root_);
  for (const auto& [path, row] : oldest) {
    std::optional<absl::StatusOr<uid_t>> owner;
    if (owners.has_value()) owner = owners->OwnerOfCgroup(*row->cgroup);
    // It is gone by now, or holds what its owner did not make.
    if (owner.has_value() && (!owner->ok() || !MaySpeakOf(row->process.pid, **owner))) continue;
    Container& container = (*rows)[row->process.pid].row.container;
    container.set_id(base::EncodeText(row->cgroup->name->id));
    SetSource("cgroup", &container);
    container.set_foreign(!owner.has_value() || IsUsers(**owner));
    if (owner.has_value()) container.set_told_by_uid(**owner);
  }
}

// What a state of `owner` is added to; null where that is another's. All that shows it is made anew
// where that was a user's word, and it is root's.
EvidenceRow* Evidence::RowForState(base::Pid init, uid_t owner, const std::string& runtime,
                                   Rows* rows) const {
  if (!MaySpeakOf(init, owner)) return nullptr;
  if (const auto known = rows->find(init); known != rows->end()) {
    SetTeller(&known->second);
    const Container& container = known->second.row.container;
    const bool is_his = container.foreign() && container.told_by_uid() == owner;
    if (is_his || (!container.foreign() && !IsUsers(owner))) return &known->second;
    if (IsUsers(owner)) return nullptr;
    rows->erase(known);
  }
  EvidenceRow& made = (*rows)[init];
  SetSource(runtime, &made.row.container);
  made.row.container.set_foreign(IsUsers(owner));
  made.row.container.set_told_by_uid(owner);
  return &made;
}

void Evidence::AddByState(const Processes& processes, Rows* rows, std::vector<EngineGap>* gaps) {
  if (!folders_.has_value()) return;
  for (const FoundState& found : folders_->Read(gaps)) {
    const RuntimeState& state = found.state;
    const auto row = processes.find(base::Pid{static_cast<pid_t>(state.pid)});
    if (row == processes.end() || row->second.process.start_time != state.start_time ||
        !MayBeInit(row->second)) {
      continue;
    }
    EvidenceRow* const evidence = RowForState(row->first, found.owner, found.runtime, rows);
    if (evidence == nullptr) continue;
    Container& container = evidence->row.container;
    if (container.id().empty() || container.id() == state.id) {
      container.set_id(state.id);
      if (container.native_namespace().empty()) {
        container.set_native_namespace(found.native_namespace);
      }
    }
    for (const Label& label : state.annotations) {
      // Who made the container wrote them.
      if (absl::StartsWith(label.name(), kEvidenceAnnotation)) continue;
      SetLabel(label.name(), label.value(), container.mutable_annotations());
    }
    container.set_runtime(found.runtime);
    google::protobuf::Timestamp created;
    if (SetTime(state.created, &created)) *container.mutable_created_at() = created;
  }
}

void Evidence::Complete(const Row& init, EngineRow* row) const {
  Container& container = row->container;
  if (init.cgroup != nullptr) {
    container.set_cgroup(base::EncodeText(init.cgroup->path));
    if (init.cgroup->name.has_value() && !init.cgroup->name->pod_uid.empty()) {
      row->pod.emplace();
      row->pod->set_uid(base::EncodeText(init.cgroup->name->pod_uid));
      row->pod->set_id(row->pod->uid());
    }
  }
  TakeAnnotations(row);
  // Anybody can start a process that has the id of another's among its arguments.
  const bool may_be_dockers = container.native_namespace() == "moby" || container.name().empty();
  if (root_.has_value() && may_be_dockers && !container.foreign()) {
    AddDockerRecord(*root_, &container);
  }
  if (container.name().empty()) container.set_name(container.id());
  if (row->pod.has_value()) {
    if (row->pod->name().empty()) row->pod->set_name(row->pod->id());
    row->pod->set_native_namespace(container.native_namespace());
    container.set_pod(row->pod->id());
  }
  container.set_engine_pid(init.process.pid.value);
  const bool paused = init.cgroup != nullptr && freezer_.IsFrozen(*init.cgroup);
  container.set_state(paused ? Container::paused : Container::running);
}

void Evidence::SetEngine(const Row& helper, Container* container) {
  // Of containerd's helpers nobody knows whose they are: Docker's, or Kubernetes'.
  if (!helper.helper.has_value() || helper.helper->type == Engine::containerd) return;
  if (container->foreign()) return;
  SetLabel(kEngineAnnotation, TypeName(helper.helper->type), container->mutable_annotations());
}

void Evidence::Limit(const Processes& processes, const Rows& rows, std::vector<base::Pid>* order,
                     std::vector<EngineGap>* gaps) {
  const auto add_gap = [gaps](const std::string& subject, size_t left_out) {
    EngineGap& gap = gaps->emplace_back();
    gap.set_subject(subject);
    gap.set_operation("find containers by processes");
    gap.set_error("RESOURCE_EXHAUSTED");
    gap.set_consequence(absl::StrCat(left_out, " containers are left out"));
  };
  // Helpers mostly have one container each.
  std::map<base::Pid, uint64_t> inside;
  std::map<uint64_t, std::vector<base::Pid>> refused;
  std::map<uint64_t, size_t> taken;
  std::vector<base::Pid> kept;
  const auto inside_of = [&](base::Pid pid) {
    const base::Pid maker = processes.at(pid).process.parent;
    const auto [place, is_new] = inside.try_emplace(maker);
    if (is_new) place->second = inside_.InsideOf(maker);
    return place->second;
  };
  std::map<base::Pid, bool> is_others;
  for (const base::Pid pid : *order) {
    is_others[pid] = rows.at(pid).row.container.foreign() || inside_of(pid) != 0;
  }
  std::sort(order->begin(), order->end(), [&](base::Pid a, base::Pid b) {
    if (is_others[a] != is_others[b]) return is_others[b];
    return IsOlder(&processes.at(a), &processes.at(b));
  });
  for (const base::Pid pid : *order) {
    const uint64_t place = inside_of(pid);
    if (place != 0 && taken[place]++ >= kMaxRowsInside) {
      refused[place].push_back(pid);
    } else {
      kept.push_back(pid);
    }
  }
  for (const auto& [place, pids] : refused) {
    add_gap(absl::StrCat("pid:", pids.front().value), pids.size());
  }
  if (kept.size() > kMaxRows) {
    add_gap("evidence", kept.size() - kMaxRows);
    kept.resize(kMaxRows);
  }
  *order = std::move(kept);
}

absl::StatusOr<Evidence::Result> Evidence::Scan(
    absl::Duration max_age, absl::FunctionRef<bool(base::Pid, uint64_t)> is_known) {
  NSCTL_ASSIGN_OR_RETURN(const std::shared_ptr<const Processes> table, table_->Look(max_age));
  const Processes& processes = *table;
  Result result;
  Rows rows;
  AddHelped(processes, &rows);
  AddByCgroup(processes, &rows);
  AddByState(processes, &rows, &result.gaps);
  std::vector<base::Pid> order;
  for (auto& [pid, evidence] : rows) {
    if (is_known(pid, processes.at(pid).process.start_time)) continue;
    SetTeller(&evidence);
    if (!IsAbove(pid, evidence)) order.push_back(pid);
  }
  // The first keeps an id that several claim, and the pod.
  Limit(processes, rows, &order, &result.gaps);
  std::map<ContainerId, EvidenceRow> by_id;
  EvidencePods pods;
  for (const base::Pid pid : order) {
    EvidenceRow evidence = std::move(rows[pid]);
    Complete(processes.at(pid), &evidence.row);
    if (const auto helper = processes.find(evidence.helper); helper != processes.end()) {
      SetEngine(helper->second, &evidence.row.container);
    }
    pods.KeepApart(&evidence.row);
    evidence.start_time = processes.at(pid).process.start_time;
    Container& container = evidence.row.container;
    if (by_id.contains(IdOf(container))) {
      container.set_id(absl::StrCat(container.id(), "@", pid.value));
    }
    by_id.try_emplace(IdOf(container), std::move(evidence));
  }
  for (auto& [id, evidence] : by_id) result.rows.push_back(std::move(evidence));
  return result;
}

}  // namespace nsctl::engines
