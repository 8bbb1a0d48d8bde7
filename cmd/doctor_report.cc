#include "cmd/doctor_report.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "cmd/capabilities.h"

namespace nsctl::cmd {
namespace {

using Check = DoctorReport::Check;

struct CapabilityRow {
  int number;
  Check::State state_without;
  // What follows where it is not held.
  const char* consequence;
};

constexpr CapabilityRow kCapabilities[] = {
    {kCapSysPtrace, Check::missing, "the namespaces of other users' processes are unknown"},
    {kCapSysResource, Check::limited,
     "processes that hold it, often PID 1, may hide their namespaces"},
    {kCapSysAdmin, Check::limited, "namespaces cannot be entered"},
    {kCapSysChroot, Check::limited, "mount namespaces cannot be entered"},
    {kCapDacReadSearch, Check::limited, "files of other users cannot be read in other roots"},
    {kCapNetAdmin, Check::limited, "the network namespace of a socket cannot be asked for"},
};

class Judge {
 public:
  explicit Judge(const DoctorFacts& facts) : facts_(facts) {}

  DoctorReport Report() {
    report_.set_kernel_release(facts_.kernel_release);
    report_.set_machine(facts_.machine);
    *report_.mutable_reach() = facts_.reach;
    JudgeCapabilities();
    JudgeSeccomp();
    JudgeNamespaces();
    JudgeProcfs();
    JudgeReach();
    for (const base::Feature& feature : facts_.features) JudgeFeature(feature);
    for (const Check& check : report_.checks()) {
      if (check.state() != Check::missing) continue;
      report_.add_missing(
          absl::StrCat(check.name(), " (", check.value(), "): ", check.consequence()));
    }
    return std::move(report_);
  }

 private:
  Check* Add(const char* group, const std::string& name, Check::State state,
             const std::string& value, const std::string& consequence = "") {
    Check* check = report_.add_checks();
    check->set_group(group);
    check->set_name(name);
    check->set_state(state);
    check->set_value(value);
    if (state != Check::good) check->set_consequence(consequence);
    return check;
  }

  bool Holds(int capability) const {
    return facts_.effective_capabilities.has_value() &&
           HasCapability(*facts_.effective_capabilities, capability);
  }

  void JudgeCapabilities() {
    if (facts_.effective_capabilities.has_value()) {
      for (std::string& name : CapabilityNames(*facts_.effective_capabilities)) {
        report_.add_effective_capabilities(std::move(name));
      }
    }
    for (const CapabilityRow& row : kCapabilities) {
      const std::string name = CapabilityName(row.number);
      if (!facts_.effective_capabilities.has_value()) {
        Add("caller", name, Check::unknown, "unknown", row.consequence);
      } else {
        const bool held = Holds(row.number);
        Add("caller", name, held ? Check::good : row.state_without, held ? "held" : "not held",
            row.consequence);
      }
    }
  }

  void JudgeSeccomp() {
    if (!facts_.seccomp_mode.has_value()) return;
    const bool filtered = *facts_.seccomp_mode != 0;
    Add("caller", "seccomp", filtered ? Check::limited : Check::good,
        filtered ? "filtered" : "not filtered", "the filter may refuse some of the features below");
  }

  void JudgeNamespace(const char* name, std::optional<uint32_t> inode, base::NamespaceType type,
                      Check::State state_inside, const char* consequence) {
    if (!inode.has_value()) {
      Add("caller", name, Check::unknown, "unknown", consequence);
      return;
    }
    const bool initial = *inode == base::InfoOf(type).initial_inode;
    Add("caller", name, initial ? Check::good : state_inside,
        absl::StrCat(base::NamespaceLinkText(type, *inode), initial ? ", the initial one" : ""),
        consequence);
  }

  void JudgeNamespaces() {
    JudgeNamespace("PID namespace", facts_.pid_namespace, base::NamespaceType::kPid, Check::missing,
                   "processes outside of it are invisible");
    JudgeNamespace("user namespace", facts_.user_namespace, base::NamespaceType::kUser,
                   Check::missing, "owners and parents outside of it are unknown");
    JudgeNamespace("cgroup namespace", facts_.cgroup_namespace, base::NamespaceType::kCgroup,
                   Check::limited, "paths of cgroups outside of it start with \"/..\"");
    switch (facts_.cgroups) {
      case CgroupLayout::kUnknown:
        Add("caller", "cgroups", Check::unknown, "unknown", "");
        return;
      case CgroupLayout::kV1:
        Add("caller", "cgroups", Check::good, "v1");
        return;
      case CgroupLayout::kV2:
        Add("caller", "cgroups", Check::good, "v2");
        return;
      case CgroupLayout::kHybrid:
        Add("caller", "cgroups", Check::good, "v1 and v2");
        return;
    }
  }

  void JudgeProcfs() {
    if (!facts_.procfs_is_kernel) {
      Add("procfs", "kind", Check::missing, absl::StrCat("a recorded tree at ", facts_.procfs_path),
          "what only an open namespace tells is unknown: owners, parents, ids");
    } else if (!facts_.procfs_has_own_pids) {
      Add("procfs", "kind", Check::limited,
          absl::StrCat("of another PID namespace, at ", facts_.procfs_path),
          "what is asked for by PID is unknown: pidfd inodes, CPU affinity");
    } else {
      Add("procfs", "kind", Check::good, absl::StrCat("the caller's, at ", facts_.procfs_path));
    }
    JudgeMount();
    JudgePtraceScope();
  }

  void JudgeMount() {
    if (!facts_.mount.has_value()) {
      Add("procfs", "hidepid", Check::unknown, "unknown", "processes may be hidden");
      return;
    }
    const std::string& hidepid = facts_.mount->hidepid;
    if (hidepid.empty() || hidepid == "0" || hidepid == "off") {
      Add("procfs", "hidepid", Check::good, "off");
    } else {
      // The kernel shows a process to whoever may trace it (proc(5), "hidepid").
      Add("procfs", "hidepid", Holds(kCapSysPtrace) ? Check::good : Check::missing, hidepid,
          "other users' processes are hidden");
    }
    Add("procfs", "subset", facts_.mount->subset_pid ? Check::missing : Check::good,
        facts_.mount->subset_pid ? "pid" : "all",
        "what the kernel says of the host is hidden: host name, release, boot id");
  }

  // Yama forbids attaching, not looking (Documentation/admin-guide/LSM/Yama.rst).
  void JudgePtraceScope() {
    if (!facts_.ptrace_scope.has_value()) {
      Add("procfs", "ptrace_scope", Check::good, "no Yama");
      return;
    }
    const int scope = *facts_.ptrace_scope;
    const bool allowed = scope == 0 || (scope < 3 && Holds(kCapSysPtrace));
    Add("procfs", "ptrace_scope", allowed ? Check::good : Check::limited, absl::StrCat(scope),
        "descriptors of other processes cannot be copied");
  }

  void JudgeReach() {
    const DoctorReport::Reach& reach = facts_.reach;
    std::string value =
        absl::StrCat(reach.readable(), " of ", reach.processes(), " show their namespaces");
    if (reach.denied() > 0) {
      absl::StrAppend(&value, "; first that does not: ", reach.first_denied(), " (",
                      reach.first_error(), ")");
    }
    const bool complete = reach.denied() == 0 && reach.processes() > 0;
    Add("reach", "processes", complete ? Check::good : Check::missing, value,
        "namespaces that only the others are in are not found");
  }

  void JudgeFeature(const base::Feature& feature) {
    std::string value = base::FeatureStateName(feature.state);
    if (feature.error != 0) {
      absl::StrAppend(&value, " (", base::ErrnoName(feature.error), ")");
    }
    Check::State state = Check::limited;
    if (feature.state == base::FeatureState::kAvailable) state = Check::good;
    if (feature.state == base::FeatureState::kUnknown) state = Check::unknown;
    Add("features", feature.name, state, value, feature.consequence)->set_since(feature.since);
  }

  const DoctorFacts& facts_;
  DoctorReport report_;
};

}  // namespace

DoctorReport JudgeDoctorFacts(const DoctorFacts& facts) { return Judge(facts).Report(); }

}  // namespace nsctl::cmd
