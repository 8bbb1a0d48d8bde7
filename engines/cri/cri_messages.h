// What a runtime says by Kubernetes' interface (CRI), as values of ours. Pure: messages in, rows
// and events out.
//
// The sandbox of a pod is a container here, where it has a process.
//
// Source: cri-api v1.

#ifndef NSCTL_ENGINES_CRI_CRI_MESSAGES_H_
#define NSCTL_ENGINES_CRI_CRI_MESSAGES_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "engines/cri/runtime.pb.h"
#include "engines/engine_client.h"

namespace nsctl::engines::cri {

// An element of ListPodSandbox: partial, as it has no PID. DATA_LOSS where it has no id.
absl::StatusOr<EngineRow> RowOfSandbox(const ::runtime::v1::PodSandbox& sandbox);

// An element of ListContainers: partial. Of its pod there is the id alone.
absl::StatusOr<EngineRow> RowOfContainer(const ::runtime::v1::Container& container);

// The answers about one, which was asked for verbosely: whole. Of a container's pod there is the id
// alone. One that has ended, and a sandbox without a process, is not alive.
absl::StatusOr<EngineRow> RowOfStatus(const ::runtime::v1::ContainerStatusResponse& response);
absl::StatusOr<EngineRow> RowOfSandboxStatus(
    const ::runtime::v1::PodSandboxStatusResponse& response);

// An element of GetContainerEvents; nullopt for what changes nothing that is shown. One without a
// whole identity is kLost.
std::optional<EngineEvent> EventOf(absl::string_view message);

}  // namespace nsctl::engines::cri

#endif  // NSCTL_ENGINES_CRI_CRI_MESSAGES_H_
