// What the fakes of engines that speak HTTP have in common: containers' processes, streams of
// events, and what a test may do to every answer.
//
// A fake derives from it, and serves each path. Thread-safe.

#ifndef NSCTL_ENGINES_FAKE_HTTP_ENGINE_H_
#define NSCTL_ENGINES_FAKE_HTTP_ENGINE_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/container_process.h"
#include "engines/fake_http_server.h"
#include "engines/fake_process.h"
#include "engines/http_client.h"

namespace nsctl::engines {

class FakeHttpEngine {
 public:
  FakeHttpEngine();
  FakeHttpEngine(const FakeHttpEngine&) = delete;
  FakeHttpEngine& operator=(const FakeHttpEngine&) = delete;
  virtual ~FakeHttpEngine() = default;

  Connector connector() { return server_->connector(); }
  std::unique_ptr<ProcessFinder> MakeFinder();

  // Into all streams, as one event.
  void SendRaw(const std::string& bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndStreams() ABSL_LOCKS_EXCLUDED(mutex_);
  // Events are not told.
  void SetMute(bool mute) ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs when a list was read and is not yet sent.
  void OnList(std::function<void()> hook) ABSL_LOCKS_EXCLUDED(mutex_);
  // Each call waits so long.
  void SetLatency(absl::Duration latency) ABSL_LOCKS_EXCLUDED(mutex_);
  // Answers a request whose path ends so by `handler` instead.
  void Answer(const std::string& path_end, FakeHttpServer::Handler handler)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Refuse(bool refuse) { server_->Refuse(refuse); }

  int streams() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Requests whose target holds `text`.
  int Requests(absl::string_view text) const ABSL_LOCKS_EXCLUDED(mutex_);

 protected:
  struct Stream {
    std::deque<std::string> waiting;
    bool ended = false;
  };

  // To be called first in the destructor of what derives: no request is served any more.
  void Stop() { server_.reset(); }

  // Answers the request for `path`, which is the target without its query.
  virtual void Serve(FakeConnection& connection, const std::string& path) = 0;

  // The hook of a list, run by what serves it.
  void RunListHook() ABSL_LOCKS_EXCLUDED(mutex_);
  void Tell(const std::string& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Streams what is told from now on, after what `replay` puts into the stream; true where the
  // stream was ended, false where the client went. `send` is false once the client is gone, and so
  // is `is_alive`, which is asked all the time.
  bool RunStream(absl::FunctionRef<void(Stream&)> replay,
                 absl::FunctionRef<bool(const std::string&)> send,
                 absl::FunctionRef<bool()> is_alive) ABSL_LOCKS_EXCLUDED(mutex_);

  FakeProcesses processes_;
  mutable absl::Mutex mutex_;

 private:
  void Handle(FakeConnection& connection) ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, FakeHttpServer::Handler> answers_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_list_ ABSL_GUARDED_BY(mutex_);
  absl::Duration latency_ ABSL_GUARDED_BY(mutex_);
  bool mute_ ABSL_GUARDED_BY(mutex_) = false;
  // Its threads use all the rest.
  std::unique_ptr<FakeHttpServer> server_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_HTTP_ENGINE_H_
