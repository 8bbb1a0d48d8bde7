#include "engines/incus/fake_incus.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/fake_http_server.h"
#include "engines/fake_web_socket.h"
#include "engines/json_text.h"
#include "engines/web_socket_frames.h"

namespace nsctl::engines::incus {
namespace {

constexpr int kStopped = 102;
constexpr int kRunning = 103;
constexpr int kFrozen = 110;

std::string KeyOf(const std::string& name) {
  return absl::StrContains(name, "/") ? name : absl::StrCat("default/", name);
}

std::string TextOfJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Envelope(const Json& metadata) {
  return absl::StrCat(R"({"type":"sync","status":"Success","status_code":200,"operation":"",)"
                      R"("error_code":0,"error":"","metadata":)",
                      TextOfJson(metadata), "}\n");
}

void SendNotFound(FakeConnection& connection) {
  connection.SendResponse(404, R"({"type":"error","status":"","status_code":0,"operation":"",)"
                               R"("error_code":404,"error":"Instance not found","metadata":null})"
                               "\n");
}

std::string Now() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E9SZ", absl::Now(), absl::UTCTimeZone());
}

}  // namespace

FakeIncus::Known& FakeIncus::Make(const std::string& name) {
  const std::string key = KeyOf(name);
  const auto [known, is_new] = known_.try_emplace(key);
  if (!is_new) return known->second;
  const std::vector<std::string> parts = absl::StrSplit(key, absl::MaxSplits('/', 1));
  const Json config = {
      {"image.description", "busybox"},
      {"volatile.base_image", "26ae567a"},
      {"volatile.uuid", absl::StrFormat("00000000-0000-4000-8000-%012d", ++made_)}};
  known->second.json = {{"architecture", "x86_64"},
                        {"config", config},
                        {"expanded_config", config},
                        {"created_at", "2026-11-26T11:29:17.784547002Z"},
                        {"last_used_at", "2026-11-26T11:29:18.727744174Z"},
                        {"description", ""},
                        {"ephemeral", false},
                        {"location", location_.empty() ? "none" : location_},
                        {"name", parts[1]},
                        {"profiles", {"default"}},
                        {"project", parts[0]},
                        {"status", "Stopped"},
                        {"status_code", kStopped},
                        {"type", "container"}};
  return known->second;
}

void FakeIncus::SetCode(Known* known, int code) {
  known->json["status_code"] = code;
  known->json["status"] = code == kRunning ? "Running" : code == kFrozen ? "Frozen" : "Stopped";
}

Json FakeIncus::StateOf(const Known& known) const {
  return {{"status", known.json["status"]},
          {"status_code", known.json["status_code"]},
          {"pid", known.process ? known.process->pid() : 0},
          {"processes", known.process ? 2 : -1},
          {"network", nullptr}};
}

Json FakeIncus::Shown(const Known& known, bool whole) const {
  Json shown = known.json;
  if (whole && !old_) shown["state"] = StateOf(known);
  return shown;
}

void FakeIncus::TellAction(const std::string& name, const std::string& action,
                           const Json& context) {
  const std::string key = KeyOf(name);
  const std::vector<std::string> parts = absl::StrSplit(key, absl::MaxSplits('/', 1));
  const std::string query = parts[0] == "default" ? "" : absl::StrCat("?project=", parts[0]);
  Json metadata = {{"action", absl::StrCat("instance-", action)},
                   {"source", absl::StrCat("/1.0/instances/", parts[1], query)}};
  if (!context.is_null()) metadata["context"] = context;
  if (server_name_ == "incus") {
    metadata["name"] = parts[1];
    metadata["project"] = parts[0];
  }
  const Json event = {{"type", "lifecycle"},
                      {"timestamp", Now()},
                      {"metadata", metadata},
                      {"location", location_.empty() ? "none" : location_},
                      {"project", parts[0]}};
  TellStreams(ServerFrame(WebSocketOpcode::kText, absl::StrCat(TextOfJson(event), "\n")));
}

void FakeIncus::Start(const std::string& name) {
  auto process = processes_.Start();
  const absl::MutexLock lock(&mutex_);
  if (!known_.contains(KeyOf(name))) {
    Make(name);
    TellAction(name, "created", {{"type", "container"}});
  }
  Known& known = Make(name);
  known.process = std::move(process);
  SetCode(&known, kRunning);
  TellAction(name, "started");
}

void FakeIncus::Shutdown(const std::string& name) {
  const absl::MutexLock lock(&mutex_);
  Known& known = known_.at(KeyOf(name));
  known.process->End();
  known.process.reset();
  SetCode(&known, kStopped);
  TellAction(name, "shutdown");
}

void FakeIncus::Restart(const std::string& name) {
  auto process = processes_.Start();
  const absl::MutexLock lock(&mutex_);
  Known& known = known_.at(KeyOf(name));
  known.process->End();
  known.process = std::move(process);
  SetCode(&known, kRunning);
  TellAction(name, "restarted");
}

void FakeIncus::SetPaused(const std::string& name, bool paused) {
  const absl::MutexLock lock(&mutex_);
  SetCode(&known_.at(KeyOf(name)), paused ? kFrozen : kRunning);
  TellAction(name, paused ? "paused" : "resumed");
}

void FakeIncus::Rename(const std::string& name, const std::string& to) {
  const absl::MutexLock lock(&mutex_);
  const std::string key = KeyOf(name);
  const std::string project = key.substr(0, key.find('/'));
  const std::string old_name = key.substr(project.size() + 1);
  auto node = known_.extract(key);
  node.key() = absl::StrCat(project, "/", to);
  node.mapped().json["name"] = to;
  const std::string new_key = node.key();
  known_.insert(std::move(node));
  TellAction(new_key, "renamed", {{"old_name", old_name}});
}

void FakeIncus::Remove(const std::string& name) {
  const absl::MutexLock lock(&mutex_);
  known_.erase(KeyOf(name));
  TellAction(name, "deleted");
}

void FakeIncus::SetConfig(const std::string& name, const std::string& key,
                          const std::string& value) {
  const absl::MutexLock lock(&mutex_);
  Json& json = known_.at(KeyOf(name)).json;
  json["config"][key] = value;
  json["expanded_config"][key] = value;
  TellAction(name, "updated");
}

void FakeIncus::Exec(const std::string& name) {
  const absl::MutexLock lock(&mutex_);
  TellAction(name, "exec", {{"command", {"/bin/true"}}});
}

void FakeIncus::SetMember(const std::string& name, const std::string& member, const Json& value) {
  const absl::MutexLock lock(&mutex_);
  known_.at(KeyOf(name)).json[member] = value;
}

void FakeIncus::Kill(const std::string& name) {
  const absl::MutexLock lock(&mutex_);
  known_.at(KeyOf(name)).process->End();
}

void FakeIncus::SetOld(bool old) {
  const absl::MutexLock lock(&mutex_);
  old_ = old;
}

void FakeIncus::SendEvent(absl::string_view text) {
  SendRaw(ServerFrame(WebSocketOpcode::kText, text));
}

int FakeIncus::Requests(absl::string_view text) const {
  return CountCalls(
      [text](const std::string& request) { return absl::StrContains(request, text); });
}

int FakeIncus::pongs() const {
  const absl::MutexLock lock(&mutex_);
  return pongs_;
}

std::string FakeIncus::IdOf(const std::string& name) const {
  const absl::MutexLock lock(&mutex_);
  return TextMember(known_.at(KeyOf(name)).json["config"], "volatile.uuid");
}

void FakeIncus::ServeServer(FakeConnection& connection) {
  const Json environment = {{"server", server_name_},
                            {"server_version", server_name_ == "lxd" ? "5.0.2" : "6.0.4"},
                            {"server_name", location_.empty() ? "vm" : location_},
                            {"server_clustered", !location_.empty()},
                            {"certificate_fingerprint", "0ec795cb"}};
  connection.SendResponse(
      200, Envelope({{"api_version", "1.0"}, {"auth", "trusted"}, {"environment", environment}}));
}

void FakeIncus::ServeEvents(FakeConnection& connection) {
  // Accepted before it is subscribed, as the daemons do.
  if (!AcceptWebSocket(connection)) return;
  std::string received;
  bool closed = false;
  const auto is_closed = [&] {
    const bool alive = connection.Receive(&received);
    const auto frames = TakeClientFrames(&received);
    if (!alive || !frames.has_value()) return true;
    const absl::MutexLock lock(&mutex_);
    for (const auto& [opcode, payload] : *frames) {
      if (opcode == WebSocketOpcode::kPong && payload == "keepalive") ++pongs_;
      closed = closed || opcode == WebSocketOpcode::kClose;
    }
    return closed;
  };
  std::shared_ptr<Stream> stream;
  {
    const absl::MutexLock lock(&mutex_);
    std::deque<std::string> first;
    if (!old_) first.push_back(ServerFrame(WebSocketOpcode::kPing, "keepalive"));
    stream = Subscribe(std::move(first));
  }
  const bool ended = ServeStream(stream, is_closed, [&connection](const std::string& frame) {
    return connection.Send(frame);
  });
  if (ended) connection.Send(ServerFrame(WebSocketOpcode::kClose, "\x03\xe9"));
}

void FakeIncus::ServeList(FakeConnection& connection) {
  Json rows = Json::array();
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [key, known] : known_) rows.push_back(Shown(known, true));
  }
  RunListHook();
  connection.SendResponse(200, Envelope(rows));
}

void FakeIncus::ServeInstance(FakeConnection& connection, const std::string& path) {
  absl::string_view name = path;
  absl::ConsumePrefix(&name, "/1.0/instances/");
  const bool wants_state = absl::ConsumeSuffix(&name, "/state");
  const std::string& target = connection.target();
  std::string project = "default";
  const size_t at = target.find("project=");
  if (at != std::string::npos) project = target.substr(at + 8, target.find('&', at) - at - 8);
  std::string body;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = known_.find(absl::StrCat(project, "/", name));
    if (found != known_.end()) {
      const bool whole = absl::StrContains(target, "recursion=1");
      body = Envelope(wants_state ? StateOf(found->second) : Shown(found->second, whole));
    }
  }
  if (body.empty()) return SendNotFound(connection);
  connection.SendResponse(200, body);
}

void FakeIncus::Handle(FakeConnection& connection) {
  const std::string path = connection.target().substr(0, connection.target().find('?'));
  BeginCall(connection.target());
  if (const FakeHttpServer::Handler answer = answers_.Find(path)) return answer(connection);
  if (path == "/1.0") {
    ServeServer(connection);
  } else if (path == "/1.0/events") {
    ServeEvents(connection);
  } else if (path == "/1.0/instances") {
    ServeList(connection);
  } else if (absl::StartsWith(path, "/1.0/instances/")) {
    ServeInstance(connection, path);
  } else {
    SendNotFound(connection);
  }
}

}  // namespace nsctl::engines::incus
