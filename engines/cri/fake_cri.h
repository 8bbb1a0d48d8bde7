// A container runtime's side of Kubernetes' interface, over real gRPC, with pods and containers
// that the test starts and ends.
//
// Speaks as CRI-O does, or by another name, without PIDs in lists. What goes wrong is the test's
// choice.
//
// Thread-safe.

#ifndef NSCTL_ENGINES_CRI_FAKE_CRI_H_
#define NSCTL_ENGINES_CRI_FAKE_CRI_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engines/container_process.h"
#include "engines/cri/runtime.pb.h"
#include "engines/fake_grpc_server.h"
#include "engines/fake_process.h"
#include "engines/fake_service.h"
#include "engines/http_client.h"

namespace nsctl::engines::cri {

class FakeCri : public FakeService {
 public:
  explicit FakeCri(std::string runtime_name = "cri-o");

  Connector connector() { return server_.connector(); }
  std::unique_ptr<ProcessFinder> MakeFinder() { return processes_.MakeFinder(); }

  // Each tells its event. A pod's namespaces are held by a process or not.
  void StartPod(const std::string& id, bool with_process = true) ABSL_LOCKS_EXCLUDED(mutex_);
  void StopPod(const std::string& id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Start(const std::string& id, const std::string& pod) ABSL_LOCKS_EXCLUDED(mutex_);
  void Die(const std::string& id, int exit_code) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(const std::string& id) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetLabel(const std::string& id, const std::string& label, const std::string& value)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Streams end at once.
  void SwitchEventsOff() ABSL_LOCKS_EXCLUDED(mutex_);
  // Answers calls of a method whose name ends so by `handler` instead.
  void Answer(const std::string& method_end, FakeGrpcServer::Handler handler) {
    answers_.Set(method_end, std::move(handler));
  }
  void Refuse(bool refuse) { server_.Refuse(refuse); }
  void EndConnections() { server_.EndConnections(); }

 private:
  struct KnownPod {
    bool ready = true;
    std::shared_ptr<FakeProcess> process;
  };
  struct Known {
    ::runtime::v1::ContainerStatus status;
    std::string pod;
    std::shared_ptr<FakeProcess> process;
  };

  absl::Status Handle(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeVersion(FakeGrpcCall& call) const;
  absl::Status ServeEvents(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServePods(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServePod(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeContainers(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeContainer(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  void Tell(const std::string& id, int type) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string runtime_name_;
  FakeProcesses processes_;
  mutable absl::Mutex mutex_;
  std::map<std::string, KnownPod> pods_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  bool events_off_ ABSL_GUARDED_BY(mutex_) = false;
  FakeAnswers<FakeGrpcServer::Handler> answers_;
  // Its threads use all the rest.
  FakeGrpcServer server_;
};

}  // namespace nsctl::engines::cri

#endif  // NSCTL_ENGINES_CRI_FAKE_CRI_H_
