// A containerd's API over real gRPC, with containers that the test starts and ends.
//
// Speaks as containerd 1.6 does: tasks and containers in lists of their own, by namespace, one
// stream of events for all namespaces without replay, ids that the user chooses. What goes wrong is
// the test's choice.
//
// Thread-safe.

#ifndef NSCTL_ENGINES_CONTAINERD_FAKE_CONTAINERD_H_
#define NSCTL_ENGINES_CONTAINERD_FAKE_CONTAINERD_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engines/container_process.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/fake_grpc_server.h"
#include "engines/fake_process.h"
#include "engines/fake_service.h"
#include "engines/http_client.h"

namespace nsctl::engines::containerd {

class FakeContainerd : public FakeService {
 public:
  // Of a container: namespace and id.
  using Id = std::pair<std::string, std::string>;

  FakeContainerd();

  Connector connector() { return server_.connector(); }
  std::unique_ptr<ProcessFinder> MakeFinder() { return processes_.MakeFinder(); }

  // Each tells its event. A container that is there is started again.
  void Start(const Id& id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Die(const Id& id, int exit_status) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetPaused(const Id& id, bool paused) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetLabel(const Id& id, const std::string& label, const std::string& value)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void RunOutOfMemory(const Id& id) ABSL_LOCKS_EXCLUDED(mutex_);
  // A process that was added to it ended.
  void ExecExits(const Id& id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(const Id& id) ABSL_LOCKS_EXCLUDED(mutex_);

  // What it stores of a container, which may be anything.
  void Edit(const Id& id,
            const std::function<void(::containerd::services::containers::v1::Container*)>& edit)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void EditTask(const Id& id,
                const std::function<void(::containerd::services::tasks::v1::Process*)>& edit)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Answers calls of a method whose name ends so by `handler` instead.
  void Answer(const std::string& method_end, FakeGrpcServer::Handler handler) {
    answers_.Set(method_end, std::move(handler));
  }
  // What it answers by itself.
  absl::Status ServeTasks(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  void Refuse(bool refuse) { server_.Refuse(refuse); }
  void EndConnections() { server_.EndConnections(); }

 private:
  struct Known {
    ::containerd::services::containers::v1::Container container;
    ::containerd::services::tasks::v1::Process task;
    // Null where it has no task.
    std::shared_ptr<FakeProcess> process;
  };

  absl::Status Handle(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeEvents(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeTask(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeContainers(FakeGrpcCall& call, bool stream) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeContainer(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ServeNamespaces(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  void Tell(const Id& id, const std::string& topic, const std::string& event)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  FakeProcesses processes_;
  mutable absl::Mutex mutex_;
  std::map<Id, Known> known_ ABSL_GUARDED_BY(mutex_);
  FakeAnswers<FakeGrpcServer::Handler> answers_;
  // Its threads use all the rest.
  FakeGrpcServer server_;
};

}  // namespace nsctl::engines::containerd

#endif  // NSCTL_ENGINES_CONTAINERD_FAKE_CONTAINERD_H_
