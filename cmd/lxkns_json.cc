#include "cmd/lxkns_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/text.h"
#include "cmd/cpu_list.h"
#include "cmd/json_writer.h"
#include "cmd/lxkns_containers.h"
#include "cmd/lxkns_mounts.h"
#include "google/protobuf/repeated_field.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using base::NamespaceTypeInfo;
using nsdisc::Cgroups;
using nsdisc::Namespace;
using nsdisc::NamespaceSet;
using nsdisc::Process;
using nsdisc::ScanOptions;
using nsdisc::Scheduling;
using nsdisc::Snapshot;
using nsdisc::SourceReport;
using nsdisc::Thread;

// lxkns's cgroup of a controller: the v1 hierarchy's that has it, else the unified one.
std::string CgroupOf(const Cgroups& cgroups, absl::string_view controller) {
  for (const Cgroups::V1& v1 : cgroups.v1()) {
    for (const absl::string_view name : absl::StrSplit(v1.controllers(), ',')) {
      if (name == controller) return v1.path();
    }
  }
  return cgroups.unified();
}

template <typename Message>
bool HasCpus(const Message& task) {
  return !task.scheduling().cpus_allowed().empty();
}

// All threads were looked at, and their CPUs as well.
bool HasCpusOfThreads(const Snapshot& snapshot) {
  if (snapshot.options().threads() != ScanOptions::all) return false;
  return absl::c_any_of(snapshot.processes(), [](const Process& process) {
    return absl::c_any_of(process.threads(), HasCpus<Thread>);
  });
}

class LxknsWriter {
 public:
  LxknsWriter(const Snapshot& snapshot, Writer* out) : snapshot_(snapshot), json_(out, 2) {}

  void Write() {
    json_.BeginObject();
    WriteLxknsContainers(snapshot_, &json_);
    Cpus("cpus-online", snapshot_.host().cpus_online());
    json_.Key("discovery-options");
    WriteOptions();
    // Clients take it for what was not looked for where it is missing.
    if (snapshot_.options().mounts()) {
      json_.Key("mounts");
      WriteLxknsMounts(snapshot_, &json_);
    }
    json_.Key("namespaces");
    WriteNamespaces();
    json_.Key("processes");
    WriteProcesses();
    json_.EndObject();
  }

 private:
  void Bool(absl::string_view key, bool value) {
    json_.Key(key);
    json_.Bool(value);
  }

  void Number(absl::string_view key, int64_t value) {
    json_.Key(key);
    json_.Number(value);
  }

  void Text(absl::string_view key, absl::string_view stored) {
    json_.Key(key);
    Text(stored);
  }

  void Text(absl::string_view stored) {
    const std::optional<std::string> bytes = base::DecodeText(stored);
    json_.String(bytes.has_value() ? *bytes : std::string(stored));
  }

  // Left out where empty, as lxkns does.
  template <typename T>
  void Numbers(absl::string_view key, const google::protobuf::RepeatedField<T>& numbers) {
    if (numbers.empty()) return;
    json_.Key(key);
    json_.BeginArray();
    for (const T number : numbers) json_.Number(int64_t{number});
    json_.EndArray();
  }

  // A list in the kernel's format as pairs.
  void Cpus(absl::string_view key, absl::string_view list) {
    json_.Key(key);
    json_.BeginArray();
    for (const CpuRange& range : ParseCpuList(list).value_or(std::vector<CpuRange>())) {
      json_.BeginArray();
      json_.Number(uint64_t{range.first});
      json_.Number(uint64_t{range.last});
      json_.EndArray();
    }
    json_.EndArray();
  }

  // Says what was done by what is there: a snapshot may come from elsewhere.
  void WriteOptions() {
    const ScanOptions& options = snapshot_.options();
    const bool has_freezer = absl::c_any_of(
        snapshot_.cgroups(), [](const Cgroups& cgroups) { return cgroups.has_frozen(); });
    const bool has_affinity = absl::c_any_of(snapshot_.processes(), HasCpus<Process>);
    json_.BeginObject();
    Bool("from-procs", true);
    Bool("from-tasks", options.threads() != ScanOptions::none);
    Bool("from-fds", IsUsed(SourceReport::fds));
    Bool("from-bindmounts", IsUsed(SourceReport::bind_mounts));
    Bool("with-hierarchy", true);
    Bool("with-ownership", true);
    Bool("with-freezer", has_freezer);
    Bool("with-mounts", options.mounts());
    Bool("with-socket-processes", false);
    Bool("with-affinity-scheduling", has_affinity);
    Bool("with-task-affinity-scheduling", HasCpusOfThreads(snapshot_));
    json_.Key("labels");
    json_.BeginObject();
    json_.EndObject();
    json_.Key("scanned-namespace-types");
    json_.BeginArray();
    // lxkns lists types by their clone flags.
    std::array<NamespaceTypeInfo, base::kNamespaceTypeCount> types = base::kNamespaceTypes;
    absl::c_sort(types, [](const NamespaceTypeInfo& a, const NamespaceTypeInfo& b) {
      return a.clone_flag < b.clone_flag;
    });
    for (const NamespaceTypeInfo& info : types) {
      if (IsScanned(info.type)) json_.String(info.name);
    }
    json_.EndArray();
    json_.EndObject();
  }

  bool IsUsed(SourceReport::Source source) const {
    return absl::c_any_of(snapshot_.statistics().sources(), [&](const SourceReport& report) {
      return report.source() == source && report.state() == SourceReport::used;
    });
  }

  bool IsScanned(NamespaceType type) const {
    const auto& types = snapshot_.options().types();
    return types.empty() || absl::c_linear_search(types, nsdisc::ToProto(type));
  }

  void WriteNamespaces() {
    std::vector<const Namespace*> sorted;
    for (const Namespace& ns : snapshot_.namespaces()) {
      if (nsdisc::FromProto(ns.type()).has_value()) sorted.push_back(&ns);
    }
    absl::c_stable_sort(
        sorted, [](const Namespace* a, const Namespace* b) { return a->inode() < b->inode(); });
    // The kernel numbers all types together; only a forged snapshot has a number twice, which as a
    // key would be wrong JSON.
    const auto end = std::unique(
        sorted.begin(), sorted.end(),
        [](const Namespace* a, const Namespace* b) { return a->inode() == b->inode(); });
    json_.BeginObject();
    for (auto ns = sorted.begin(); ns != end; ++ns) {
      json_.Key(absl::StrCat((*ns)->inode()));
      WriteNamespace(**ns);
    }
    json_.EndObject();
  }

  void WriteNamespace(const Namespace& ns) {
    json_.BeginObject();
    Number("nsid", ns.inode());
    Text("type", base::InfoOf(*nsdisc::FromProto(ns.type())).name);
    if (ns.has_owner()) Number("owner", ns.owner());
    if (!ns.reference().empty()) {
      json_.Key("reference");
      json_.BeginArray();
      for (const std::string& path : ns.reference()) Text(path);
      json_.EndArray();
    }
    Numbers("leaders", ns.leaders());
    Numbers("loose-threads", ns.loose_threads());
    if (ns.has_parent()) Number("parent", ns.parent());
    if (ns.has_ealdorman()) Number("ealdorman", ns.ealdorman());
    Numbers("children", ns.children());
    if (ns.type() == Namespace::user) {
      Number("user-id", ns.owner_uid());
      Text("user-name", ns.owner_user());
    }
    json_.EndObject();
  }

  void WriteProcesses() {
    json_.BeginObject();
    for (const Process& process : snapshot_.processes()) {
      json_.Key(absl::StrCat(process.pid()));
      WriteProcess(process);
    }
    json_.EndObject();
  }

  void WriteProcess(const Process& process) {
    json_.BeginObject();
    WriteNamespaceSet(process.namespaces());
    json_.Key("cmdline");
    json_.BeginArray();
    for (const std::string& argument : process.command_line()) Text(argument);
    // lxkns splits the empty command line of a kernel thread into one empty argument.
    if (process.command_line().empty()) json_.String("");
    json_.EndArray();
    WriteTasks(process);
    WriteCommon(process);
    Number("pid", process.pid());
    Number("ppid", process.parent_pid());
    json_.EndObject();
  }

  // The main thread among them where threads were scanned, as in lxkns; where only loose ones were,
  // those, so that every loose thread of a namespace is found.
  void WriteTasks(const Process& process) {
    json_.Key("tasks");
    json_.BeginArray();
    if (snapshot_.options().threads() == ScanOptions::all) WriteTask(process, process.pid());
    for (const Thread& thread : process.threads()) WriteTask(thread, thread.tid());
    json_.EndArray();
  }

  // `task`: a Thread, or a Process for its main thread.
  template <typename Message>
  void WriteTask(const Message& task, int32_t tid) {
    json_.BeginObject();
    WriteNamespaceSet(task.namespaces());
    WriteCommon(task);
    Number("tid", tid);
    json_.EndObject();
  }

  // Only of types that were looked for: clients look each number up among the namespaces.
  void WriteNamespaceSet(const NamespaceSet& set) {
    json_.Key("namespaces");
    json_.BeginObject();
    for (const NamespaceTypeInfo& info : base::kNamespaceTypes) {
      const std::optional<uint32_t> inode = nsdisc::NamespaceOf(set, info.type);
      if (inode.has_value() && IsScanned(info.type)) Number(info.name, *inode);
    }
    json_.EndObject();
  }

  // What processes and tasks share.
  template <typename Message>
  void WriteCommon(const Message& task) {
    static const Cgroups& unknown = Cgroups::default_instance();
    const bool has_cgroups =
        task.has_cgroups() && task.cgroups() < static_cast<uint32_t>(snapshot_.cgroups_size());
    const Cgroups& cgroups =
        has_cgroups ? snapshot_.cgroups(static_cast<int>(task.cgroups())) : unknown;
    Text("name", task.name());
    json_.Key("starttime");
    json_.Number(uint64_t{task.start_time()});
    Text("cpucgroup", CgroupOf(cgroups, "cpu"));
    Text("fridgecgroup", CgroupOf(cgroups, "freezer"));
    Bool("fridgefrozen", cgroups.frozen());
    const Scheduling& scheduling = task.scheduling();
    if (!scheduling.cpus_allowed().empty()) Cpus("affinity", scheduling.cpus_allowed());
    if (scheduling.policy() != Scheduling::normal) Number("policy", scheduling.policy());
    if (scheduling.realtime_priority() != 0) Number("priority", scheduling.realtime_priority());
    if (scheduling.nice() != 0) Number("nice", scheduling.nice());
  }

  const Snapshot& snapshot_;
  JsonWriter json_;
};

}  // namespace

void WriteLxknsJson(const Snapshot& snapshot, Writer* out) {
  LxknsWriter(snapshot, out).Write();
  out->Append("\n");
}

}  // namespace nsctl::cmd
