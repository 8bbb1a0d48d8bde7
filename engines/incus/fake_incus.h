// An Incus or LXD daemon's API on real sockets, with instances that the test starts and ends.
//
// Speaks as LXD 5.0.2 and Incus 6.0.4 do: events over a WebSocket that replays nothing, lists with
// states in them, names that are unique in a project and may be given again. What goes wrong is the
// test's choice.
//
// Thread-safe. Instances are named "web", in the project "default", or "shop/web".

#ifndef NSCTL_ENGINES_INCUS_FAKE_INCUS_H_
#define NSCTL_ENGINES_INCUS_FAKE_INCUS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engines/container_process.h"
#include "engines/fake_http_server.h"
#include "engines/fake_process.h"
#include "engines/fake_service.h"
#include "engines/http_client.h"
#include "engines/json_text.h"

namespace nsctl::engines::incus {

class FakeIncus : public FakeService {
 public:
  // "lxd" or "incus"; in a cluster, the name of this server.
  explicit FakeIncus(std::string server = "lxd", std::string location = "")
      : server_name_(std::move(server)),
        location_(std::move(location)),
        server_([this](FakeConnection& connection) { Handle(connection); }) {}

  Connector connector() { return server_.connector(); }
  std::unique_ptr<ProcessFinder> MakeFinder() { return processes_.MakeFinder(); }

  // Each tells its event. An instance is made when it is first started.
  void Start(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void Shutdown(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  // As one event, at its end.
  void Restart(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetPaused(const std::string& name, bool paused) ABSL_LOCKS_EXCLUDED(mutex_);
  // In its project.
  void Rename(const std::string& name, const std::string& to) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetConfig(const std::string& name, const std::string& key, const std::string& value)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Exec(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);

  // Without an event: a member of the instance's own, "type", "location", "status_code".
  void SetMember(const std::string& name, const std::string& member, const Json& value)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Its process ends, and the daemon does not notice.
  void Kill(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  // As before LXD 4.22: instances are shown without their states, and streams begin without a ping.
  void SetOld(bool old) ABSL_LOCKS_EXCLUDED(mutex_);

  // Answers a request whose path ends so by `handler` instead.
  void Answer(const std::string& path_end, FakeHttpServer::Handler handler) {
    answers_.Set(path_end, std::move(handler));
  }
  void Refuse(bool refuse) { server_.Refuse(refuse); }
  // Requests whose target holds `text`.
  int Requests(absl::string_view text) const;
  // An event of this text, in one frame.
  void SendEvent(absl::string_view text);
  // Answers to the ping that begins each stream.
  int pongs() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The uuid of an instance.
  std::string IdOf(const std::string& name) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Known {
    Json json;
    std::shared_ptr<FakeProcess> process;
  };

  void Handle(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeServer(FakeConnection& connection);
  void ServeEvents(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeList(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void ServeInstance(FakeConnection& connection, const std::string& path)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Known& Make(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetCode(Known* known, int code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Json Shown(const Known& known, bool whole) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  Json StateOf(const Known& known) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void TellAction(const std::string& name, const std::string& action, const Json& context = {})
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string server_name_;
  const std::string location_;
  FakeProcesses processes_;
  mutable absl::Mutex mutex_;
  // By "PROJECT/NAME".
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  int made_ ABSL_GUARDED_BY(mutex_) = 0;
  int pongs_ ABSL_GUARDED_BY(mutex_) = 0;
  bool old_ ABSL_GUARDED_BY(mutex_) = false;
  FakeAnswers<FakeHttpServer::Handler> answers_;
  // Its threads use all the rest.
  FakeHttpServer server_;
};

}  // namespace nsctl::engines::incus

#endif  // NSCTL_ENGINES_INCUS_FAKE_INCUS_H_
