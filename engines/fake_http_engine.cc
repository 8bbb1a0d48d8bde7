#include "engines/fake_http_engine.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container_process.h"
#include "engines/fake_http_server.h"
#include "engines/fake_process.h"

namespace nsctl::engines {

FakeHttpEngine::FakeHttpEngine()
    : server_(std::make_unique<FakeHttpServer>(
          [this](FakeConnection& connection) { Handle(connection); })) {}

std::unique_ptr<ProcessFinder> FakeHttpEngine::MakeFinder() {
  class Finder : public ProcessFinder {
   public:
    explicit Finder(FakeProcesses* processes) : processes_(*processes) {}
    absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) override {
      return processes_.Find(engine_pid);
    }

   private:
    FakeProcesses& processes_;
  };
  return std::make_unique<Finder>(&processes_);
}

void FakeHttpEngine::SendRaw(const std::string& bytes) {
  const absl::MutexLock lock(&mutex_);
  for (const auto& stream : streams_) stream->waiting.push_back(bytes);
}

void FakeHttpEngine::EndStreams() {
  const absl::MutexLock lock(&mutex_);
  for (const auto& stream : streams_) stream->ended = true;
}

void FakeHttpEngine::SetMute(bool mute) {
  const absl::MutexLock lock(&mutex_);
  mute_ = mute;
}

void FakeHttpEngine::OnList(std::function<void()> hook) {
  const absl::MutexLock lock(&mutex_);
  on_list_ = std::move(hook);
}

void FakeHttpEngine::SetLatency(absl::Duration latency) {
  const absl::MutexLock lock(&mutex_);
  latency_ = latency;
}

void FakeHttpEngine::Answer(const std::string& path_end, FakeHttpServer::Handler handler) {
  const absl::MutexLock lock(&mutex_);
  answers_[path_end] = std::move(handler);
}

int FakeHttpEngine::streams() const {
  const absl::MutexLock lock(&mutex_);
  return static_cast<int>(streams_.size());
}

int FakeHttpEngine::Requests(absl::string_view text) const {
  const absl::MutexLock lock(&mutex_);
  return static_cast<int>(std::count_if(
      requests_.begin(), requests_.end(),
      [&text](const std::string& request) { return absl::StrContains(request, text); }));
}

void FakeHttpEngine::RunListHook() {
  std::function<void()> hook;
  {
    const absl::MutexLock lock(&mutex_);
    hook = on_list_;
  }
  if (hook) hook();
}

void FakeHttpEngine::Tell(const std::string& event) {
  if (mute_) return;
  for (const auto& stream : streams_) stream->waiting.push_back(event);
}

bool FakeHttpEngine::RunStream(absl::FunctionRef<void(Stream&)> replay,
                               absl::FunctionRef<bool(const std::string&)> send,
                               absl::FunctionRef<bool()> is_alive) {
  auto stream = std::make_shared<Stream>();
  {
    const absl::MutexLock lock(&mutex_);
    replay(*stream);
    streams_.push_back(stream);
  }
  bool alive = true;
  while (alive && is_alive()) {
    std::string next;
    {
      const absl::MutexLock lock(&mutex_);
      const auto ready = [&stream] { return stream->ended || !stream->waiting.empty(); };
      mutex_.AwaitWithTimeout(absl::Condition(&ready), absl::Milliseconds(5));
      if (!stream->waiting.empty()) {
        next = stream->waiting.front();
        stream->waiting.pop_front();
      } else if (stream->ended) {
        break;
      }
    }
    if (!next.empty()) alive = send(next);
  }
  const absl::MutexLock lock(&mutex_);
  const bool ended = stream->ended;
  streams_.erase(std::find(streams_.begin(), streams_.end(), stream));
  return alive && ended;
}

void FakeHttpEngine::Handle(FakeConnection& connection) {
  const std::string path = connection.target().substr(0, connection.target().find('?'));
  FakeHttpServer::Handler answer;
  absl::Duration latency;
  {
    const absl::MutexLock lock(&mutex_);
    requests_.push_back(connection.target());
    latency = latency_;
    for (const auto& [end, handler] : answers_) {
      if (absl::EndsWith(path, end)) answer = handler;
    }
  }
  absl::SleepFor(latency);
  if (answer) return answer(connection);
  Serve(connection, path);
}

}  // namespace nsctl::engines
