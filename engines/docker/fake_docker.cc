#include "engines/docker/fake_docker.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engines/fake_http_server.h"
#include "engines/json_text.h"

namespace nsctl::engines::docker {
namespace {

constexpr size_t kRing = 256;

std::string LabelsText(const std::map<std::string, std::string>& labels) {
  return Json(labels).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// "1795431744.777723827" in nanoseconds.
int64_t SinceOf(absl::string_view target) {
  const size_t at = target.find("since=");
  if (at == absl::string_view::npos) return 0;
  const std::vector<absl::string_view> parts =
      absl::StrSplit(target.substr(at + 6).substr(0, target.substr(at + 6).find('&')), '.');
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  (void)absl::SimpleAtoi(parts[0], &seconds);
  if (parts.size() > 1) (void)absl::SimpleAtoi(parts[1], &nanoseconds);
  return seconds * 1'000'000'000 + nanoseconds;
}

}  // namespace

FakeDocker::FakeDocker() : server_([this](FakeConnection& connection) { Handle(connection); }) {}

std::string FakeDocker::IdOf(const std::string& name) {
  std::string id;
  for (const unsigned char c : name) absl::StrAppendFormat(&id, "%02x", c);
  id.resize(64, '0');
  return id;
}

std::string FakeDocker::FindId(const std::string& name) const {
  for (const auto& [id, known] : known_) {
    if (known.name == name) return id;
  }
  return IdOf(name);
}

void FakeDocker::Tell(const std::string& id, const std::string& action,
                      const std::string& attributes) {
  const int64_t now = absl::GetCurrentTimeNanos();
  const std::string text = absl::StrFormat(
      R"({"status":"%s","id":"%s","from":"sl:1","Type":"container","Action":"%s","Actor":)"
      R"({"ID":"%s","Attributes":{"image":"sl:1"%s}},"scope":"local","time":%d,"timeNano":%d})"
      "\n",
      action, id, action, id, attributes, now / 1'000'000'000, now);
  ring_.push_back({.time = now, .text = text});
  if (ring_.size() > kRing) ring_.pop_front();
  TellStreams(text);
}

void FakeDocker::Start(const std::string& name) {
  auto process = processes_.Start();
  const absl::MutexLock lock(&mutex_);
  const std::string id = FindId(name);
  Known& known = known_[id];
  known.name = name;
  known.status = "running";
  known.process = std::move(process);
  Tell(id, "start");
}

void FakeDocker::Die(const std::string& name, int exit_code) {
  const absl::MutexLock lock(&mutex_);
  const std::string id = FindId(name);
  Known& known = known_.at(id);
  known.process->End();
  known.process.reset();
  known.status = "exited";
  known.exit_code = exit_code;
  Tell(id, "die", absl::StrFormat(R"(,"exitCode":"%d")", exit_code));
}

void FakeDocker::SetPaused(const std::string& name, bool paused) {
  const absl::MutexLock lock(&mutex_);
  const std::string id = FindId(name);
  known_.at(id).status = paused ? "paused" : "running";
  Tell(id, paused ? "pause" : "unpause");
}

void FakeDocker::Rename(const std::string& name, const std::string& to) {
  const absl::MutexLock lock(&mutex_);
  const std::string id = FindId(name);
  known_.at(id).name = to;
  Tell(id, "rename", absl::StrFormat(R"(,"oldName":"/%s")", name));
}

void FakeDocker::Remove(const std::string& name) {
  const absl::MutexLock lock(&mutex_);
  const std::string id = FindId(name);
  known_.erase(id);
  Tell(id, "destroy");
}

void FakeDocker::SetLabel(const std::string& name, const std::string& label,
                          const std::string& value) {
  const absl::MutexLock lock(&mutex_);
  known_.at(FindId(name)).labels[label] = value;
}

int FakeDocker::Requests(const std::string& text) const {
  return CountCalls(
      [&text](const std::string& request) { return absl::StrContains(request, text); });
}

void FakeDocker::ServeEvents(FakeConnection& connection) {
  // Accepted before it is subscribed, as the daemon does.
  if (!connection.StartChunks()) return;
  std::shared_ptr<Stream> stream;
  {
    const absl::MutexLock lock(&mutex_);
    const int64_t since = SinceOf(connection.target());
    std::deque<std::string> past;
    for (const Event& event : ring_) {
      if (event.time >= since) past.push_back(event.text);
    }
    stream = Subscribe(std::move(past));
  }
  const bool ended = ServeStream(
      stream, [&connection] { return connection.closed(); },
      [&connection](const std::string& event) { return connection.SendChunk(event); });
  if (ended) connection.EndChunks();
}

void FakeDocker::ServeList(FakeConnection& connection) {
  std::vector<std::string> rows;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [id, known] : known_) {
      const bool stopped = known.status == "exited" || known.status == "created";
      if (stopped != absl::StrContains(connection.target(), "all=1")) continue;
      rows.push_back(absl::StrFormat(
          R"({"Id":"%s","Names":["/%s"],"Image":"sl:1","ImageID":"sha256:1","Created":1795431744,)"
          R"("Labels":%s,"State":"%s","Status":"%s"})",
          id, known.name, LabelsText(known.labels), known.status,
          stopped ? absl::StrCat("Exited (", known.exit_code, ") ago") : "Up"));
    }
  }
  RunListHook();
  connection.SendResponse(200, absl::StrCat("[", absl::StrJoin(rows, ","), "]\n"));
}

void FakeDocker::ServeInspection(FakeConnection& connection) {
  const std::vector<std::string> parts = absl::StrSplit(connection.target(), '/');
  std::string body;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = known_.find(parts[parts.size() - 2]);
    if (found != known_.end()) {
      const Known& known = found->second;
      body = absl::StrFormat(
          R"({"Id":"%s","Name":"/%s","Created":"2026-11-23T10:22:24.5Z","Image":"sha256:1",)"
          R"("State":{"Status":"%s","Pid":%d,"ExitCode":%d,"StartedAt":"2026-11-23T10:22:25Z",)"
          R"("FinishedAt":"0001-01-01T00:00:00Z"},"Config":{"Image":"sl:1","Labels":%s},)"
          R"("HostConfig":{"Runtime":"runc","Privileged":false},"RestartCount":0})",
          found->first, known.name, known.status, known.process ? known.process->pid() : 0,
          known.exit_code, LabelsText(known.labels));
    }
  }
  if (body.empty()) {
    connection.SendResponse(404, R"({"message":"No such container"})");
  } else {
    connection.SendResponse(200, body);
  }
}

void FakeDocker::Handle(FakeConnection& connection) {
  const std::string path = connection.target().substr(0, connection.target().find('?'));
  BeginCall(connection.target());
  if (const FakeHttpServer::Handler answer = answers_.Find(path)) return answer(connection);
  if (path == "/_ping") {
    connection.Send("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n");
  } else if (path == "/v1.41/info") {
    connection.SendResponse(200, R"({"ID":"ABCD:EFGH","ServerVersion":"20.10.24"})");
  } else if (path == "/v1.41/events") {
    ServeEvents(connection);
  } else if (path == "/v1.41/containers/json") {
    ServeList(connection);
  } else if (absl::StartsWith(path, "/v1.41/containers/")) {
    ServeInspection(connection);
  } else {
    connection.SendResponse(404, R"({"message":"page not found"})");
  }
}

}  // namespace nsctl::engines::docker
