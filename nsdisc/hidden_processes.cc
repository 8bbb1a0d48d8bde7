#include "nsdisc/hidden_processes.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "mounttree/mountinfo.h"
#include "procfsroot/process_files.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using procfsroot::ProcessDir;

// Holds CAP_SYS_PTRACE in the initial user namespace, and so over every process.
bool SeesAll(const procfsroot::Procfs& procfs) {
  const absl::StatusOr<ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return false;
  std::string text;
  if (self->TryReadRecord("status", procfsroot::kMaxStatus, &text) != 0) return false;
  const absl::StatusOr<procfsroot::StatusFields> status = procfsroot::ParseStatus(text);
  const uint32_t user =
      self->ReadNamespaceLinks().in[static_cast<size_t>(NamespaceType::kUser)].inode;
  return status.ok() && (status->effective_capabilities >> CAP_SYS_PTRACE & 1) != 0 &&
         user == base::InfoOf(NamespaceType::kUser).initial_inode;
}

}  // namespace

bool OptionsHideProcesses(absl::string_view super_options, bool sees_all,
                          absl::FunctionRef<bool(gid_t)> is_member) {
  bool hides = false;
  bool is_exempt = sees_all;
  for (absl::string_view option : absl::StrSplit(super_options, ',')) {
    // Hides what may not be traced from everybody, of whatever group.
    if (option == "hidepid=4" || option == "hidepid=ptraceable") return true;
    if (option == "hidepid=2" || option == "hidepid=invisible") hides = true;
    gid_t group = 0;
    if (absl::ConsumePrefix(&option, "gid=") && absl::SimpleAtoi(option, &group)) {
      is_exempt |= is_member(group);
    }
  }
  return hides && !is_exempt;
}

bool HidesProcesses(const procfsroot::Procfs& procfs, absl::string_view mountinfo) {
  const absl::StatusOr<struct stat> root = base::Stat(procfs.fd());
  if (!root.ok() || mountinfo.empty()) return false;
  const bool sees_all = SeesAll(procfs);
  bool hides = false;
  // A malformed line ends the search; what was found before it holds.
  mounttree::ForEachMount(mountinfo, [&](const mounttree::MountinfoRow& row) {
    if (row.device_major != major(root->st_dev) || row.device_minor != minor(root->st_dev)) return;
    hides |= OptionsHideProcesses(row.super_options, sees_all,
                                  [](gid_t group) { return group_member(group) != 0; });
  }).IgnoreError();
  return hides;
}

}  // namespace nsctl::nsdisc
