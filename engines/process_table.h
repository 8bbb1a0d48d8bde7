// All processes of a host with their cgroups and helpers, read again and again at little cost:
// processes that were looked at a few times are looked at again once in a while only.

#ifndef NSCTL_ENGINES_PROCESS_TABLE_H_
#define NSCTL_ENGINES_PROCESS_TABLE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "engines/cgroup_names.h"
#include "engines/helper_processes.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// What one content of /proc/PID/cgroup says; many processes share it.
struct CgroupPlace {
  // The container that it is named for; nullopt where it is named for none.
  std::optional<CgroupName> name;
  // The unified hierarchy's path, or the longest of all others.
  std::string path;
  // Of the hierarchies that can freeze processes; empty where it is the root.
  std::string freezer;
  std::string unified;
};
CgroupPlace ParseCgroupPlace(absl::string_view text);

struct TableOptions {
  // Processes that were looked at so often are looked at again only every so many times.
  int settled_after = 3;
  int all_again_after = 12;
};

// For one thread at a time.
class ProcessTable {
 public:
  struct Row {
    ScannedProcess process;
    // Null where it could not be read.
    std::shared_ptr<const CgroupPlace> cgroup;
    std::optional<HelperProcess> helper;
    int looks = 0;
  };

  // `procfs` must outlive the table.
  explicit ProcessTable(const procfsroot::Procfs& procfs, TableOptions options = {})
      : procfs_(procfs), options_(options) {}

  // Kernel threads are left out. Errors: where the list of processes cannot be read.
  absl::Status Refresh();

  // By PID.
  const std::map<base::Pid, Row>& rows() const { return rows_; }

 private:
  // What is read in any thread.
  struct Reading {
    base::Pid pid;
    bool ok = false;
    ScannedProcess process;
    std::string cgroup;
    std::optional<HelperProcess> helper;
  };
  void Read(Reading* reading) const;
  void Take(Reading reading);

  const procfsroot::Procfs& procfs_;
  const TableOptions options_;
  int looks_ = 0;
  std::map<base::Pid, Row> rows_;
  // Looked at again when all are.
  std::set<base::Pid> kernel_threads_;
  // By content.
  std::map<std::string, std::weak_ptr<const CgroupPlace>> cgroups_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PROCESS_TABLE_H_
