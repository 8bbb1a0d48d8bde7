// Asks a containerd about the containers of all its namespaces, over connections that the caller
// makes.
//
// None of the namespaces is left out: what another engine or Kubernetes runs there is known by its
// initial process (MergeViews in container.h), and the pods of Kubernetes are those of namespace
// "k8s.io". The interface that a kubelet uses is left to the kubelet.

#ifndef NSCTL_ENGINES_CONTAINERD_CONTAINERD_CLIENT_H_
#define NSCTL_ENGINES_CONTAINERD_CONTAINERD_CLIENT_H_

#include <memory>

#include "engines/engine_client.h"
#include "engines/http_client.h"

namespace nsctl::engines::containerd {

std::unique_ptr<EngineClient> MakeContainerdClient(Connector connect);

}  // namespace nsctl::engines::containerd

#endif  // NSCTL_ENGINES_CONTAINERD_CONTAINERD_CLIENT_H_
