// A Docker daemon's API on real sockets, with containers that the test starts and ends.
//
// Speaks as Docker 20.10 does: chunked events with a ring of the last 256, lists without PIDs, ids
// that stay when a container is restarted. What goes wrong is the test's choice.
//
// Thread-safe.

#ifndef NSCTL_ENGINES_DOCKER_FAKE_DOCKER_H_
#define NSCTL_ENGINES_DOCKER_FAKE_DOCKER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engines/container_process.h"
#include "engines/fake_http_server.h"
#include "engines/fake_process.h"
#include "engines/fake_service.h"
#include "engines/http_client.h"

namespace nsctl::engines::docker {

class FakeDocker : public FakeService {
 public:
  FakeDocker();

  Connector connector() { return server_.connector(); }
  std::unique_ptr<ProcessFinder> MakeFinder() { return processes_.MakeFinder(); }

  // Each tells its event.
  void Start(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void Die(const std::string& name, int exit_code) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetPaused(const std::string& name, bool paused) ABSL_LOCKS_EXCLUDED(mutex_);
  void Rename(const std::string& name, const std::string& to) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetLabel(const std::string& name, const std::string& label, const std::string& value)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Answers a request whose path ends so by `handler` instead.
  void Answer(const std::string& path_end, FakeHttpServer::Handler handler) {
    answers_.Set(path_end, std::move(handler));
  }
  void Refuse(bool refuse) { server_.Refuse(refuse); }

  // Requests whose target holds `text`.
  int Requests(const std::string& text) const;
  // The id of a container; 64 digits.
  static std::string IdOf(const std::string& name);

 private:
  struct Known {
    std::string name;
    std::string status = "running";
    std::shared_ptr<FakeProcess> process;
    int exit_code = 0;
    std::map<std::string, std::string> labels;
  };
  struct Event {
    int64_t time;
    std::string text;
  };

  void Handle(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeEvents(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeList(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeInspection(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void Tell(const std::string& id, const std::string& action, const std::string& attributes = "")
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string FindId(const std::string& name) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  FakeProcesses processes_;
  mutable absl::Mutex mutex_;
  // By id.
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::deque<Event> ring_ ABSL_GUARDED_BY(mutex_);
  FakeAnswers<FakeHttpServer::Handler> answers_;
  // Its threads use all the rest.
  FakeHttpServer server_;
};

}  // namespace nsctl::engines::docker

#endif  // NSCTL_ENGINES_DOCKER_FAKE_DOCKER_H_
