// From what is known of engines to what `nsctl containers` answers.

#ifndef NSCTL_CMD_CONTAINERS_RESULT_H_
#define NSCTL_CMD_CONTAINERS_RESULT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmd/container_reference.h"
#include "cmd/containers.pb.h"

namespace nsctl::cmd {

// Of each member one must fit, where it is not empty; of `labels` all. Stored text.
struct ContainerFilter {
  // Types ("docker") or keys ("docker:1234@5678", "docker:1234").
  std::vector<std::string> engines = {};
  std::vector<std::string> projects = {};
  // Names, Kubernetes's with or without the namespace, its uids, or 12 or more digits of ids.
  std::vector<std::string> pods = {};
  // The value too, where there is one.
  std::vector<std::pair<std::string, std::optional<std::string>>> labels = {};
  std::vector<engines::Container::State> states = {};

  // Also engines that have no such container.
  bool all_engines = false;
};

// Whether all engines have told, or said why not, that can matter to `filter`: those that it names,
// and those that tell of the same processes. Never where it names what is known without engines.
bool HaveTold(const ContainerLists& known, const ContainerFilter& filter);

// Whether a gap of `subject` may hide a container that passes `filter`, or whose it is.
bool MayMatter(const ContainerLists& known, const ContainerFilter& filter,
               const std::string& subject);

// Without times, host and gaps.
ContainerList BuildContainerList(const ContainerLists& known, const ContainerFilter& filter);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINERS_RESULT_H_
