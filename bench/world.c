// Makes a quiet world of many processes, in a PID namespace and a procfs of its own, and runs a
// command in it: world [-p PROCESSES] [-t THREADS] [-f FILES] [-s SOCKETS] [-u SOCKETS] [-n]
// COMMAND ...
//
// Each process has so many more threads, descriptors open on /dev/null and sockets, UDP ones
// without an address (-s) and Unix domain ones (-u); with -n it is in network, mount and UTS
// namespaces of its own. Ends with the command, and with its status.

#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct Shape {
  long processes;
  long threads;
  long files;
  long udp_sockets;
  long unix_sockets;
  int namespaces;
};

static void* Idle(void* unused) {
  for (;;) pause();
  return unused;
}

// One process of the world; writes to `ready` once it is as it shall be.
static void Live(const struct Shape* shape, int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (shape->namespaces != 0 && unshare(shape->namespaces) != 0) error(1, errno, "unshare");
  for (long i = 0; i < shape->files; ++i) {
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) error(1, errno, "open");
  }
  for (long i = 0; i < shape->udp_sockets + shape->unix_sockets; ++i) {
    const int family = i < shape->udp_sockets ? AF_INET : AF_UNIX;
    if (socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0) error(1, errno, "socket");
  }
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  for (long i = 0; i < shape->threads; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, &small, Idle, NULL) != 0) error(1, 0, "pthread_create");
  }
  if (write(ready, "", 1) != 1) _exit(1);
  close(ready);
  Idle(NULL);
}

static int RunWorld(const struct Shape* shape, char** command) {
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) error(1, errno, "mount /");
  if (mount("proc", "/proc", "proc", 0, NULL) != 0) error(1, errno, "mount /proc");
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) error(1, errno, "pipe2");
  for (long i = 0; i < shape->processes; ++i) {
    const pid_t pid = fork();
    if (pid < 0) error(1, errno, "fork");
    if (pid == 0) Live(shape, ready[1]);
    char done;
    if (read(ready[0], &done, 1) != 1) return 1;
  }
  const pid_t pid = fork();
  if (pid < 0) error(1, errno, "fork");
  if (pid == 0) {
    execvp(command[0], command);
    error(127, errno, "%s", command[0]);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char** argv) {
  struct Shape shape = {0};
  int option;
  while ((option = getopt(argc, argv, "+p:t:f:s:u:n")) != -1) {
    if (option == 'p') shape.processes = atol(optarg);
    if (option == 't') shape.threads = atol(optarg);
    if (option == 'f') shape.files = atol(optarg);
    if (option == 's') shape.udp_sockets = atol(optarg);
    if (option == 'u') shape.unix_sockets = atol(optarg);
    if (option == 'n') shape.namespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS;
    if (option == '?') return 2;
  }
  if (optind == argc) error(2, 0, "no command");
  const struct rlimit files = {1 << 20, 1 << 20};
  setrlimit(RLIMIT_NOFILE, &files);
  if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) error(1, errno, "unshare");
  const pid_t pid = fork();
  if (pid < 0) error(1, errno, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(RunWorld(&shape, argv + optind));
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
