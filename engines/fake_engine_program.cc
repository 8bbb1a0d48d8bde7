// An engine as a process of its own, for tests of how engines are found: listens at a socket,
// answers as Docker or Podman does, and has child processes for containers.
//
//   fake_engine_program MODE SOCKET [NAME | NAME=PID]...
//
// SOCKET "inherited": descriptor 3 listens already, as systemd passes it; then there are no lines.
// MODE: docker, podman; silent (accepts and never answers), drip (a byte a second), endless (a body
// without an end). NAME is a container, whose process is started; with a PID, a lie. Lines on stdin
// start and end containers (the word "service" is none: Podman's command line has it): "start
// NAME", "stop NAME". Each is answered by "ok" on stdout, the first one means that it listens. Ends
// when stdin does.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/fake_http_server.h"

namespace nsctl::engines {
namespace {

// 64 digits.
std::string IdOf(absl::string_view name) {
  std::string id;
  for (const char c : name) absl::StrAppendFormat(&id, "%02x", static_cast<unsigned char>(c));
  id.resize(64, '0');
  return id;
}

class Program {
 public:
  explicit Program(std::string mode) : mode_(std::move(mode)) {}

  void Start(const std::string& name) {
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      // Its end may have come before.
      while (getppid() == self) pause();
      _exit(0);
    }
    Tell(name, pid);
    SendEvent(name, "start");
  }

  void Tell(const std::string& name, int64_t pid) {
    const absl::MutexLock lock(&mutex_);
    pids_[name] = pid;
  }

  void Stop(const std::string& name) {
    int64_t pid = 0;
    {
      const absl::MutexLock lock(&mutex_);
      pid = std::exchange(pids_[name], 0);
      pids_.erase(name);
    }
    kill(static_cast<pid_t>(pid), SIGKILL);
    waitpid(static_cast<pid_t>(pid), nullptr, 0);
    SendEvent(name, mode_ == "podman" ? "died" : "die");
  }

  void Handle(FakeConnection& connection) {
    if (mode_ == "silent") return connection.AwaitEnd();
    if (mode_ == "drip") {
      while (connection.Send("H") && !connection.closed()) absl::SleepFor(absl::Seconds(1));
      return;
    }
    if (mode_ == "endless") {
      connection.StartChunks();
      while (connection.SendChunk(std::string(1 << 16, ' '))) {
      }
      return;
    }
    const std::string target = connection.target().substr(0, connection.target().find('?'));
    if (absl::EndsWith(target, "/_ping")) {
      connection.Send(absl::StrCat("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n",
                                   mode_ == "podman" ? "Libpod-Api-Version: 4.3.1\r\n" : "",
                                   "Content-Length: 0\r\n\r\n"));
    } else if (absl::EndsWith(target, "/info")) {
      connection.SendResponse(200, R"({"ID":"FAKE:ID","ServerVersion":"20.10.24"})");
    } else if (absl::EndsWith(target, "/events")) {
      ServeEvents(connection);
    } else if (absl::EndsWith(target, "/containers/json")) {
      connection.SendResponse(200, List());
    } else if (absl::EndsWith(target, "/json")) {
      Inspect(connection, target);
    } else {
      connection.SendResponse(404, R"({"message":"page not found"})");
    }
  }

 private:
  struct Stream {
    std::vector<std::string> waiting;
  };

  void SendEvent(const std::string& name, const std::string& action) {
    const absl::MutexLock lock(&mutex_);
    const int64_t now = absl::GetCurrentTimeNanos();
    events_.push_back(absl::StrFormat(
        R"({"Type":"container","Action":"%s","Actor":{"ID":"%s","Attributes":{}},"time":%d,)"
        R"("timeNano":%d})"
        "\n",
        action, IdOf(name), now / 1'000'000'000, now));
  }

  // From now on.
  void ServeEvents(FakeConnection& connection) {
    if (!connection.StartChunks()) return;
    size_t next = 0;
    {
      const absl::MutexLock lock(&mutex_);
      next = events_.size();
    }
    while (!connection.closed()) {
      std::vector<std::string> events;
      {
        const absl::MutexLock lock(&mutex_);
        events.assign(events_.begin() + static_cast<std::ptrdiff_t>(next), events_.end());
        next = events_.size();
      }
      for (const std::string& event : events) connection.SendChunk(event);
      absl::SleepFor(absl::Milliseconds(2));
    }
  }

  std::string List() {
    const absl::MutexLock lock(&mutex_);
    std::vector<std::string> rows;
    for (const auto& [name, pid] : pids_) {
      rows.push_back(absl::StrFormat(R"({"Id":"%s","Names":["%s%s"],"Pid":%d,"State":"running"})",
                                     IdOf(name), mode_ == "podman" ? "" : "/", name, pid));
    }
    return absl::StrCat("[", absl::StrJoin(rows, ","), "]");
  }

  void Inspect(FakeConnection& connection, const std::string& target) {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [name, pid] : pids_) {
      if (!absl::StrContains(target, IdOf(name))) continue;
      connection.SendResponse(
          200, absl::StrFormat(R"({"Id":"%s","Name":"/%s","State":{"Status":"running","Pid":%d}})",
                               IdOf(name), name, pid));
      return;
    }
    connection.SendResponse(404, R"({"message":"No such container"})");
  }

  const std::string mode_;
  absl::Mutex mutex_;
  std::map<std::string, int64_t> pids_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> events_ ABSL_GUARDED_BY(mutex_);
};

constexpr char kInherited[] = "inherited";

int Listen(const std::string& path) {
  if (path == kInherited) return 3;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return -1;
  std::copy(path.begin(), path.end(), address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return -1;
  return listen(fd, 64) == 0 ? fd : -1;
}

void TakeCommands(Program* program) {
  std::string line;
  std::cout << "ok" << std::endl;
  while (std::getline(std::cin, line)) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() == 2 && words[0] == "start") program->Start(words[1]);
    if (words.size() == 2 && words[0] == "stop") program->Stop(words[1]);
    std::cout << "ok" << std::endl;
  }
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Program program(arguments[1]);
  for (size_t i = 3; i < arguments.size(); ++i) {
    if (arguments[i] == "service") continue;
    const std::vector<std::string> parts = absl::StrSplit(arguments[i], '=');
    int64_t pid = 0;
    if (parts.size() == 2 && absl::SimpleAtoi(parts[1], &pid)) {
      program.Tell(parts[0], pid);
    } else {
      program.Start(arguments[i]);
    }
  }
  const int listener = Listen(arguments[2]);
  if (listener < 0) {
    std::cerr << "cannot listen at " << arguments[2] << ": " << strerror(errno) << "\n";
    return 1;
  }
  FakeHttpServer server([&program](FakeConnection& connection) { program.Handle(connection); });
  std::thread accepting([listener, &server] {
    while (true) {
      base::OwnedFd socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket.ok()) return;
      server.Serve(std::move(socket));
    }
  });
  if (arguments[2] == kInherited) {
    accepting.join();
    _exit(0);
  }
  TakeCommands(&program);
  shutdown(listener, SHUT_RDWR);
  accepting.join();
  // Its children end with it.
  _exit(0);
}

}  // namespace
}  // namespace nsctl::engines

int main(int argc, char** argv) {
  return nsctl::engines::Main(std::vector<std::string>(argv, argv + argc));
}
