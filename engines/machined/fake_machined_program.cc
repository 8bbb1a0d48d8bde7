// systemd-machined as a process of its own, for tests: answers varlink calls as version 257 does,
// or keeps the state files of version 252, and has child processes for its machines.
//
//   fake_machined_program MODE SOCKET [NAME | NAME=PID]...
//
// MODE: varlink; files (knows no io.systemd.Machine.List); silent (accepts and never answers),
// endless (a reply without an end). NAME is a machine, whose process is started; with a PID, a lie.
// Lines on stdin: "start NAME", "stop NAME". Each is answered by "ok" on stdout, the first one
// means that it listens. Ends when stdin does.

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace nsctl::engines::machined {
namespace {

constexpr char kFolder[] = "/run/systemd/machines";

class Program {
 public:
  explicit Program(std::string mode) : mode_(std::move(mode)) {}

  bool Listen(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::filesystem::create_directories(kFolder);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return false;
    std::copy(path.begin(), path.end(), address.sun_path);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
           listen(listener_, 64) == 0;
  }

  void Start(const std::string& name) {
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (getppid() == self) pause();
      _exit(0);
    }
    Tell(name, pid);
  }

  void Tell(const std::string& name, int64_t pid) {
    machines_[name] = pid;
    // As systemd does it: whoever reads sees all of it or nothing.
    const std::string path = absl::StrCat(kFolder, "/", name);
    const std::string temporary = absl::StrCat(kFolder, "/.#", name);
    std::ofstream(temporary) << "# This is private data. Do not parse.\nNAME=" << name
                             << "\nSERVICE=systemd-nspawn\nLEADER=" << pid << "\nCLASS=container\n";
    std::filesystem::rename(temporary, path);
  }

  void Stop(const std::string& name) {
    const auto pid = static_cast<pid_t>(std::exchange(machines_[name], 0));
    machines_.erase(name);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    std::filesystem::remove(absl::StrCat(kFolder, "/", name));
  }

  void Run() {
    std::cout << "ok" << std::endl;
    while (true) {
      std::vector<pollfd> fds = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                 {.fd = listener_, .events = POLLIN, .revents = 0}};
      for (const auto& [fd, text] : clients_) {
        fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
      }
      poll(fds.data(), fds.size(), -1);
      for (size_t i = 2; i < fds.size(); ++i) {
        if (fds[i].revents != 0) Serve(fds[i].fd);
      }
      if (fds[1].revents != 0) {
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) clients_[client] = "";
      }
      if (fds[0].revents != 0 && !TakeLine()) return;
    }
  }

 private:
  void Serve(int client) {
    char bytes[4096];
    const ssize_t size = recv(client, bytes, sizeof(bytes), 0);
    if (size <= 0) {
      close(client);
      clients_.erase(client);
      return;
    }
    std::string& text = clients_[client];
    text.append(bytes, static_cast<size_t>(size));
    if (text.back() != '\0' || mode_ == "silent") return;
    if (mode_ == "endless") {
      const std::string chunk(1 << 16, ' ');
      while (Send(client, chunk)) {
      }
      return;
    }
    Answer(client, std::exchange(text, ""));
  }

  void Answer(int client, const std::string& request) {
    const auto reply = [client](absl::string_view json) {
      Send(client, absl::StrCat(json, absl::string_view("\0", 1)));
    };
    if (mode_ != "files" && absl::StrContains(request, "org.varlink.service.GetInfo")) {
      return reply(
          R"json({"parameters":{"vendor":"The systemd Project","version":"257 (257.9-1)",)json"
          R"json("product":"systemd (systemd-machined)","interfaces":[]}})json");
    }
    if (mode_ == "files" || !absl::StrContains(request, "io.systemd.Machine.List")) {
      return reply(R"({"error":"org.varlink.service.MethodNotFound","parameters":{}})");
    }
    std::vector<std::string> replies;
    for (const auto& [name, pid] : machines_) {
      if (absl::StrContains(request, "\"name\"") &&
          !absl::StrContains(request, absl::StrCat("\"", name, "\""))) {
        continue;
      }
      replies.push_back(absl::StrCat(
          R"({"parameters":{"name":")", name,
          R"(","service":"systemd-nspawn","class":"container","leader":{"pid":)", pid, "}}"));
    }
    if (!absl::StrContains(request, "\"name\"")) {
      replies.emplace_back(R"({"parameters":{"name":".host","class":"host","leader":{"pid":1}})");
    }
    if (replies.empty()) return reply(R"({"error":"io.systemd.Machine.NoSuchMachine"})");
    for (size_t i = 0; i < replies.size(); ++i) {
      reply(absl::StrCat(replies[i], i + 1 < replies.size() ? ",\"continues\":true}" : "}"));
    }
  }

  static bool Send(int client, absl::string_view bytes) {
    return send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }

  bool TakeLine() {
    std::string line;
    if (!std::getline(std::cin, line)) return false;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() == 2 && words[0] == "start") Start(words[1]);
    if (words.size() == 2 && words[0] == "stop") Stop(words[1]);
    std::cout << "ok" << std::endl;
    return true;
  }

  const std::string mode_;
  int listener_ = -1;
  std::map<std::string, int64_t> machines_;
  // What each sent, up to the NUL.
  std::map<int, std::string> clients_;
};

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // One line at a time: poll(2) is asked for the next.
  std::cin.rdbuf()->pubsetbuf(nullptr, 0);
  Program program(arguments[1]);
  if (!program.Listen(arguments[2])) return 1;
  for (size_t i = 3; i < arguments.size(); ++i) {
    const std::vector<std::string> parts = absl::StrSplit(arguments[i], '=');
    int64_t pid = 0;
    if (parts.size() == 2 && absl::SimpleAtoi(parts[1], &pid)) {
      program.Tell(parts[0], pid);
    } else {
      program.Start(arguments[i]);
    }
  }
  program.Run();
  // Its children end with it.
  _exit(0);
}

}  // namespace
}  // namespace nsctl::engines::machined

int main(int argc, char** argv) {
  return nsctl::engines::machined::Main(std::vector<std::string>(argv, argv + argc));
}
