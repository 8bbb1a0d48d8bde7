#include "engines/cri/kubelet.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "engines/cri/kubelet.pb.h"
#include "engines/grpc_client.h"
#include "engines/http_client.h"

namespace nsctl::engines::cri {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(60);
constexpr int kOfContainer = 1;
constexpr int kOfNode = 2;

template <typename Entries>
void AddEntry(const std::string& key, const std::string& value, Entries* entries) {
  auto* const entry = entries->Add();
  entry->set_key(key);
  entry->set_value(value);
}

}  // namespace

absl::StatusOr<std::string> Kubelet::Call(absl::string_view method, std::string message) {
  return grpc_.Call({.method = absl::StrCat("/runtime.v1.RuntimeService/", method),
                     .message = std::move(message)},
                    {.deadline = absl::Now() + kTimeout});
}

absl::Status Kubelet::Do(absl::string_view method, const std::string& id) {
  IdRequest request;
  request.set_id(id);
  return Call(method, request.SerializeAsString()).status();
}

bool Kubelet::IsReady() { return Call("Version", "").ok(); }

absl::StatusOr<std::string> Kubelet::RunPod(const std::string& name, bool host_network) {
  RunPodRequest request;
  PodConfig& config = *request.mutable_config();
  config.mutable_metadata()->set_name(name);
  config.mutable_metadata()->set_namespace_("shop");
  config.mutable_metadata()->set_uid(absl::StrCat("uid-of-", name));
  if (!host_network) config.set_hostname(name);
  AddEntry("app", name, config.mutable_labels());
  AddEntry("io.kubernetes.pod.name", name, config.mutable_labels());
  AddEntry("io.kubernetes.pod.namespace", "shop", config.mutable_labels());
  AddEntry("io.kubernetes.pod.uid", config.metadata().uid(), config.mutable_labels());
  AddEntry("team", "shop", config.mutable_annotations());
  config.mutable_linux()->set_cgroup_parent(cgroup_);
  auto& options = *config.mutable_linux()->mutable_security_context()->mutable_namespace_options();
  options.set_network(host_network ? kOfNode : 0);
  options.set_pid(kOfContainer);
  NSCTL_ASSIGN_OR_RETURN(const std::string answer,
                         Call("RunPodSandbox", request.SerializeAsString()));
  RunPodResponse response;
  if (!response.ParseFromString(answer)) return absl::DataLossError("RunPodSandbox");
  pods_[response.pod_sandbox_id()] = config;
  return response.pod_sandbox_id();
}

absl::StatusOr<std::string> Kubelet::RunContainer(const std::string& pod, const std::string& name,
                                                  const std::vector<std::string>& command) {
  CreateContainerRequest request;
  request.set_pod_sandbox_id(pod);
  *request.mutable_sandbox_config() = pods_.at(pod);
  ContainerConfig& config = *request.mutable_config();
  config.mutable_metadata()->set_name(name);
  config.mutable_image()->set_image(image_);
  for (const std::string& word : command) config.add_command(word);
  AddEntry("io.kubernetes.container.name", name, config.mutable_labels());
  for (const Entry& label : pods_.at(pod).labels()) {
    if (label.key() != "app") *config.add_labels() = label;
  }
  AddEntry("io.kubernetes.container.hash", "1", config.mutable_annotations());
  *config.mutable_linux()->mutable_security_context()->mutable_namespace_options() =
      pods_.at(pod).linux().security_context().namespace_options();
  NSCTL_ASSIGN_OR_RETURN(const std::string answer,
                         Call("CreateContainer", request.SerializeAsString()));
  CreateContainerResponse response;
  if (!response.ParseFromString(answer)) return absl::DataLossError("CreateContainer");
  NSCTL_RETURN_IF_ERROR(Do("StartContainer", response.container_id()));
  return response.container_id();
}

absl::Status Kubelet::RemovePod(const std::string& id) {
  NSCTL_RETURN_IF_ERROR(Do("StopPodSandbox", id));
  pods_.erase(id);
  return Do("RemovePodSandbox", id);
}

absl::Status Kubelet::RemoveAllPods() {
  while (!pods_.empty()) {
    const std::string id = pods_.begin()->first;
    NSCTL_RETURN_IF_ERROR(RemovePod(id));
  }
  return absl::OkStatus();
}

}  // namespace nsctl::engines::cri
