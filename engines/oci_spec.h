// What the specification of an OCI container (config.json) says beyond what engines show. Pure.
//
// Source: the OCI runtime specification, 1.0 to 1.2.

#ifndef NSCTL_ENGINES_OCI_SPEC_H_
#define NSCTL_ENGINES_OCI_SPEC_H_

#include <string>

#include "absl/strings/string_view.h"
#include "engines/container.h"

namespace nsctl::engines {

struct OciSpec {
  Labels annotations;
  // As in Container; empty where the runtime chooses.
  std::string cgroup;
};

// Of its JSON, which is long; empty where that is none.
OciSpec ReadOciSpec(absl::string_view spec);

// linux.cgroupsPath as a path: runtimes that let systemd make cgroups write "SLICE:PREFIX:NAME".
// Empty where it is relative.
std::string CgroupOf(absl::string_view cgroups_path);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_OCI_SPEC_H_
