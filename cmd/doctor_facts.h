// What `nsctl doctor` looks at, before it is judged.

#ifndef NSCTL_CMD_DOCTOR_FACTS_H_
#define NSCTL_CMD_DOCTOR_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/feature_probe.h"
#include "base/namespace_type.h"
#include "cmd/doctor.pb.h"
#include "cmd/system.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

// Options of a mount of procfs (proc(5)).
struct ProcfsMount {
  // "0", "noaccess", "invisible", "ptraceable", or their numbers on older kernels; empty: not
  // given.
  std::string hidepid;
  // "subset=pid": nothing but processes is shown.
  bool subset_pid = false;

  friend bool operator==(const ProcfsMount&, const ProcfsMount&) = default;
};

enum class CgroupLayout { kUnknown, kV1, kV2, kHybrid };

// An absent value could not be read.
struct DoctorFacts {
  std::string kernel_release;
  std::string machine;

  // The caller.
  std::optional<uint64_t> effective_capabilities;
  // "Seccomp:" of proc_pid_status(5).
  std::optional<int> seccomp_mode;
  std::optional<uint32_t> pid_namespace;
  std::optional<uint32_t> user_namespace;
  std::optional<uint32_t> cgroup_namespace;
  CgroupLayout cgroups = CgroupLayout::kUnknown;

  // The procfs that would be scanned.
  std::string procfs_path;
  bool procfs_is_kernel = false;
  bool procfs_has_own_pids = false;
  std::optional<ProcfsMount> mount;
  // Absent where there is no Yama, too.
  std::optional<int> ptrace_scope;
  DoctorReport::Reach reach;

  std::vector<base::Feature> features;
};

// Asks `system`, and reads of every process of `procfs` where its namespaces are. What cannot be
// read stays absent.
DoctorFacts CollectDoctorFacts(const procfsroot::Procfs& procfs, System& system);

// The options of the procfs with that device number in the text of a proc_pid_mountinfo(5); of the
// last procfs there where none has it. nullopt: none at all.
std::optional<ProcfsMount> ParseProcfsMount(absl::string_view mountinfo, uint32_t device_major,
                                            uint32_t device_minor);

// By the text of a process's proc_pid_cgroup(5).
CgroupLayout ParseCgroupLayout(absl::string_view cgroup);

// nullopt where the text of a proc_pid_status(5) has no "Seccomp:".
std::optional<int> ParseSeccompMode(absl::string_view status);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DOCTOR_FACTS_H_
