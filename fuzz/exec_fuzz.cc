// What `nsctl exec` reads of a target: its status, id map, environment, and the passwd, group and
// cgroup files that are its own to write.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cmd/exec_accounts.h"
#include "cmd/exec_cgroups.h"
#include "cmd/exec_environment.h"
#include "procfsroot/process_identity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size < 4096 ? size : 4096);
  const std::optional<nsctl::cmd::UserAccount> first = nsctl::cmd::FindUser(text, uid_t{0});
  // Nobody is uid -1, which means "unchanged" to the kernel.
  if (first.has_value() && (first->uid != 0 || first->gid == UINT32_MAX)) abort();
  const std::optional<gid_t> group = nsctl::cmd::FindGroup(text, "root");
  if (group.has_value() && *group == UINT32_MAX) abort();
  (void)nsctl::procfsroot::ParseProcessIdentity(text);
  (void)nsctl::procfsroot::MapIdInside(text, 1000);
  (void)nsctl::cmd::CgroupDirectories(text, text);
  const std::vector<std::string> variables = nsctl::cmd::ParseEnvironment(text);
  if (nsctl::cmd::WithVariables(variables, variables).size() != variables.size()) abort();
  return 0;
}
