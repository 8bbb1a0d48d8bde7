// The pods of containers that are known by evidence alone.

#ifndef NSCTL_ENGINES_EVIDENCE_PODS_H_
#define NSCTL_ENGINES_EVIDENCE_PODS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "engines/engine_client.h"

namespace nsctl::engines {

// Takes names and the pod from what is written in Kubernetes' annotations of the container.
void TakeAnnotations(EngineRow* row);

// A pod is that of who told of it first. What another user tells of is not in it, whatever he says.
class EvidencePods {
 public:
  // Takes the pod of `row` away where it is another's. The host's own come first.
  void KeepApart(EngineRow* row);

 private:
  // By native namespace and id: the user who told of it, -1 for the host's own.
  std::map<std::pair<std::string, std::string>, int64_t> tellers_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_EVIDENCE_PODS_H_
