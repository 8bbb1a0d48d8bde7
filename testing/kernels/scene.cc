// Makes one of every kind of thing that keeps a namespace, prints what each is, says "ready", and
// keeps them until its standard input ends. tools/test --kernels runs it on every kernel.
//
//   outer user 4026532201      label, type and inode number of a namespace
//
// Binds namespaces' files below /run, which is to be a private mount. Wants to be root, and alone
// in its PID namespace but for its parents.

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "procfsroot/procfs.h"
#include "testing/namespace_fixture.h"

namespace {

using nsctl::base::NamespaceType;
using nsctl::base::OwnedFd;
using nsctl::procfsroot::NamespaceLinks;
using nsctl::testing::NamespaceFixture;

[[noreturn]] void Fail(absl::string_view what, int error) {
  std::fprintf(stderr, "scene: %s: %s\n", std::string(what).c_str(), strerror(error));
  exit(1);
}

void Check(bool done, absl::string_view what) {
  if (!done) Fail(what, errno);
}

void Print(const char* label, const char* type, uint64_t inode) {
  std::printf("%s %s %llu\n", label, type, static_cast<unsigned long long>(inode));
}

void Print(const char* label, const char* type, const OwnedFd& ns) {
  struct stat status;
  Check(fstat(ns.get(), &status) == 0, "fstat");
  Print(label, type, status.st_ino);
}

// Those of `links` whose CLONE_NEW* is in `flags`.
void Print(const char* label, const NamespaceLinks& links, int flags) {
  for (const auto& info : nsctl::base::kNamespaceTypes) {
    if ((static_cast<uint32_t>(flags) & info.clone_flag) == 0) continue;
    Print(label, info.name, links.in[static_cast<size_t>(info.type)].inode);
  }
}

OwnedFd Open(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
  Check(fd.ok(), path);
  return fd;
}

// A child that runs `setup` and rests; returns once it does.
template <typename Setup>
pid_t StartChild(Setup setup) {
  int ready[2];
  Check(pipe2(ready, O_CLOEXEC) == 0, "pipe2");
  const pid_t pid = fork();
  Check(pid >= 0, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setup();
    Check(write(ready[1], "y", 1) == 1, "write");
    while (true) pause();
  }
  close(ready[1]);
  char byte;
  Check(read(ready[0], &byte, 1) == 1, "the child");
  close(ready[0]);
  return pid;
}

// A namespace that nothing but the descriptor holds.
OwnedFd MakeNamespace(const char* type, int flag) {
  const pid_t pid = StartChild([&] { Check(unshare(flag) == 0, "unshare"); });
  OwnedFd ns = Open(absl::StrCat("/proc/", pid, "/ns/", type));
  Check(kill(pid, SIGKILL) == 0 && waitpid(pid, nullptr, 0) == pid, "kill");
  return ns;
}

// From 6.18 on a mount namespace can be bound only into one whose id is smaller, and ids are dealt
// per processor.
void StayOnOneProcessor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  Check(sched_setaffinity(0, sizeof(one), &one) == 0, "sched_setaffinity");
}

void MakePinned(const char* type, int flag) {
  const std::string path = absl::StrCat("/run/pinned-", type);
  const OwnedFd ns = MakeNamespace(type, flag);
  Print("pinned", type, ns);
  const OwnedFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), path);
  Check(file.ok(), path);
  const std::string link = absl::StrCat("/proc/self/fd/", ns.get());
  Check(mount(link.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0, "mount " + path);
}

// A network namespace that only a socket holds.
int MakeSocket() {
  const OwnedFd own = Open("/proc/self/ns/net");
  Check(unshare(CLONE_NEWNET) == 0, "unshare");
  Print("socket", "net", Open("/proc/self/ns/net"));
  const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  Check(socket_fd >= 0, "socket");
  Check(setns(own.get(), CLONE_NEWNET) == 0, "setns");
  return socket_fd;
}

// Sends `ns` to `socket_fd`, where nobody takes it, and closes it.
void PutOnItsWay(int socket_fd, OwnedFd ns) {
  char byte = 'x';
  struct iovec data = {&byte, 1};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  struct cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = ns.get();
  std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  Check(sendmsg(socket_fd, &message, 0) == 1, "sendmsg");
}

void WriteFile(const char* path, absl::string_view text) {
  const OwnedFd file(open(path, O_WRONLY | O_CLOEXEC), path);
  Check(write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()), path);
}

// A user namespace with a child in which a process is, and no process of its own.
void MakeOrphan() {
  const pid_t pid = StartChild([] {
    Check(unshare(CLONE_NEWUSER) == 0, "unshare");
    WriteFile("/proc/self/uid_map", "0 0 1");
    WriteFile("/proc/self/setgroups", "deny");
    WriteFile("/proc/self/gid_map", "0 0 1");
    Print("deserted", "user", Open("/proc/self/ns/user"));
    Check(unshare(CLONE_NEWUSER) == 0, "unshare");
    Print("orphan", "user", Open("/proc/self/ns/user"));
    std::fflush(stdout);
  });
  (void)pid;
}

std::unique_ptr<NamespaceFixture> MakeChain() {
  constexpr int kAll = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS |
                       CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWTIME;
  constexpr int kInner = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  auto fixture =
      NamespaceFixture::Start({{.namespaces = kAll, .name = "outer"},
                               {.namespaces = kInner, .name = "inner", .threads = {CLONE_NEWUTS}},
                               {.name = "last", .for_children = CLONE_NEWTIME}});
  if (!fixture.ok()) Fail(fixture.status().ToString(), 0);
  const auto& processes = (*fixture)->processes();
  Print("outer", processes[0].namespaces, kAll);
  Print("inner", processes[1].namespaces, kInner);
  Print("thread", processes[1].threads[0].namespaces, CLONE_NEWUTS);
  Print("pending", "time",
        processes[2].namespaces.for_children[static_cast<size_t>(NamespaceType::kTime)].inode);
  return *std::move(fixture);
}

}  // namespace

int main() {
  StayOnOneProcessor();
  // Its own: files of the kernel's first mount namespace could not be bound in it.
  Check(unshare(CLONE_NEWNS) == 0, "unshare");
  Check(mount("scene", "/run", "tmpfs", 0, nullptr) == 0, "mount");
  Print("scene", "mnt", Open("/proc/self/ns/mnt"));
  const std::unique_ptr<NamespaceFixture> chain = MakeChain();
  std::fflush(stdout);
  MakeOrphan();
  for (const auto& info : nsctl::base::kNamespaceTypes) {
    if (info.type == NamespaceType::kMnt || info.type == NamespaceType::kNet) {
      MakePinned(info.name, static_cast<int>(info.clone_flag));
    }
  }
  const OwnedFd held = MakeNamespace("ipc", CLONE_NEWIPC);
  Print("fd", "ipc", held);
  const int socket_fd = MakeSocket();
  int sockets[2];
  Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "socketpair");
  OwnedFd mnt = MakeNamespace("mnt", CLONE_NEWNS);
  Print("flying", "mnt", mnt);
  PutOnItsWay(sockets[0], std::move(mnt));
  OwnedFd uts = MakeNamespace("uts", CLONE_NEWUTS);
  Print("flying", "uts", uts);
  PutOnItsWay(sockets[0], std::move(uts));

  std::puts("ready");
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  close(socket_fd);
  return 0;
}
