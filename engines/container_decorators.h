// One decorator for each tool; decorators.h applies them all.

#ifndef NSCTL_ENGINES_CONTAINER_DECORATORS_H_
#define NSCTL_ENGINES_CONTAINER_DECORATORS_H_

#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "engines/container.h"

namespace nsctl::engines {

using LabelMap = std::map<std::string, std::string>;

inline constexpr char kComposeProject[] = "com.docker.compose.project";
inline constexpr char kKubernetesPod[] = "io.kubernetes.pod";
inline constexpr char kPodmanPod[] = "io.podman.pod";
inline constexpr char kPodmanPodName[] = "io.github.thediveo/podman/podname";
inline constexpr char kKindCluster[] = "io.x-k8s.kind.cluster";
inline constexpr char kIncusProject[] = "linuxcontainers.org/project";
inline constexpr char kDockerPlugin[] = "plugin.docker.com";
inline constexpr char kEdgeRuntime[] = "com.siemens.industrialedge.runtime";
inline constexpr char kEdgeApp[] = "com.siemens.industrialedge.app";

// Adds what Kubernetes's interface tells of `pod`, which `container` is in, as labels.
void AddPodLabels(const Container& container, const Pod& pod, LabelMap* labels);

// Adds the name and the id of Podman's `pod`, which `container` is in, and whether that holds the
// pod's namespaces, as labels.
void AddPodmanPodLabels(const Container& container, const Pod& pod, LabelMap* labels);

// Adds what the name of a container that dockershim made says of its pod:
// k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT, the container "POD" being the sandbox. Nothing for other
// names, and where a part is no DNS label or subdomain.
void AddDockershimLabels(absl::string_view name, LabelMap* labels);

// "NAMESPACE/NAME" of the pod that labels tell of; nullopt where they tell of none.
std::optional<std::string> PodInLabels(const LabelMap& labels);

// Names of what editors made a container for: the last part of devcontainer.local_folder, and where
// devcontainer.metadata speaks of a codespace that one's repository.
void AddDevcontainerLabels(LabelMap* labels);

// The name of the plugin that dockerd runs as `container` in containerd; nullopt where it is none.
std::optional<std::string> DockerPluginName(const Container& container);

// The flavor that Industrial Edge's containers have; nullopt for others.
std::optional<std::string> EdgeFlavor(const Container& container);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CONTAINER_DECORATORS_H_
