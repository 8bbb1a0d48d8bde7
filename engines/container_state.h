// What each engine calls the states of containers, as states of ours.
//
// What an engine may say in a later version maps to Container::unknown.

#ifndef NSCTL_ENGINES_CONTAINER_STATE_H_
#define NSCTL_ENGINES_CONTAINER_STATE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "engines/container.pb.h"

namespace nsctl::engines {

// State.Status of Docker's inspection, State of its list. Source: moby, container states.
Container::State StateFromDocker(absl::string_view status);

// Podman's State; those of its Docker-compatible interface as well.
Container::State StateFromPodman(absl::string_view status);

// containerd.v1.types.Status.
Container::State StateFromContainerd(int64_t status);

// runtime.v1.ContainerState.
Container::State StateFromCri(int64_t state);

// status_code of Incus and LXD.
Container::State StateFromIncus(int64_t status_code);

// The answer to LXC's GET_STATE.
Container::State StateFromLxc(int64_t state);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CONTAINER_STATE_H_
