// What Docker's daemon keeps on disk of a container: its name and labels, where the daemon itself
// does not answer.

#ifndef NSCTL_ENGINES_DOCKER_RECORDS_H_
#define NSCTL_ENGINES_DOCKER_RECORDS_H_

#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

// Adds to `container`, whose id is one of Docker's, the name, image, labels and project that the
// record below `root` has; only the usual folder (/var/lib/docker) is known. Nothing where there is
// no such record.
void AddDockerRecord(const procfsroot::Root& root, Container* container);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_DOCKER_RECORDS_H_
