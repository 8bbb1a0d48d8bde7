// The process that LXC leaves beside each container, which answers for it.
//
// A monitor is believed for a child of its own alone. Whose monitor it is follows from the kernel:
// the name that it shows is the name of a socket that it listens at, and whoever connects in its
// network namespace while it does reaches nobody else. (SO_PEERCRED is of no use here: LXC listens
// before it forks, so it names a process that ended.)

#ifndef NSCTL_ENGINES_LXC_LXC_MONITOR_H_
#define NSCTL_ENGINES_LXC_LXC_MONITOR_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_connection.h"
#include "engines/lxc/lxc_messages.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {

// What monitors of one engine have in common. Anybody may call a folder his that is not.
struct Place {
  // The folder of its containers, as bytes.
  std::string path;
  uint64_t pid_namespace = 0;
  uint64_t network_namespace = 0;
  uint64_t user_namespace = 0;
  uid_t uid = 0;

  friend bool operator==(const Place&, const Place&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const Place&, const Place&) = default;
};

// A process as it was found to be.
struct Child {
  std::shared_ptr<const ContainerProcess> process;
  base::Pid parent;
};

// Thread-safe.
class Monitor {
 public:
  // `process` is called "[lxc monitor] PATH NAME". `procfs` shows the caller's own PIDs and must
  // outlive the result. Errors: ESRCH or ENOENT where it ended; NOT_FOUND where it listens at no
  // socket for that container, as before it begins and after it ends; those of reading a process.
  static absl::StatusOr<std::shared_ptr<const Monitor>> Find(const procfsroot::Procfs& procfs,
                                                             const ScannedProcess& process,
                                                             absl::string_view path,
                                                             absl::string_view name);

  // The same process, where it listens now: a container that is rebooted gets another socket.
  absl::StatusOr<std::shared_ptr<const Monitor>> FindAgain() const;

  const Place& place() const { return place_; }
  const std::string& name() const { return name_; }
  const ContainerProcess& process() const { return *process_; }

  // What it says of its container, whose process it must be the parent of; nullopt where there is
  // none yet, or none any more. `find` finds the process of a number of its. Errors: EPERM where
  // that is no child of its; those of `find`, Ask and of the monitor's end.
  absl::StatusOr<std::optional<EngineRow>> Describe(
      absl::FunctionRef<absl::StatusOr<Child>(int64_t)> find, const CallLimits& limits) const;

  // As LXC and the monitor count. Errors: those of Ask.
  struct Now {
    int64_t state = 0;
    // 0 or less where there is no process.
    int64_t init_pid = 0;

    friend bool operator==(const Now&, const Now&) = default;
  };
  absl::StatusOr<Now> ReadNow(const CallLimits& limits) const;

 private:
  Monitor(const procfsroot::Procfs& procfs, std::shared_ptr<const ContainerProcess> process)
      : procfs_(procfs), process_(std::move(process)) {}

  absl::StatusOr<base::OwnedFd> Connect() const;
  // On a connection of its own: monitors hang up after most commands.
  absl::StatusOr<Reply> Call(Command command, absl::string_view payload,
                             const CallLimits& limits) const;
  absl::Status ReadConfig(const CallLimits& limits, Facts* facts) const;
  // Of the answers so far: they were its own.
  absl::Status CheckListens() const;

  const procfsroot::Procfs& procfs_;
  const std::shared_ptr<const ContainerProcess> process_;
  Place place_;
  std::string name_;
  // Where it listens, by name and number.
  std::string socket_;
  uint64_t inode_ = 0;
  // Its network namespace; empty where that is the caller's own.
  base::OwnedFd network_;
  // Of whom it takes commands.
  uid_t caller_ = 0;
};

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_MONITOR_H_
