// A test's kubelet: makes pods and containers by a runtime's CRI, as `crictl` would, which the
// distribution does not have.

#ifndef NSCTL_ENGINES_CRI_KUBELET_H_
#define NSCTL_ENGINES_CRI_KUBELET_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/cri/kubelet.pb.h"
#include "engines/grpc_client.h"
#include "engines/http_client.h"

namespace nsctl::engines::cri {

class Kubelet {
 public:
  // All containers have the image `image`, and their cgroups below `cgroup`.
  Kubelet(Connector connect, std::string image, std::string cgroup)
      : grpc_(std::move(connect)), image_(std::move(image)), cgroup_(std::move(cgroup)) {}

  // Whether the runtime answers.
  bool IsReady();

  // Starts a pod in namespace "shop", with the label app=NAME and the annotation team=shop; its id.
  absl::StatusOr<std::string> RunPod(const std::string& name, bool host_network);
  // Starts a container in the pod; its id.
  absl::StatusOr<std::string> RunContainer(const std::string& pod, const std::string& name,
                                           const std::vector<std::string>& command);
  absl::Status StopContainer(const std::string& id) { return Do("StopContainer", id); }
  absl::Status RemoveContainer(const std::string& id) { return Do("RemoveContainer", id); }
  absl::Status RemovePod(const std::string& id);
  // Of all that were started here.
  absl::Status RemoveAllPods();

 private:
  absl::StatusOr<std::string> Call(absl::string_view method, std::string message);
  absl::Status Do(absl::string_view method, const std::string& id);

  GrpcClient grpc_;
  const std::string image_;
  const std::string cgroup_;
  // By id.
  std::map<std::string, PodConfig> pods_;
};

}  // namespace nsctl::engines::cri

#endif  // NSCTL_ENGINES_CRI_KUBELET_H_
