// A monitor of LXC's as a process of its own, for tests: listens at an abstract socket, answers as
// liblxc 5 does, and has a child that is its container's initial process.
//
//   fake_monitor_program MODE NAME
//
// Its title is the test's to choose. NAME is that of the socket, without the NUL. MODE: normal;
// silent (accepts and never answers), short (half an answer), huge (announces more than there is),
// hangup, noisy (is frozen and thawed with each question), early (has no child yet), forked (its
// child has its title and its socket still), PID (says that this one is its child). Lines on stdin:
// "state NUMBER"; "freeze", "thaw"; "reboot" (another child, another socket); "end" (its child
// ends, and so does it). Each but the last is answered by "ok" on stdout, the first one means that
// it listens. Ends when stdin does.

#include <poll.h>
#include <sched.h>
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
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace nsctl::engines::lxc {
namespace {

constexpr int32_t kRunning = 2;
constexpr int32_t kStopping = 3;
constexpr int32_t kFrozen = 6;

struct Request {
  int32_t command = 0;
  int32_t size = 0;
  uint64_t data = 0;
};
struct Answer {
  int32_t result = 0;
  int32_t size = 0;
  int64_t data = 0;
};
class Program {
 public:
  Program(std::string mode, std::string name) : mode_(std::move(mode)), name_(std::move(name)) {
    if (!absl::SimpleAtoi(mode_, &lie_)) lie_ = 0;
  }

  bool Listen() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (name_.size() >= sizeof(address.sun_path)) return false;
    std::copy(name_.begin(), name_.end(), address.sun_path + 1);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    return bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
           listen(listener_, 64) == 0;
  }

  void StartChild() {
    if (mode_ == "early") return;
    const pid_t self = getpid();
    child_ = fork();
    if (child_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // In namespaces of its own, as a container.
    if (mode_ != "forked" || unshare(CLONE_NEWNET) != 0) close(listener_);
    while (getppid() == self) pause();
    _exit(0);
  }

  void EndChild() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = 0;
  }

  void Run() {
    std::cout << "ok" << std::endl;
    while (true) {
      std::vector<pollfd> fds = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                 {.fd = listener_, .events = POLLIN, .revents = 0}};
      for (const int fd : clients_) {
        fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
      }
      poll(fds.data(), fds.size(), -1);
      for (size_t i = 2; i < fds.size(); ++i) {
        if (fds[i].revents != 0) Serve(fds[i].fd);
      }
      if (fds[1].revents != 0) {
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) clients_.insert(client);
      }
      if (fds[0].revents != 0 && !TakeLine()) return;
    }
  }

 private:
  void Drop(int client) {
    close(client);
    clients_.erase(client);
  }

  void Serve(int client) {
    char bytes[4096];
    const ssize_t size = recv(client, bytes, sizeof(bytes), 0);
    if (mode_ == "silent" && size > 0) return;
    Request request;
    if (size < static_cast<ssize_t>(sizeof(request)) || mode_ == "hangup") return Drop(client);
    memcpy(&request, bytes, sizeof(request));
    const std::string payload(bytes + sizeof(request), static_cast<size_t>(size) - sizeof(request));
    Answer answer;
    std::string text;
    switch (request.command) {
      case 3:
        if (mode_ == "noisy") state_ = state_ == kFrozen ? kRunning : kFrozen;
        answer.data = state_;
        break;
      case 4:
        answer.data = lie_ != 0 ? lie_ : child_;
        break;
      case 7:
        text = std::string(ConfigOf(payload.c_str()));
        if (text.empty()) answer.result = -1;
        break;
      default:
        return Drop(client);
    }
    if (!text.empty()) text += '\0';
    answer.size = static_cast<int32_t>(mode_ == "huge" ? 0x7fffffff : text.size());
    Send(client, &answer, mode_ == "short" ? sizeof(answer) / 2 : sizeof(answer));
    Send(client, text.data(), text.size());
    Drop(client);
  }

  static const char* ConfigOf(absl::string_view item) {
    if (item == "lxc.rootfs.path") return "dir:/srv/web";
    if (item == "lxc.group") return "shop\nall\n";
    return "";
  }

  static void Send(int client, const void* bytes, size_t size) {
    (void)!send(client, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void SetState(int32_t state) { state_ = state; }

  void Reboot() {
    EndChild();
    close(listener_);
    while (!clients_.empty()) Drop(*clients_.begin());
    if (!Listen()) _exit(1);
    StartChild();
  }

  bool TakeLine() {
    std::string line;
    if (!std::getline(std::cin, line)) return false;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    int32_t state = 0;
    if (words[0] == "state" && words.size() == 2 && absl::SimpleAtoi(words[1], &state)) {
      if (mode_ == "early" && state == kRunning) {
        mode_ = "normal";
        StartChild();
      }
      SetState(state);
    }
    if (words[0] == "freeze") SetState(kFrozen);
    if (words[0] == "thaw") SetState(kRunning);
    if (words[0] == "reboot") Reboot();
    if (words[0] == "end") {
      SetState(kStopping);
      EndChild();
      return false;
    }
    std::cout << "ok" << std::endl;
    return true;
  }

  std::string mode_;
  const std::string name_;
  int64_t lie_ = 0;
  int listener_ = -1;
  pid_t child_ = 0;
  int32_t state_ = kRunning;
  std::set<int> clients_;
};

}  // namespace
}  // namespace nsctl::engines::lxc

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // One line at a time: poll(2) is asked for the next.
  std::cin.rdbuf()->pubsetbuf(nullptr, 0);
  nsctl::engines::lxc::Program program(argv[1], argv[2]);
  if (!program.Listen()) {
    std::cerr << "cannot listen at @" << argv[2] << ": " << strerror(errno) << "\n";
    return 1;
  }
  program.StartChild();
  program.Run();
  // Its child ends with it.
  _exit(0);
}
