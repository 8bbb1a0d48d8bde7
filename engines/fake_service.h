// What the fakes of all engines have in common: streams of events, and what a test says is to go
// wrong.
//
// A fake derives from it; whoever tests uses what is public. Thread-safe.

#ifndef NSCTL_ENGINES_FAKE_SERVICE_H_
#define NSCTL_ENGINES_FAKE_SERVICE_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace nsctl::engines {

class FakeService {
 public:
  // Bytes into all streams, as they are.
  void SendRaw(const std::string& bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  // The last event once more, told before or not.
  void RepeatLast() ABSL_LOCKS_EXCLUDED(mutex_);
  std::string LastEvent() const ABSL_LOCKS_EXCLUDED(mutex_);
  void EndStreams() ABSL_LOCKS_EXCLUDED(mutex_);
  // Events are not told.
  void SetMute(bool mute) ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs when a list was read and is not yet sent.
  void OnList(std::function<void()> hook) ABSL_LOCKS_EXCLUDED(mutex_);
  // Each call waits so long.
  void SetLatency(absl::Duration latency) ABSL_LOCKS_EXCLUDED(mutex_);

  int streams() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls whose names end so.
  int Calls(absl::string_view end) const;

 protected:
  // Events that wait to be sent.
  struct Stream {
    std::deque<std::string> waiting;
    bool ended = false;
  };

  ~FakeService() = default;

  // Begins each call: counts it and lets the latency go by.
  void BeginCall(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  int CountCalls(absl::FunctionRef<bool(const std::string&)> is_wanted) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // To be called by lists.
  void RunListHook() ABSL_LOCKS_EXCLUDED(mutex_);

  // An event into all streams.
  void TellStreams(const std::string& event) ABSL_LOCKS_EXCLUDED(mutex_);
  // A new stream that begins with `first`.
  std::shared_ptr<Stream> Subscribe(std::deque<std::string> first = {}) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives away what comes, until the test ends the stream, `closed`, or `send` returns false. True
  // where the test ended it.
  bool ServeStream(const std::shared_ptr<Stream>& stream, absl::FunctionRef<bool()> closed,
                   absl::FunctionRef<bool(const std::string&)> send) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::string last_event_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> calls_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_list_ ABSL_GUARDED_BY(mutex_);
  absl::Duration latency_ ABSL_GUARDED_BY(mutex_);
  bool mute_ ABSL_GUARDED_BY(mutex_) = false;
};

// Answers that a test gives in place of the fake's own, by what a call's name ends with. `Handler`
// is a std::function.
template <typename Handler>
class FakeAnswers {
 public:
  void Set(const std::string& end, Handler handler) ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    by_end_[end] = std::move(handler);
  }

  // Empty: the fake's own.
  Handler Find(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [end, handler] : by_end_) {
      if (absl::EndsWith(name, end)) return handler;
    }
    return nullptr;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, Handler> by_end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_SERVICE_H_
