#include "engines/machined/machined_client.h"

#include <poll.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/cgroup_place.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/folder_watch.h"
#include "engines/freezer.h"
#include "engines/http_client.h"
#include "engines/json_text.h"
#include "engines/machined/machined_messages.h"
#include "engines/machined/varlink.h"
#include "engines/stop_signal.h"
#include "procfsroot/handle.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines::machined {
namespace {

constexpr char kFolder[] = "/run/systemd/machines";
constexpr char kListMethod[] = "io.systemd.Machine.List";
constexpr size_t kMaxMachines = 10'000;
constexpr size_t kMaxFile = 64 << 10;
// Nobody tells of what is frozen.
constexpr absl::Duration kInterval = absl::Seconds(5);

// Older versions do not know the method; and systemd hangs up where it does not see who connects,
// as from outside of its PID namespace.
bool HasNoList(const absl::Status& status) {
  const int error = base::ErrnoOf(status);
  return absl::IsUnimplemented(status) || absl::IsDataLoss(status) || error == ECONNRESET ||
         error == EPIPE;
}

class MachinedClient : public EngineClient {
 public:
  MachinedClient(Connector connect, const procfsroot::Procfs& procfs, base::Pid machined,
                 procfsroot::Root root)
      : connect_(std::move(connect)),
        procfs_(procfs),
        root_(std::move(root)),
        processes_(FindProcessesOf(procfs, machined)),
        freezer_(HostRoot(procfs)) {}

  absl::StatusOr<Engine> Identify(const CallLimits& limits) override;
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  // What changes is looked at after the folder is watched.
  bool replays() const override { return true; }

 private:
  // By name: the number of its file, which is written anew for each change, and whether its
  // processes are frozen.
  using Files = std::map<std::string, std::pair<uint64_t, bool>>;

  absl::Status ListByVarlink(const Json& parameters, const CallLimits& limits,
                             absl::FunctionRef<absl::Status(EngineRow)> sink) const;
  absl::StatusOr<std::vector<procfsroot::DirectoryEntry>> ReadFolder() const;
  absl::StatusOr<std::optional<EngineRow>> ReadMachine(const std::string& name) const;
  // What the kernel knows of its process.
  void Complete(EngineRow* row) const;
  absl::StatusOr<Files> LookAtFiles() const;
  static void TellDifference(const Files& before, const Files& now,
                             absl::FunctionRef<void(const EngineEvent&)> sink);

  const Connector connect_;
  const procfsroot::Procfs& procfs_;
  const procfsroot::Root root_;
  const absl::StatusOr<std::unique_ptr<ProcessFinder>> processes_;
  const Freezer freezer_;
  std::atomic<bool> speaks_varlink_ = false;
};

absl::StatusOr<Engine> MachinedClient::Identify(const CallLimits& limits) {
  Engine engine;
  engine.set_type(Engine::nspawn);
  const auto take = [&engine](const Json& parameters) {
    // "257 (257.9-1)"
    engine.set_version(TextMember(parameters, "version"));
    return absl::OkStatus();
  };
  // Of little use, and not known to all versions.
  const absl::Status info =
      VarlinkCall(connect_, {.method = "org.varlink.service.GetInfo", .parameters = Json::object()},
                  limits, take);
  if (absl::IsCancelled(info) || absl::IsDeadlineExceeded(info)) return info;
  const absl::Status list =
      ListByVarlink(Json::object(), limits, [](const EngineRow&) { return absl::OkStatus(); });
  if (!list.ok() && !HasNoList(list)) return list;
  speaks_varlink_ = list.ok();
  if (!list.ok()) engine.set_api(kFolder);
  engine.set_api_version(list.ok() ? kListMethod : "files");
  return engine;
}

absl::Status MachinedClient::ListByVarlink(const Json& parameters, const CallLimits& limits,
                                           absl::FunctionRef<absl::Status(EngineRow)> sink) const {
  const absl::Status status =
      VarlinkCall(connect_, {.method = kListMethod, .parameters = parameters, .more = true}, limits,
                  [&sink](const Json& machine) {
                    std::optional<EngineRow> row = RowOfMachine(machine);
                    return row.has_value() ? sink(*std::move(row)) : absl::OkStatus();
                  });
  // Said of an empty list, too.
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::vector<procfsroot::DirectoryEntry>> MachinedClient::ReadFolder() const {
  absl::StatusOr<std::vector<procfsroot::DirectoryEntry>> entries =
      root_.ReadDir(kFolder, kMaxMachines);
  // It is made with the first machine.
  if (base::IsGone(entries.status())) return std::vector<procfsroot::DirectoryEntry>();
  if (!entries.ok()) return entries.status();
  // Links are machines by their units; files that begin with a dot are being written.
  std::erase_if(*entries, [](const procfsroot::DirectoryEntry& entry) {
    return entry.type != S_IFREG || absl::StartsWith(entry.name, ".");
  });
  return entries;
}

absl::StatusOr<std::optional<EngineRow>> MachinedClient::ReadMachine(
    const std::string& name) const {
  const absl::StatusOr<std::string> text =
      root_.ReadFile(absl::StrCat(kFolder, "/", name), kMaxFile, {.follow_last = false});
  if (base::IsGone(text.status())) return std::nullopt;
  NSCTL_RETURN_IF_ERROR(text.status());
  return RowOfStateFile(*text);
}

void MachinedClient::Complete(EngineRow* row) const {
  if (!processes_.ok()) return;
  const auto process = (*processes_)->Find(row->container.engine_pid());
  if (!process.ok()) return;
  const auto directory = procfs_.OpenProcess(base::Pid{(*process)->pid()});
  std::string text;
  if (!directory.ok() || directory->TryReadRecord("cgroup", procfsroot::kMaxCgroup, &text) != 0) {
    return;
  }
  const CgroupPlace place = ParseCgroupPlace(text);
  row->container.set_cgroup(base::EncodeText(place.path));
  if (freezer_.IsFrozen(place)) row->container.set_state(Container::paused);
}

absl::Status MachinedClient::List(const CallLimits& limits,
                                  absl::FunctionRef<absl::Status(EngineRow)> sink) {
  const auto complete = [this, &sink](EngineRow row) {
    Complete(&row);
    return sink(std::move(row));
  };
  if (speaks_varlink_) return ListByVarlink(Json::object(), limits, complete);
  NSCTL_ASSIGN_OR_RETURN(const auto entries, ReadFolder());
  for (const procfsroot::DirectoryEntry& entry : entries) {
    if (absl::Now() > limits.deadline) return absl::DeadlineExceededError("no answer in time");
    NSCTL_ASSIGN_OR_RETURN(std::optional<EngineRow> row, ReadMachine(entry.name));
    if (row.has_value()) NSCTL_RETURN_IF_ERROR(complete(*std::move(row)));
  }
  return absl::OkStatus();
}

absl::StatusOr<EngineRow> MachinedClient::Inspect(const ContainerId& container,
                                                  const CallLimits& limits) {
  std::optional<EngineRow> found;
  const std::optional<std::string> name = base::DecodeText(container.id);
  if (speaks_varlink_) {
    Json parameters = Json::object();
    parameters["name"] = name.value_or("");
    NSCTL_RETURN_IF_ERROR(ListByVarlink(parameters, limits, [&found](EngineRow row) {
      found = std::move(row);
      return absl::OkStatus();
    }));
  } else if (name.has_value() && name->find('/') == std::string::npos) {
    NSCTL_ASSIGN_OR_RETURN(found, ReadMachine(*name));
  }
  if (!found.has_value() || found->container.id() != container.id) {
    return absl::NotFoundError("no such machine");
  }
  Complete(&*found);
  return *std::move(found);
}

absl::StatusOr<MachinedClient::Files> MachinedClient::LookAtFiles() const {
  NSCTL_ASSIGN_OR_RETURN(const auto entries, ReadFolder());
  Files files;
  for (const procfsroot::DirectoryEntry& entry : entries) {
    absl::StatusOr<std::optional<EngineRow>> row = ReadMachine(entry.name);
    const bool is_container = row.ok() && row->has_value();
    if (is_container) Complete(&**row);
    files[entry.name] = {entry.inode,
                         is_container && (*row)->container.state() == Container::paused};
  }
  return files;
}

void MachinedClient::TellDifference(const Files& before, const Files& now,
                                    absl::FunctionRef<void(const EngineEvent&)> sink) {
  const auto tell = [&sink](EngineEvent::Kind kind, const std::string& name) {
    sink({.kind = kind, .container = {.native_namespace = "", .id = base::EncodeText(name)}});
  };
  for (const auto& [name, file] : before) {
    if (!now.contains(name)) tell(EngineEvent::Kind::kExited, name);
  }
  for (const auto& [name, file] : now) {
    const auto known = before.find(name);
    if (known == before.end()) {
      tell(EngineEvent::Kind::kStarted, name);
    } else if (known->second != file) {
      tell(EngineEvent::Kind::kUpdated, name);
    }
  }
}

absl::Status MachinedClient::Watch(absl::Time /*since*/, const CallLimits& limits,
                                   absl::FunctionRef<void()> subscribed,
                                   absl::FunctionRef<void(const EngineEvent&)> sink) {
  NSCTL_ASSIGN_OR_RETURN(FolderWatch folder, FolderWatch::Make(root_, kFolder));
  (void)folder.Begin();
  NSCTL_ASSIGN_OR_RETURN(Files known, LookAtFiles());
  subscribed();
  while (true) {
    absl::Status status = AwaitReady(folder.fd(), POLLIN, absl::Now() + kInterval, limits.stop);
    if (!status.ok() && !absl::IsDeadlineExceeded(status)) return status;
    folder.Drain();
    (void)folder.Begin();
    NSCTL_ASSIGN_OR_RETURN(Files now, LookAtFiles());
    TellDifference(known, now, sink);
    known = std::move(now);
  }
}

}  // namespace

std::unique_ptr<EngineClient> MakeMachinedClient(Connector connect,
                                                 const procfsroot::Procfs& procfs,
                                                 base::Pid machined, procfsroot::Root root) {
  return std::make_unique<MachinedClient>(std::move(connect), procfs, machined, std::move(root));
}

}  // namespace nsctl::engines::machined
