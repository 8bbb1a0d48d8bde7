#include "cmd/snapshot_summary.h"

#include <algorithm>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/namespace_type.h"
#include "cmd/table.h"
#include "google/protobuf/util/time_util.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;
using nsdisc::ScanStatistics;
using nsdisc::Snapshot;
using nsdisc::SourceReport;

Table MakeHostTable(const Snapshot& snapshot) {
  Table table({{"WHAT"}, {"VALUE"}});
  table.AddRow({{"host"}, {snapshot.host().hostname()}});
  table.AddRow({{"kernel"}, {snapshot.host().kernel_release()}});
  table.AddRow({{"boot"}, {snapshot.host().boot_id()}});
  table.AddRow({{"taken"}, {google::protobuf::util::TimeUtil::ToString(snapshot.taken_at())}});
  table.AddRow({{"producer"}, {absl::StrCat("nsctl ", snapshot.producer())}});
  return table;
}

Table MakeCountTable(const Snapshot& snapshot) {
  Table table({{"COUNT", Alignment::kRight}, {"OF"}});
  const auto add = [&](uint64_t count, const std::string& what, Role role = Role::kPlain) {
    table.AddRow({{absl::StrCat(count)}, {what, role}});
  };
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const Namespace::Type type = nsdisc::ToProto(info.type);
    const auto count = absl::c_count_if(snapshot.namespaces(),
                                        [&](const Namespace& ns) { return ns.type() == type; });
    add(static_cast<uint64_t>(count), absl::StrCat(info.name, " namespaces"), RoleOf(type));
  }
  const ScanStatistics& statistics = snapshot.statistics();
  const auto dark =
      absl::c_count_if(snapshot.namespaces(), [](const Namespace& ns) { return ns.dark(); });
  add(static_cast<uint64_t>(dark), "namespaces that nothing in sight holds",
      dark > 0 ? Role::kLimited : Role::kPlain);
  add(statistics.processes(), "processes");
  add(statistics.threads(), "threads beside main ones");
  if (snapshot.options().mounts()) add(statistics.mounts(), "mounts in all mount namespaces");
  if (snapshot.options().containers()) {
    add(static_cast<uint64_t>(snapshot.engines_size()), "container engines");
    add(statistics.containers(), "containers");
  }
  add(statistics.gaps(), "gaps", statistics.gaps() > 0 ? Role::kLimited : Role::kPlain);
  add(statistics.vanished_processes(), "processes that vanished meanwhile");
  add(statistics.vanished_threads(), "threads that vanished meanwhile");
  add(statistics.vanished_namespaces(), "namespaces that vanished meanwhile");
  return table;
}

Table MakeSourceTable(const ScanStatistics& statistics) {
  Table table({{"SOURCE"},
               {"STATE"},
               {"EXAMINED", Alignment::kRight},
               {"FOUND", Alignment::kRight},
               {"CPU-MS", Alignment::kRight}});
  for (const SourceReport& report : statistics.sources()) {
    const bool used = report.state() == SourceReport::used;
    table.AddRow({{SourceReport::Source_Name(report.source())},
                  {SourceReport::State_Name(report.state()), used ? Role::kPlain : Role::kFaint},
                  {used ? absl::StrCat(report.examined()) : ""},
                  {used ? absl::StrCat(report.found()) : ""},
                  {report.has_cpu_microseconds()
                       ? absl::StrFormat("%.1f", report.cpu_microseconds() / 1000.0)
                       : ""}});
  }
  return table;
}

}  // namespace

void PrintSnapshotSummary(const Snapshot& snapshot, const Presentation& presentation, Writer* out) {
  MakeHostTable(snapshot).Print(presentation, out);
  out->Append("\n");
  MakeCountTable(snapshot).Print(presentation, out);
  if (snapshot.statistics().sources().empty()) return;
  out->Append("\n");
  MakeSourceTable(snapshot.statistics()).Print(presentation, out);
}

}  // namespace nsctl::cmd
