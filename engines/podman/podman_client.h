// Asks a Podman service by its own API, over connections that the caller makes.

#ifndef NSCTL_ENGINES_PODMAN_PODMAN_CLIENT_H_
#define NSCTL_ENGINES_PODMAN_PODMAN_CLIENT_H_

#include <memory>

#include "engines/engine_client.h"
#include "engines/http_client.h"

namespace nsctl::engines::podman {

std::unique_ptr<EngineClient> MakePodmanClient(Connector connect);

}  // namespace nsctl::engines::podman

#endif  // NSCTL_ENGINES_PODMAN_PODMAN_CLIENT_H_
