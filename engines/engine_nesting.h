// Which engines run inside of which containers: Docker in Docker, Kubernetes nodes that are
// containers.
//
// A process is in a container where it descends from the container's initial process, is in that
// one's PID namespace or below, or in its cgroup or below: a daemon that was started by exec is
// no descendant, and a container may have the host's PID namespace. A cgroup that the process which
// made a container is in as well is not the container's. Of several containers, the innermost. What
// is a container by a user's word alone is around that user's processes only (CanBeAround).
//
// Containers that are known by evidence alone have no engine that could be in a container: they are
// where the process is that made them.

#ifndef NSCTL_ENGINES_ENGINE_NESTING_H_
#define NSCTL_ENGINES_ENGINE_NESTING_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// What a process is in.
struct ProcessPlace {
  // A PID and start time.
  using Id = std::pair<int32_t, uint64_t>;

  // From its parent up.
  std::vector<Id> ancestors;
  // Inode numbers of its PID namespace and those above, as far as they are visible. Empty where
  // they could not be read.
  std::vector<uint64_t> pid_namespaces;
  // In hierarchies, by their number; and those that its parent is not in.
  std::map<uint32_t, std::string> cgroups;
  std::map<uint32_t, std::string> own_cgroups;

  friend bool operator==(const ProcessPlace&, const ProcessPlace&) = default;
};

// nullopt where the process of this start time is gone.
std::optional<ProcessPlace> ReadPlace(const procfsroot::Procfs& procfs, ProcessPlace::Id id);

// Sets Engine.parent and parent_container. Remembers places of processes that are still there, so
// that most are read once. For one thread at a time.
class EngineNesting {
 public:
  // `procfs` must outlive this object.
  explicit EngineNesting(const procfsroot::Procfs& procfs) : procfs_(procfs) {}

  // No chain of parents is a circle, whatever engines say. Containers of evidence that are in a
  // container get an engine of their own, whose parent that is: "evidence:1234@5678", of its
  // initial process.
  void SetParents(Containers* containers);

  // Sets Container.cgroup, where an engine does not say it, to what the initial process is in.
  void SetCgroups(Containers* containers);

 private:
  const ProcessPlace* PlaceOf(ProcessPlace::Id id);
  void PlaceEvidence(Containers* containers);
  uint64_t TellersNamespace(const Container& container);
  bool CanHold(const Container& container, ProcessPlace::Id process);
  // The container that `process` is in. That is the process of `engine`, which tells of no
  // container around itself, or who made the container `self`.
  const Container* FindOuter(ProcessPlace::Id process, const std::string& engine,
                             const Container* self, const Containers& containers);

  const procfsroot::Procfs& procfs_;
  // Whether the caller's own place was read; its PID namespace is no container's.
  bool started_ = false;
  uint64_t own_pid_namespace_ = 0;
  std::map<ProcessPlace::Id, std::optional<ProcessPlace>> places_;
  // By key, of the call that is at work.
  std::map<std::string, ProcessPlace::Id> engines_;
  // Of the foreign ones their users.
  std::map<std::string, uid_t> guests_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_NESTING_H_
