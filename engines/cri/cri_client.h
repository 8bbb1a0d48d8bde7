// Asks a container runtime by Kubernetes' interface (CRI), over connections that the caller makes:
// CRI-O, and runtimes that have no interface of their own.
//
// Not containerd, which has (engines/containerd): its versions up to 1.7 give each event of this
// interface to one subscriber alone, so a second one takes events from the kubelet, and later ones
// wait for a slow subscriber.

#ifndef NSCTL_ENGINES_CRI_CRI_CLIENT_H_
#define NSCTL_ENGINES_CRI_CRI_CLIENT_H_

#include <memory>

#include "absl/time/time.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"

namespace nsctl::engines::cri {

// Events are asked of CRI-O alone, and only followed where they are switched on. Elsewhere the
// containers are listed every two seconds, or every `poll`; ends are the kernel's word in any case.
std::unique_ptr<EngineClient> MakeCriClient(Connector connect);
std::unique_ptr<EngineClient> MakeCriClient(Connector connect, absl::Duration poll);

}  // namespace nsctl::engines::cri

#endif  // NSCTL_ENGINES_CRI_CRI_CLIENT_H_
