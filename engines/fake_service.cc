#include "engines/fake_service.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace nsctl::engines {

void FakeService::SendRaw(const std::string& bytes) {
  const absl::MutexLock lock(&mutex_);
  for (const auto& stream : streams_) stream->waiting.push_back(bytes);
}

void FakeService::RepeatLast() { SendRaw(LastEvent()); }

std::string FakeService::LastEvent() const {
  const absl::MutexLock lock(&mutex_);
  return last_event_;
}

void FakeService::EndStreams() {
  const absl::MutexLock lock(&mutex_);
  for (const auto& stream : streams_) stream->ended = true;
}

void FakeService::SetMute(bool mute) {
  const absl::MutexLock lock(&mutex_);
  mute_ = mute;
}

void FakeService::OnList(std::function<void()> hook) {
  const absl::MutexLock lock(&mutex_);
  on_list_ = std::move(hook);
}

void FakeService::SetLatency(absl::Duration latency) {
  const absl::MutexLock lock(&mutex_);
  latency_ = latency;
}

int FakeService::streams() const {
  const absl::MutexLock lock(&mutex_);
  return static_cast<int>(streams_.size());
}

int FakeService::Calls(absl::string_view end) const {
  return CountCalls([end](const std::string& name) { return absl::EndsWith(name, end); });
}

void FakeService::BeginCall(const std::string& name) {
  absl::Duration latency;
  {
    const absl::MutexLock lock(&mutex_);
    calls_.push_back(name);
    latency = latency_;
  }
  absl::SleepFor(latency);
}

int FakeService::CountCalls(absl::FunctionRef<bool(const std::string&)> is_wanted) const {
  const absl::MutexLock lock(&mutex_);
  return static_cast<int>(std::count_if(calls_.begin(), calls_.end(), is_wanted));
}

void FakeService::RunListHook() {
  std::function<void()> hook;
  {
    const absl::MutexLock lock(&mutex_);
    hook = on_list_;
  }
  if (hook) hook();
}

void FakeService::TellStreams(const std::string& event) {
  const absl::MutexLock lock(&mutex_);
  last_event_ = event;
  if (mute_) return;
  for (const auto& stream : streams_) stream->waiting.push_back(event);
}

std::shared_ptr<FakeService::Stream> FakeService::Subscribe(std::deque<std::string> first) {
  auto stream = std::make_shared<Stream>();
  stream->waiting = std::move(first);
  const absl::MutexLock lock(&mutex_);
  streams_.push_back(stream);
  return stream;
}

bool FakeService::ServeStream(const std::shared_ptr<Stream>& stream,
                              absl::FunctionRef<bool()> closed,
                              absl::FunctionRef<bool(const std::string&)> send) {
  bool ended = false;
  bool alive = true;
  while (alive && !ended && !closed()) {
    std::deque<std::string> events;
    {
      const absl::MutexLock lock(&mutex_);
      const auto ready = [&stream] { return stream->ended || !stream->waiting.empty(); };
      mutex_.AwaitWithTimeout(absl::Condition(&ready), absl::Milliseconds(5));
      events.swap(stream->waiting);
      ended = stream->ended;
    }
    for (const std::string& event : events) alive = alive && send(event);
  }
  const absl::MutexLock lock(&mutex_);
  streams_.erase(std::find(streams_.begin(), streams_.end(), stream));
  return alive && ended;
}

}  // namespace nsctl::engines
