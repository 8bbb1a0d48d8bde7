// The environment variables of gons, by which a Go program could be started in other namespaces:
// gons_net=/run/netns/x and so on, and gons_order.

#ifndef NSCTL_CMD_EXEC_GONS_H_
#define NSCTL_CMD_EXEC_GONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "nsentry/enter.h"
#include "nsentry/entry_plan.h"

namespace nsctl::cmd {

// One namespace that the variables ask for.
struct GonsStep {
  base::NamespaceType type;
  std::string path;
  // "!": opened before the first switch, not just before its own.
  bool open_first = false;

  friend bool operator==(const GonsStep&, const GonsStep&) = default;
};

struct GonsOrder {
  // In the order of entry.
  std::vector<GonsStep> steps;
  // What is wrong behind them: gons opens while it reads, so it says that of a step first.
  absl::Status error;
};

// What the variables in `environment` ("NAME=value") say. Variables that are not set or empty are
// passed over. Without gons_order: user, mnt, cgroup, ipc, net, pid, uts, all opened first. There
// is no time namespace in gons. `error` is INVALID_ARGUMENT with gons's own text.
GonsOrder ParseGonsEnvironment(absl::Span<const std::string> environment);

// Opens what is to be opened first. Errors: with gons's own text, the order's after those.
absl::StatusOr<nsentry::EntryRequest> OpenGonsSteps(const GonsOrder& order);

// The failure of an entry by such a request, with gons's own text.
absl::Status GonsFailure(const nsentry::EntryPlan& plan, const nsentry::EntryResult& result);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_GONS_H_
