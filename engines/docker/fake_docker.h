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

#include "absl/base/thread_annotations.h"
#include "engines/fake_http_engine.h"
#include "engines/fake_http_server.h"
#include "engines/fake_process.h"

namespace nsctl::engines::docker {

class FakeDocker : public FakeHttpEngine {
 public:
  ~FakeDocker() override { Stop(); }

  // Each tells its event.
  void Start(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void Die(const std::string& name, int exit_code) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetPaused(const std::string& name, bool paused) ABSL_LOCKS_EXCLUDED(mutex_);
  void Rename(const std::string& name, const std::string& to) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetLabel(const std::string& name, const std::string& label, const std::string& value)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The last event once more.
  void RepeatLast() ABSL_LOCKS_EXCLUDED(mutex_);

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

  void Serve(FakeConnection& connection, const std::string& path) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeEvents(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeList(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeInspection(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void TellAction(const std::string& id, const std::string& action,
                  const std::string& attributes = "") ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string FindId(const std::string& name) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  // By id.
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::deque<Event> ring_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines::docker

#endif  // NSCTL_ENGINES_DOCKER_FAKE_DOCKER_H_
