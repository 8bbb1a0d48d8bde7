// What containerd says, as values of ours. Pure: messages in, rows and events out.
//
// Source: containerd's services v1, 1.5 to 2.1.

#ifndef NSCTL_ENGINES_CONTAINERD_CONTAINERD_MESSAGES_H_
#define NSCTL_ENGINES_CONTAINERD_CONTAINERD_MESSAGES_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/engine_client.h"

namespace nsctl::engines::containerd {

// A container of the namespace `native_namespace` (stored text) and its task, null where it has
// none: whole, PID included, unless the task's state is not known. A container of Kubernetes has
// its pod, by what itself says of it; the row of the pod's sandbox says more. DATA_LOSS where it
// has no id.
absl::StatusOr<EngineRow> RowOf(const std::string& native_namespace,
                                const ::containerd::services::containers::v1::Container& container,
                                const ::containerd::services::tasks::v1::Process* task);

// The task has a process that runs or is frozen, or nobody knows: its shim does not answer.
bool MayBeAlive(const ::containerd::services::tasks::v1::Process& task);

// Reads one stream of events. That a process ran out of memory is told before the container ends,
// so it remembers that.
class EventReader {
 public:
  // nullopt for what changes nothing that is shown. A message without a whole identity is kLost.
  std::optional<EngineEvent> Read(absl::string_view envelope);

 private:
  std::optional<EngineEvent> ReadTopic(absl::string_view topic, absl::string_view message,
                                       const std::string& native_namespace);

  std::set<ContainerId> out_of_memory_;
};

// The subscription to what EventReader wants, without what it would leave out.
std::vector<std::string> EventFilters();

}  // namespace nsctl::engines::containerd

#endif  // NSCTL_ENGINES_CONTAINERD_CONTAINERD_MESSAGES_H_
