#include "cmd/doctor_facts.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/text.h"
#include "mounttree/mountinfo.h"
#include "procfsroot/process_files.h"

namespace nsctl::cmd {
namespace {

using procfsroot::NamespaceLinks;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

constexpr size_t kMaxMountinfo = 64 << 20;
constexpr size_t kMaxLine = 4096;

std::optional<uint32_t> InodeOf(const NamespaceLinks& links, base::NamespaceType type) {
  const NamespaceLinks::Entry& entry = links.in[static_cast<size_t>(type)];
  if (entry.error != 0) return std::nullopt;
  return entry.inode;
}

void CollectCaller(System& system, DoctorFacts* facts) {
  const absl::StatusOr<Procfs> procfs = system.OpenProcfs("");
  if (!procfs.ok()) return;
  const absl::StatusOr<ProcessDir> self = procfs->OpenSelf();
  if (!self.ok()) return;
  if (const auto text = self->Read("status", procfsroot::kMaxStatus); text.ok()) {
    facts->seccomp_mode = ParseSeccompMode(*text);
    const auto status = procfsroot::ParseStatus(*text);
    if (status.ok()) facts->effective_capabilities = status->effective_capabilities;
  }
  if (const auto text = self->Read("cgroup", procfsroot::kMaxCgroup); text.ok()) {
    facts->cgroups = ParseCgroupLayout(*text);
  }
  const NamespaceLinks links = self->ReadNamespaceLinks();
  facts->pid_namespace = InodeOf(links, base::NamespaceType::kPid);
  facts->user_namespace = InodeOf(links, base::NamespaceType::kUser);
  facts->cgroup_namespace = InodeOf(links, base::NamespaceType::kCgroup);
}

// The errno that keeps the namespaces of a process from the caller; 0 where they can be read.
// ENOENT is the answer for namespaces that a kernel or a zombie does not have.
int ErrorOf(const NamespaceLinks& links) {
  for (const NamespaceLinks::Entry& entry : links.in) {
    if (base::IsDenied(entry.error)) return entry.error;
  }
  return 0;
}

void CollectReach(const Procfs& procfs, DoctorReport::Reach* reach) {
  const absl::StatusOr<std::vector<base::Pid>> pids = procfs.ListProcesses();
  if (!pids.ok()) return;
  for (const base::Pid pid : *pids) {
    const absl::StatusOr<ProcessDir> process = procfs.OpenProcess(pid);
    if (base::IsGone(process.status())) {
      reach->set_vanished(reach->vanished() + 1);
      continue;
    }
    reach->set_processes(reach->processes() + 1);
    const int error =
        process.ok() ? ErrorOf(process->ReadNamespaceLinks()) : base::ErrnoOf(process.status());
    if (process.ok() && error == 0) {
      reach->set_readable(reach->readable() + 1);
      continue;
    }
    reach->set_denied(reach->denied() + 1);
    if (reach->denied() > 1) continue;
    reach->set_first_denied(absl::StrCat("pid:", pid.value));
    reach->set_first_error(base::ErrnoName(error));
  }
}

void CollectProcfs(const Procfs& procfs, DoctorFacts* facts) {
  facts->procfs_path = base::EncodeText(procfs.path());
  facts->procfs_is_kernel = procfs.is_kernel();
  facts->procfs_has_own_pids = procfs.has_own_pids();
  if (const auto text = procfs.ReadFile("sys/kernel/osrelease", kMaxLine); text.ok()) {
    facts->kernel_release = base::EncodeText(absl::StripAsciiWhitespace(*text));
  }
  if (const auto text = procfs.ReadFile("sys/kernel/yama/ptrace_scope", kMaxLine); text.ok()) {
    int scope = 0;
    if (absl::SimpleAtoi(*text, &scope)) facts->ptrace_scope = scope;
  }
  const absl::StatusOr<ProcessDir> self = procfs.OpenSelf();
  const absl::StatusOr<struct stat> status = base::Stat(procfs.fd());
  if (self.ok() && status.ok()) {
    const auto mountinfo = self->Read("mountinfo", kMaxMountinfo);
    if (mountinfo.ok()) {
      facts->mount = ParseProcfsMount(*mountinfo, major(status->st_dev), minor(status->st_dev));
    }
  }
  CollectReach(procfs, &facts->reach);
}

}  // namespace

DoctorFacts CollectDoctorFacts(const Procfs& procfs, System& system) {
  DoctorFacts facts;
  struct utsname name;
  if (procfs.is_kernel() && uname(&name) == 0) facts.machine = base::EncodeText(name.machine);
  CollectCaller(system, &facts);
  CollectProcfs(procfs, &facts);
  facts.features = system.ProbeFeatures();
  return facts;
}

std::optional<ProcfsMount> ParseProcfsMount(absl::string_view mountinfo, uint32_t device_major,
                                            uint32_t device_minor) {
  std::optional<ProcfsMount> found;
  bool found_device = false;
  const auto visit = [&](const mounttree::MountinfoRow& row) {
    if (row.file_system != "proc") return;
    const bool is_device = row.device_major == device_major && row.device_minor == device_minor;
    if (found_device && !is_device) return;
    found_device |= is_device;
    found.emplace();
    for (absl::string_view option : absl::StrSplit(row.super_options, ',')) {
      if (option == "subset=pid") found->subset_pid = true;
      if (absl::ConsumePrefix(&option, "hidepid=")) found->hidepid = std::string(option);
    }
  };
  // What stands before a line that is no mount was still seen.
  mounttree::ForEachMount(mountinfo, visit).IgnoreError();
  return found;
}

CgroupLayout ParseCgroupLayout(absl::string_view cgroup) {
  bool has_v1 = false;
  bool has_v2 = false;
  const absl::Status status = procfsroot::ParseCgroup(
      cgroup,
      [&](const procfsroot::CgroupLine& line) { (line.hierarchy == 0 ? has_v2 : has_v1) = true; });
  if (!status.ok() || (!has_v1 && !has_v2)) return CgroupLayout::kUnknown;
  if (has_v1 && has_v2) return CgroupLayout::kHybrid;
  return has_v1 ? CgroupLayout::kV1 : CgroupLayout::kV2;
}

std::optional<int> ParseSeccompMode(absl::string_view status) {
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    int mode = 0;
    if (absl::ConsumePrefix(&line, "Seccomp:") && absl::SimpleAtoi(line, &mode)) return mode;
  }
  return std::nullopt;
}

}  // namespace nsctl::cmd
