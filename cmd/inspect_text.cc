#include "cmd/inspect_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "cmd/capabilities.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "engines/container.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace nsctl::cmd {
namespace {

using google::protobuf::RepeatedPtrField;
using nsdisc::Namespace;
using nsdisc::Process;

// Keys and the blank after them.
constexpr size_t kKeyWidth = 17;
// Of a namespace's holders, of each kind.
constexpr int kListedHolders = 10;

std::string NameText(const NamespaceName& name) {
  Namespace ns;
  ns.set_type(name.type());
  ns.set_inode(name.inode());
  return NamespaceText(ns);
}

// Nothing of it could be read, as where something is mounted over its directory.
bool IsUnknown(const Process& process) {
  return process.start_time() == 0 && process.name().empty();
}

class InspectionPrinter {
 public:
  InspectionPrinter(const Presentation& presentation, Writer* out)
      : presentation_(presentation), out_(out) {}

  void PrintNamespace(const InspectedNamespace& inspected) {
    const Namespace& ns = inspected.row().namespace_();
    Line("Namespace", NamespaceText(ns));
    if (ns.has_device_major()) {
      Line("Device", absl::StrCat(ns.device_major(), ":", ns.device_minor()));
    }
    if (ns.has_kernel_id()) Line("Kernel id", absl::StrCat(ns.kernel_id()));
    Line("State", NamespaceRow::State_Name(inspected.row().state()));
    if (ns.initial()) Line("Initial", "yes: the kernel made it at boot");
    PrintRelatives(inspected);
    PrintOwnFacts(ns);
    PrintMembers(inspected);
    for (const std::string& path : ns.reference()) Line("Reference", path);
  }

  void PrintProcess(const InspectedProcess& inspected) {
    const Process& process = inspected.process();
    Line("PID", absl::StrCat(process.pid()));
    Line("Name", IsUnknown(process) ? "?" : process.name());
    Line("Command", IsUnknown(process) ? "?" : CommandText(process));
    if (!process.state().empty()) Line("State", process.state());
    if (process.kernel_thread()) Line("Kernel thread", "yes");
    if (process.parent_pid() != 0) {
      Line("Parent", absl::StrCat(process.parent_pid(), inspected.parent_name().empty() ? "" : " ",
                                  inspected.parent_name()));
    }
    if (process.has_uid()) {
      Line("User", absl::StrCat(process.uid(), process.has_user() ? " " : "", process.user()));
    }
    if (process.start_time() > 0) Line("Start time", absl::StrCat(process.start_time()));
    if (process.has_pidfd_inode()) Line("Pidfd inode", absl::StrCat(process.pidfd_inode()));
    for (const PidInNamespace& pid : inspected.pids()) {
      const std::string ns = pid.has_pid_namespace() ? absl::StrCat(pid.pid_namespace()) : "?";
      Line("PIDs", absl::StrCat(pid.pid(), " in pid:[", ns, "]"));
    }
    for (const ProcessNamespace& ns : inspected.namespaces()) PrintNamespaceOf(ns);
    if (!process.namespaces_error().empty()) {
      Line("Namespaces", absl::StrCat("unknown: ", process.namespaces_error()));
    }
    if (inspected.has_container()) Line("Container", Whole(inspected.container()));
    PrintControl(inspected);
    PrintThreads(process);
    for (const ProcessHolds& holds : inspected.holds()) PrintHold(holds);
  }

  void PrintContainer(const InspectedContainer& inspected) {
    const engines::Container& container = inspected.container();
    Line("Container",
         absl::StrCat(inspected.place(), inspected.place().empty() ? "" : "/", container.name()));
    Line("Id", container.id());
    Line("State", engines::StateName(container.state()));
    PrintEngine(inspected);
    if (container.pid() != 0) Line("PID", absl::StrCat(container.pid()));
    if (!container.pid_error().empty())
      Line("PID", absl::StrCat("unknown: ", container.pid_error()));
    Known("Image", container.image());
    Known("Image id", container.image_id());
    Known("Runtime", container.runtime());
    Time("Created", container.has_created_at(), container.created_at());
    Time("Started", container.has_started_at(), container.started_at());
    Time("Finished", container.has_finished_at(), container.finished_at());
    if (container.has_exit_code()) Line("Exit code", absl::StrCat(container.exit_code()));
    if (container.oom_killed()) Line("OOM killed", "yes");
    if (container.restart_count() > 0) Line("Restarts", absl::StrCat(container.restart_count()));
    if (container.has_privileged()) Line("Privileged", container.privileged() ? "yes" : "no");
    PrintGroups(inspected);
    Known("Cgroup", container.cgroup());
    for (const ProcessNamespace& ns : inspected.namespaces()) PrintNamespaceOf(ns);
    for (const Process& process : inspected.processes()) {
      Line("Processes", absl::StrCat(PidText(process), " ", CommandText(process)));
    }
    PrintLabels("Labels", container.labels());
    PrintLabels("Annotations", container.annotations());
  }

 private:
  void PrintEngine(const InspectedContainer& inspected) {
    const engines::Container& container = inspected.container();
    const engines::Engine& engine = inspected.engine();
    Line("Engine", absl::StrCat(container.engine(), engine.version().empty() ? "" : " version ",
                                engine.version(), OwnerText(engine),
                                engine.api().empty() ? "" : " at ", engine.api()));
    Known("Engine state", engine.state() == engines::Engine::ready
                              ? ""
                              : absl::StrCat(engines::StateName(engine.state()),
                                             engine.reason().empty() ? "" : ": ", engine.reason()));
    Known("Namespace", container.native_namespace());
    for (const engines::View& view : container.views()) {
      Line("Known to", absl::StrCat(view.engine(), " as ", view.native_namespace(),
                                    view.native_namespace().empty() ? "" : "/", view.name()));
    }
    if (inspected.has_outer()) Line("Runs in", Whole(inspected.outer()));
  }

  void PrintGroups(const InspectedContainer& inspected) {
    const engines::ProjectMember& project = inspected.container().project();
    if (!project.project().empty()) {
      Line("Project", absl::StrCat(project.project(), project.service().empty() ? "" : ", service ",
                                   project.service()));
    }
    if (inspected.has_pod()) Line("Pod", PodText(inspected.pod()));
    if (inspected.container().sandbox()) Line("Sandbox", "yes: it holds its pod's namespaces");
  }

  void PrintLabels(const char* key, const engines::Labels& labels) {
    for (const engines::Label& label : labels) {
      Line(key, absl::StrCat(label.name(), "=", label.value()));
    }
  }

  void Known(const char* key, absl::string_view value) {
    if (!value.empty()) Line(key, value);
  }

  void Time(const char* key, bool known, const google::protobuf::Timestamp& time) {
    if (known) Line(key, TimeText(time));
  }

  static std::string Whole(const ContainerReference& container) {
    return absl::StrCat(NameText(container), " (", container.id(), ") of ", container.engine());
  }

  void PrintRelatives(const InspectedNamespace& inspected) {
    const Namespace& ns = inspected.row().namespace_();
    if (inspected.has_owner()) {
      Line("Owner", absl::StrCat(NamespaceText(inspected.owner()), Creator(inspected.owner())));
    }
    if (inspected.has_parent()) {
      Line("Parent", absl::StrCat(NamespaceText(inspected.parent()), Creator(inspected.parent())));
    }
    if (ns.has_owner_uid()) {
      Line("Creator",
           absl::StrCat("UID ", ns.owner_uid(), ns.has_owner_user() ? " " : "", ns.owner_user()));
    }
    for (const uint32_t child : ns.children()) {
      Line("Children", absl::StrCat(TypeText(ns), ":[", child, "]"));
    }
    for (const NamespaceName& owned : inspected.owned()) Line("Owns", NameText(owned));
  }

  static std::string Creator(const Namespace& ns) {
    if (!ns.has_owner_uid()) return "";
    return absl::StrCat(" created by UID ", ns.owner_uid(), ns.has_owner_user() ? " " : "",
                        ns.owner_user());
  }

  void PrintOwnFacts(const Namespace& ns) {
    for (const std::string& name : ns.names()) Line("Names", name);
    if (ns.has_nsid()) Line("Nsid", absl::StrCat(ns.nsid()));
    if (ns.has_hostname()) Line("Host name", ns.hostname());
    if (ns.has_domainname()) Line("Domain name", ns.domainname());
    PrintMap("UID map", ns.uid_map());
    PrintMap("GID map", ns.gid_map());
    if (ns.has_setgroups_allowed()) {
      Line("Setgroups", ns.setgroups_allowed() ? "allowed" : "denied");
    }
    for (const nsdisc::ClockOffset& offset : ns.clock_offsets()) {
      Line("Clock offsets", absl::StrFormat("%s %d s %d ns", offset.clock(), offset.seconds(),
                                            offset.nanoseconds()));
    }
    if (ns.has_ipc_counts()) PrintIpc(ns.ipc_counts());
    if (ns.has_mount_count()) Line("Mounts", absl::StrCat(ns.mount_count()));
    if (ns.awaits_first_process()) Line("First process", "awaited");
  }

  void PrintIpc(const nsdisc::IpcCounts& ipc) {
    Line("Message queues",
         absl::StrCat(ipc.message_queues(), " with ", ipc.messages(), " messages"));
    Line("Semaphore sets",
         absl::StrCat(ipc.semaphore_sets(), " with ", ipc.semaphores(), " semaphores"));
    Line("Shared memory", absl::StrCat(ipc.shared_memory_segments(), " segments with ",
                                       ipc.shared_memory_pages(), " pages"));
  }

  // As the kernel shows it (user_namespaces(7)): the first number inside and outside, and how many.
  void PrintMap(const char* key, const RepeatedPtrField<nsdisc::IdMapping>& map) {
    for (const nsdisc::IdMapping& mapping : map) {
      Line(key, absl::StrCat(mapping.inside(), " ", mapping.outside(), " ", mapping.count()));
    }
  }

  void PrintMembers(const InspectedNamespace& inspected) {
    const Namespace& ns = inspected.row().namespace_();
    for (const HeldBy& held_by : inspected.row().held_by()) {
      Line("Held by", absl::StrCat(held_by.kind(), " ", held_by.count()));
    }
    if (ns.dark()) Line("Held by", "nothing in sight");
    for (const Process& leader : inspected.leaders()) {
      Line("Leaders", absl::StrCat(PidText(leader), " ", CommandText(leader)));
    }
    for (const int32_t tid : ns.loose_threads()) Line("Threads", absl::StrCat(tid));
    for (const int32_t tid : ns.for_children_of()) Line("For children of", absl::StrCat(tid));
    PrintHolders("Descriptors", ns.fds(), ns.fd_count(), DescriptorText);
    PrintHolders("Sockets", ns.sockets(), ns.socket_count(), DescriptorText);
    PrintHolders("Bind mounts", ns.bind_mounts(), ns.bind_mount_count(), MountText);
  }

  // The first of a list, of which there are `count`.
  template <typename Holder>
  void PrintHolders(const char* key, const RepeatedPtrField<Holder>& holders, uint32_t count,
                    std::string (*text)(const Holder&)) {
    const int shown = std::min(holders.size(), kListedHolders);
    for (int i = 0; i < shown; ++i) Line(key, text(holders[i]));
    const int64_t rest = int64_t{count} - shown;
    if (rest > 0) Line(key, absl::StrCat("and ", rest, " more: see nsctl why"));
  }

  static std::string DescriptorText(const nsdisc::FdHolder& holder) {
    std::string text = absl::StrCat(holder.fd(), " of process ", holder.pid());
    if (holder.has_tid()) absl::StrAppend(&text, " thread ", holder.tid());
    if (holder.has_socket_inode()) absl::StrAppend(&text, " socket:[", holder.socket_inode(), "]");
    if (holder.has_target_pid()) absl::StrAppend(&text, " pidfd of ", holder.target_pid());
    return text;
  }

  static std::string MountText(const nsdisc::BindMount& mount) {
    return absl::StrCat("mnt:[", mount.mount_namespace(), "]:", mount.path(),
                        mount.hidden() ? " (hidden)" : "");
  }

  void PrintNamespaceOf(const ProcessNamespace& ns) {
    std::string text = NameText(ns.namespace_());
    if (ns.namespace_().initial()) absl::StrAppend(&text, " (initial)");
    if (ns.for_children()) {
      absl::StrAppend(&text, " (for children)");
    } else if (ns.leads()) {
      absl::StrAppend(&text, " (leader)");
    }
    Line("Namespaces", text);
  }

  void PrintControl(const InspectedProcess& inspected) {
    const nsdisc::Cgroups& cgroups = inspected.cgroups();
    if (cgroups.has_unified()) Line("Cgroups", cgroups.unified());
    for (const nsdisc::Cgroups::V1& v1 : cgroups.v1()) {
      Line("Cgroups", absl::StrCat(v1.controllers(), ":", v1.path()));
    }
    if (cgroups.has_frozen()) Line("Frozen", cgroups.frozen() ? "yes" : "no");
    const Process& process = inspected.process();
    const nsdisc::Scheduling& scheduling = process.scheduling();
    if (!IsUnknown(process)) {
      Line("Scheduling", absl::StrCat(PolicyText(scheduling), ", nice ", scheduling.nice()));
    }
    if (!scheduling.cpus_allowed().empty()) Line("CPUs", scheduling.cpus_allowed());
    if (!process.has_capabilities()) return;
    const std::vector<std::string> names = CapabilityNames(process.capabilities().effective());
    Line("Capabilities", names.empty() ? "none" : absl::StrJoin(names, " "));
  }

  static std::string PolicyText(const nsdisc::Scheduling& scheduling) {
    const std::string& name = nsdisc::Scheduling::Policy_Name(scheduling.policy());
    std::string text = name.empty() ? absl::StrCat(scheduling.policy()) : name;
    if (scheduling.realtime_priority() > 0) {
      absl::StrAppend(&text, " ", scheduling.realtime_priority());
    }
    return text;
  }

  void PrintThreads(const Process& process) {
    if (process.thread_count() > 0) Line("Thread count", absl::StrCat(process.thread_count()));
    for (const nsdisc::Thread& thread : process.threads()) {
      Line("Threads", absl::StrCat(thread.tid(), " ", thread.name(),
                                   thread.own_fd_table() ? " (descriptors of its own)" : ""));
    }
  }

  void PrintHold(const ProcessHolds& holds) {
    std::string text = absl::StrCat(NameText(holds.namespace_()), " ", holds.kind());
    if (holds.has_fd()) {
      absl::StrAppend(&text, " ", holds.fd().fd());
      if (holds.fd().has_tid()) absl::StrAppend(&text, " of thread ", holds.fd().tid());
      if (holds.fd().has_socket_inode()) {
        absl::StrAppend(&text, " socket:[", holds.fd().socket_inode(), "]");
      }
    }
    if (holds.has_tid()) {
      absl::StrAppend(&text, holds.kind() == "thread" ? " " : " of thread ", holds.tid());
    }
    Line("Holds", text);
  }

  // `value`: stored text. A key that repeats is left out.
  void Line(absl::string_view key, absl::string_view value) {
    const bool first = key != last_key_;
    last_key_ = std::string(key);
    std::string head = first ? absl::StrCat(key, ":") : "";
    head.resize(kKeyWidth, ' ');
    std::string text = base::TerminalText(value);
    if (presentation_.width > 0) {
      text = base::TruncateToWidth(
          text, presentation_.width > kKeyWidth ? presentation_.width - kKeyWidth : 0,
          presentation_.glyphs->ellipsis);
    }
    out_->Append(
        absl::StrCat(first ? presentation_.Paint(Role::kHeading, head) : head, text, "\n"));
  }

  const Presentation& presentation_;
  Writer* out_;
  std::string last_key_;
};

}  // namespace

void PrintInspection(const Inspection& inspection, const Presentation& presentation, Writer* out) {
  InspectionPrinter printer(presentation, out);
  if (inspection.has_container()) {
    printer.PrintContainer(inspection.container());
  } else if (inspection.has_process()) {
    printer.PrintProcess(inspection.process());
  } else {
    printer.PrintNamespace(inspection.namespace_());
  }
}

}  // namespace nsctl::cmd
