// Asks a Docker daemon, over connections that the caller makes.

#ifndef NSCTL_ENGINES_DOCKER_DOCKER_CLIENT_H_
#define NSCTL_ENGINES_DOCKER_DOCKER_CLIENT_H_

#include <memory>

#include "engines/engine_client.h"
#include "engines/http_client.h"

namespace nsctl::engines::docker {

std::unique_ptr<EngineClient> MakeDockerClient(Connector connect);

}  // namespace nsctl::engines::docker

#endif  // NSCTL_ENGINES_DOCKER_DOCKER_CLIENT_H_
