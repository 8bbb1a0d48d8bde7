#include "engines/lxc/lxc_monitor.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/cgroup_place.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/listening_sockets.h"
#include "engines/lxc/lxc_connection.h"
#include "engines/lxc/lxc_messages.h"
#include "engines/process_scan.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {
namespace {

using procfsroot::ProcessDir;

constexpr size_t kMaxTitle = size_t{64} << 10;

absl::StatusOr<uid_t> ReadUid(const ProcessDir& process) {
  NSCTL_ASSIGN_OR_RETURN(const std::string text, process.Read("status", procfsroot::kMaxStatus));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatusFields fields, procfsroot::ParseStatus(text));
  return fields.effective_uid;
}

absl::Status ReadPlace(const ProcessDir& process, Place* place) {
  NSCTL_ASSIGN_OR_RETURN(place->pid_namespace, ReadNamespaceInode(process, "pid"));
  NSCTL_ASSIGN_OR_RETURN(place->network_namespace, ReadNamespaceInode(process, "net"));
  NSCTL_ASSIGN_OR_RETURN(place->user_namespace, ReadNamespaceInode(process, "user"));
  NSCTL_ASSIGN_OR_RETURN(place->uid, ReadUid(process));
  return absl::OkStatus();
}

// The first process of a container is a fork of its monitor, with its title and sockets, until it
// executes something else.
bool IsForkOfMonitor(const procfsroot::Procfs& procfs, const ScannedProcess& process,
                     const ProcessDir& directory) {
  const absl::StatusOr<ProcessDir> parent = procfs.OpenProcess(process.parent);
  if (!parent.ok()) return false;
  const auto title = directory.Read("cmdline", kMaxTitle);
  const auto title_of_parent = parent->Read("cmdline", kMaxTitle);
  return title.ok() && title_of_parent.ok() && *title == *title_of_parent;
}

// As the kernel shows it; what the monitor says is below its own root.
std::string ReadCgroupPath(const procfsroot::Procfs& procfs, int32_t pid) {
  const absl::StatusOr<ProcessDir> process = procfs.OpenProcess(base::Pid{pid});
  std::string text;
  if (!process.ok() || process->TryReadRecord("cgroup", procfsroot::kMaxCgroup, &text) != 0) {
    return "";
  }
  return base::EncodeText(ParseCgroupPlace(text).path);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Monitor>> Monitor::Find(const procfsroot::Procfs& procfs,
                                                             const ScannedProcess& process,
                                                             absl::string_view path,
                                                             absl::string_view name) {
  NSCTL_ASSIGN_OR_RETURN(std::shared_ptr<const ContainerProcess> held,
                         HoldProcess(procfs, process.pid));
  if (held->start_time() != process.start_time) return base::ErrnoStatus(ESRCH, "find a monitor");
  const std::shared_ptr<Monitor> monitor = absl::WrapUnique(new Monitor(procfs, std::move(held)));
  monitor->name_ = std::string(name);
  monitor->place_.path = std::string(path);
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir directory, procfs.OpenProcess(process.pid));
  if (IsForkOfMonitor(procfs, process, directory)) {
    return absl::NotFoundError("is no monitor, but made by one");
  }
  NSCTL_RETURN_IF_ERROR(ReadPlace(directory, &monitor->place_));
  NSCTL_ASSIGN_OR_RETURN(const ListeningSockets sockets,
                         ReadListeningSockets(procfs, process.pid, SocketSpace::kAbstract));
  monitor->socket_ = SocketName(path, name);
  for (const ListeningSocket& socket : sockets.sockets) {
    if (socket.path == monitor->socket_) monitor->inode_ = socket.inode;
  }
  if (monitor->inode_ == 0) return absl::NotFoundError("listens for no container of that name");
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(const uint64_t own_network, ReadNamespaceInode(self, "net"));
  NSCTL_ASSIGN_OR_RETURN(const uint64_t own_user, ReadNamespaceInode(self, "user"));
  if (monitor->place_.network_namespace != own_network) {
    NSCTL_ASSIGN_OR_RETURN(monitor->network_, directory.OpenNamespace("net"));
  }
  // Root here need not be anybody there.
  monitor->caller_ = monitor->place_.user_namespace == own_user ? geteuid() : monitor->place_.uid;
  if (monitor->process_->Ended()) return base::ErrnoStatus(ESRCH, "find a monitor");
  return monitor;
}

absl::StatusOr<std::shared_ptr<const Monitor>> Monitor::FindAgain() const {
  NSCTL_ASSIGN_OR_RETURN(const ScannedProcess scanned,
                         ScanProcess(procfs_, base::Pid{process_->pid()}));
  if (scanned.start_time != process_->start_time()) return base::ErrnoStatus(ESRCH, "find");
  return Find(procfs_, scanned, place_.path, name_);
}

absl::StatusOr<base::OwnedFd> Monitor::Connect() const {
  return ConnectAbstract(network_, socket_);
}

absl::StatusOr<Reply> Monitor::Call(Command command, absl::string_view payload,
                                    const CallLimits& limits) const {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd socket, Connect());
  return Ask(socket, caller_, command, payload, limits);
}

absl::Status Monitor::ReadConfig(const CallLimits& limits, Facts* facts) const {
  for (const char* const item : kConfigItems) {
    // With the NUL of C's strings.
    NSCTL_ASSIGN_OR_RETURN(Reply reply,
                           Call(Command::kGetConfigItem, {item, strlen(item) + 1}, limits));
    // What is not set is an error.
    if (reply.head.result == 0 && !reply.text.empty()) {
      facts->config[item] = std::move(reply.text);
    }
  }
  return absl::OkStatus();
}

absl::Status Monitor::CheckListens() const {
  NSCTL_ASSIGN_OR_RETURN(const std::set<uint64_t> held,
                         ReadSocketInodes(procfs_, base::Pid{process_->pid()}));
  if (process_->Ended()) return base::ErrnoStatus(ESRCH, "ask a monitor");
  if (held.contains(inode_)) return absl::OkStatus();
  return absl::UnavailableError("the monitor listens there no more");
}

absl::StatusOr<std::optional<EngineRow>> Monitor::Describe(
    absl::FunctionRef<absl::StatusOr<Child>(int64_t)> find, const CallLimits& limits) const {
  Facts facts;
  facts.name = name_;
  NSCTL_ASSIGN_OR_RETURN(const Now now, ReadNow(limits));
  // Before it is made, and after it ended.
  if (now.init_pid <= 0) return std::nullopt;
  facts.init_pid = now.init_pid;
  facts.state = now.state;
  NSCTL_RETURN_IF_ERROR(ReadConfig(limits, &facts));
  NSCTL_RETURN_IF_ERROR(CheckListens());
  const absl::StatusOr<Child> child = find(facts.init_pid);
  if (base::IsGone(child.status())) return std::nullopt;
  NSCTL_RETURN_IF_ERROR(child.status());
  if (child->parent.value != process_->pid()) {
    return base::ErrnoStatus(EPERM, absl::StrCat("take process ", facts.init_pid),
                             "no child of the monitor");
  }
  EngineRow row = RowOf(facts);
  row.container.set_cgroup(ReadCgroupPath(procfs_, child->process->pid()));
  return row;
}

absl::StatusOr<Monitor::Now> Monitor::ReadNow(const CallLimits& limits) const {
  NSCTL_ASSIGN_OR_RETURN(const Reply init, Call(Command::kGetInitPid, "", limits));
  NSCTL_ASSIGN_OR_RETURN(const Reply state, Call(Command::kGetState, "", limits));
  return Now{.state = state.head.value, .init_pid = init.head.result < 0 ? 0 : init.head.value};
}

}  // namespace nsctl::engines::lxc
