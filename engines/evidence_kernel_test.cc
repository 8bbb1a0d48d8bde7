#include <errno.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/evidence.h"
#include "engines/process_table.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using testing::IsOk;

int BecomeUser() { return setresuid(12321, 12321, 12321) == 0 ? 0 : errno; }

// What the container whose initial process is `pid` is known to be: "systemd-nspawn of nspawn".
std::string KnownAs(base::Pid pid) {
  const procfsroot::Procfs procfs = *procfsroot::Procfs::Live();
  ProcessTable table(procfs);
  Evidence evidence(procfs, &table, std::nullopt);
  const auto result =
      evidence.Scan(absl::ZeroDuration(), [](base::Pid, uint64_t) { return false; });
  EXPECT_THAT(result, IsOk());
  if (!result.ok()) return "";
  for (const EvidenceRow& row : result->rows) {
    const Container& container = row.row.container;
    if (container.engine_pid() != pid.value) continue;
    const std::string* const source = FindLabel(container.annotations(), kEvidenceAnnotation);
    const std::string* const engine = FindLabel(container.annotations(), kEngineAnnotation);
    return (source == nullptr ? "?" : *source) + " of " + (engine == nullptr ? "?" : *engine);
  }
  return "";
}

// Anybody may call a process like an engine's helper.
TEST(Evidence, KnowsTheHostsHelpersFromOthers) {
  struct Case {
    std::string name;
    int namespaces;
    std::function<int()> setup;
    std::string known_as;
  };
  const Case cases[] = {
      {"the host's", 0, nullptr, "systemd-nspawn of nspawn"},
      {"a user's", 0, BecomeUser, "systemd-nspawn of ?"},
      {"in a PID namespace", CLONE_NEWPID, nullptr, "systemd-nspawn of ?"},
  };
  for (const Case& test : cases) {
    const testing::ProcessSpec helper = {
        .namespaces = test.namespaces, .name = "systemd-nspawn", .setup = test.setup};
    NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {helper, {.name = "init"}});
    EXPECT_EQ(KnownAs(fixture->last().pid), test.known_as) << test.name;
  }
}

}  // namespace
}  // namespace nsctl::engines
