// All processes of a host, as far as finding engines and their containers needs them: read once for
// everybody who looks, and again and again at little cost, as processes that were looked at a few
// times are looked at again once in a while only.

#ifndef NSCTL_ENGINES_PROCESS_TABLE_H_
#define NSCTL_ENGINES_PROCESS_TABLE_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "engines/cgroup_place.h"
#include "engines/engine_types.h"
#include "engines/helper_processes.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// What somebody read of a process before.
struct KnownProcess {
  ScannedProcess process = {};
  // The content of its cgroup file, and its arguments; nullopt: not read.
  std::optional<std::string> cgroup = std::nullopt;
  std::optional<std::vector<std::string>> arguments = std::nullopt;
  // Without sockets it is no engine, whatever its program.
  bool has_sockets = true;
};

// Whether the arguments of `process`, all else of which is known, may be asked for: of most
// processes they are not.
bool MayNeedArguments(const KnownProcess& process);

struct TableOptions {
  absl::Span<const EngineKind> kinds = EngineKinds();
  // Processes that were looked at so often are looked at again only every so many times.
  int settled_after = 3;
  int all_again_after = 12;
};

// Thread-safe.
class ProcessTable {
 public:
  struct Row {
    ScannedProcess process;
    // Null where it could not be read.
    std::shared_ptr<const CgroupPlace> cgroup = nullptr;
    std::optional<HelperProcess> helper = std::nullopt;
    // The engines that it may be, by its name, program and arguments; mostly none.
    std::vector<const EngineKind*> kinds = {};
    int looks = 0;
  };
  // By PID. Kernel threads are left out; of zombies only `process` is known.
  using Rows = std::map<base::Pid, Row>;

  // `procfs` must outlive the table.
  explicit ProcessTable(const procfsroot::Procfs& procfs, TableOptions options = {})
      : procfs_(procfs), options_(options) {}

  const procfsroot::Procfs& procfs() const { return procfs_; }

  // Counts as a look that read all of `processes`, of which at most one link is read here. Before
  // any other look.
  void Take(std::vector<KnownProcess> processes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Those that there are, or that there were `max_age` ago at most. Nine system calls for each
  // that is read. Errors: where the list of processes cannot be read.
  absl::StatusOr<std::shared_ptr<const Rows>> Look(absl::Duration max_age)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Between two looks: those that were known are not read again. Errors as above.
  absl::StatusOr<std::shared_ptr<const Rows>> LookForNew() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What is read in any thread.
  struct Reading {
    base::Pid pid;
    // `process` is known, or was read.
    bool is_there = false;
    KnownProcess process = {};
    Row row = {};
  };
  void Read(Reading* reading) const;
  void AddAll(std::vector<Reading> readings) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Add(const std::optional<std::string>& cgroup, Row row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of what is known what is to be read again, and what is new.
  absl::Status Refresh(absl::FunctionRef<bool(const Row&)> is_read_again)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // That nobody else has.
  Rows& OwnRows() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const procfsroot::Procfs& procfs_;
  const TableOptions options_;
  absl::Mutex mutex_;
  int looks_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time looked_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::shared_ptr<Rows> rows_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Rows>();
  // Looked at again when all are.
  std::set<base::Pid> kernel_threads_ ABSL_GUARDED_BY(mutex_);
  // By content.
  std::map<std::string, std::weak_ptr<const CgroupPlace>> cgroups_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PROCESS_TABLE_H_
