// Asks systemd-machined for its containers: by varlink where it answers there (systemd 256 and
// later), and otherwise by the files in which it keeps its state.
//
// D-Bus, which all versions speak, is not used: the files say the same, change at the same moments,
// and are of the machined that is found, while a bus is reached through a broker that anybody in
// the same mount namespace may put in its place.

#ifndef NSCTL_ENGINES_MACHINED_MACHINED_CLIENT_H_
#define NSCTL_ENGINES_MACHINED_MACHINED_CLIENT_H_

#include <memory>

#include "base/namespace_type.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines::machined {

// Of the process `machined`, whose root directory is `root`. `procfs` shows the caller's own PIDs
// and must outlive the result.
std::unique_ptr<EngineClient> MakeMachinedClient(Connector connect,
                                                 const procfsroot::Procfs& procfs,
                                                 base::Pid machined, procfsroot::Root root);

}  // namespace nsctl::engines::machined

#endif  // NSCTL_ENGINES_MACHINED_MACHINED_CLIENT_H_
