// Asks an Incus or LXD daemon, over connections that the caller makes.
//
// Its containers are those of all projects that run on this server: instances of other servers of
// its cluster have processes elsewhere, and virtual machines have no namespaces of their own.

#ifndef NSCTL_ENGINES_INCUS_INCUS_CLIENT_H_
#define NSCTL_ENGINES_INCUS_INCUS_CLIENT_H_

#include <memory>

#include "engines/engine_client.h"
#include "engines/http_client.h"

namespace nsctl::engines::incus {

std::unique_ptr<EngineClient> MakeIncusClient(Connector connect);

}  // namespace nsctl::engines::incus

#endif  // NSCTL_ENGINES_INCUS_INCUS_CLIENT_H_
