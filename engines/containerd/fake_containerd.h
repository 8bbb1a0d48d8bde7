// A containerd's API over real gRPC, with containers that the test starts and ends.
//
// Speaks as containerd 1.6 does: tasks and containers in lists of their own, by namespace, one
// stream of events for all namespaces without replay, ids that the user chooses. What goes wrong is
// the test's choice.
//
// Thread-safe.

#ifndef NSCTL_ENGINES_CONTAINERD_FAKE_CONTAINERD_H_
#define NSCTL_ENGINES_CONTAINERD_FAKE_CONTAINERD_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/container_process.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/fake_grpc_server.h"
#include "engines/fake_process.h"
#include "engines/http_client.h"

namespace nsctl::engines::containerd {

class FakeContainerd {
 public:
  // Of a container: namespace and id.
  using Id = std::pair<std::string, std::string>;

  FakeContainerd();

  Connector connector() { return server_.connector(); }
  std::unique_ptr<ProcessFinder> MakeFinder();

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

  // A message into all streams, as it is.
  void SendRaw(const std::string& envelope) ABSL_LOCKS_EXCLUDED(mutex_);
  std::string LastEvent() const ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    return last_event_;
  }
  // The last event once more.
  void RepeatLast() ABSL_LOCKS_EXCLUDED(mutex_);
  void EndStreams() ABSL_LOCKS_EXCLUDED(mutex_);
  // Events are not told.
  void SetMute(bool mute) ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs when the tasks of a namespace were read and are not yet sent.
  void OnList(std::function<void()> hook) ABSL_LOCKS_EXCLUDED(mutex_);
  // Each call waits so long.
  void SetLatency(absl::Duration latency) ABSL_LOCKS_EXCLUDED(mutex_);
  // Answers calls of a method whose name ends so by `handler` instead.
  void Answer(const std::string& method_end, FakeGrpcServer::Handler handler)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // What it answers by itself.
  absl::Status ServeTasks(FakeGrpcCall& call) ABSL_LOCKS_EXCLUDED(mutex_);
  void Refuse(bool refuse) { server_.Refuse(refuse); }
  void EndConnections() { server_.EndConnections(); }

  int streams() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls of methods whose name ends so.
  int Calls(const std::string& method_end) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Known {
    ::containerd::services::containers::v1::Container container;
    ::containerd::services::tasks::v1::Process task;
    // Null where it has no task.
    std::shared_ptr<FakeProcess> process;
  };
  struct Stream {
    std::deque<std::string> waiting;
    bool ended = false;
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
  std::string last_event_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, FakeGrpcServer::Handler> answers_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_list_ ABSL_GUARDED_BY(mutex_);
  absl::Duration latency_ ABSL_GUARDED_BY(mutex_);
  bool mute_ ABSL_GUARDED_BY(mutex_) = false;
  // Its threads use all the rest.
  FakeGrpcServer server_;
};

}  // namespace nsctl::engines::containerd

#endif  // NSCTL_ENGINES_CONTAINERD_FAKE_CONTAINERD_H_
