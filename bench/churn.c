/* A world that never rests: processes that start, go into new namespaces, open, bind and mount
 * things, and end, until this program is ended.
 *
 *   churn WORKERS
 *
 * Mounts on /mnt: to be run in mount and PID namespaces of its own, which is where all of it ends.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static unsigned Next(unsigned* state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 16;
}

static void Rest(unsigned* state) {
  const struct timespec time = {0, (long)(Next(state) % 3000) * 1000};
  nanosleep(&time, NULL);
}

/* What fails, fails: names are few and others are at work. */
static void Mount(unsigned* state) {
  char path[32];
  snprintf(path, sizeof(path), "/mnt/%u", Next(state) % 8);
  switch (Next(state) % 4) {
    case 0:
      mkdir(path, 0700);
      mount("churn", path, "tmpfs", 0, NULL);
      break;
    case 1: {
      const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      if (file >= 0) close(file);
      mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL);
      break;
    }
    case 2:
      umount2(path, MNT_DETACH);
      break;
    default:
      umount2(path, MNT_DETACH);
      rmdir(path);
      unlink(path);
  }
}

static void Live(unsigned seed) {
  static const int kFlags[] = {CLONE_NEWUTS,  CLONE_NEWIPC,    CLONE_NEWNET,
                               CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWPID,
                               CLONE_NEWUSER, CLONE_NEWTIME,   CLONE_NEWUTS | CLONE_NEWIPC};
  static const char* const kLinks[] = {"/proc/self/ns/net", "/proc/self/ns/uts",
                                       "/proc/self/ns/user", "/proc/self/ns/mnt"};
  unsigned state = seed;
  const int left = open(kLinks[Next(&state) % 4], O_RDONLY | O_CLOEXEC);
  const unsigned steps = 1 + Next(&state) % 6;
  for (unsigned i = 0; i < steps; ++i) {
    if (unshare(kFlags[Next(&state) % (sizeof(kFlags) / sizeof(kFlags[0]))]) != 0) continue;
    (void)!open(kLinks[Next(&state) % 4], O_RDONLY | O_CLOEXEC);
    (void)!socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Mount(&state);
    if (Next(&state) % 3 == 0 && fork() == 0) {
      Rest(&state);
      _exit(0);
    }
    Rest(&state);
  }
  if (left >= 0) close(left);
  _exit(0);
}

static void Work(unsigned seed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGCHLD, SIG_IGN);
  while (1) {
    const pid_t pid = fork();
    if (pid == 0) Live(Next(&seed));
    Mount(&seed);
    Rest(&seed);
    if (pid > 0 && Next(&seed) % 2 == 0) waitpid(pid, NULL, 0);
  }
}

int main(int argc, char** argv) {
  const int workers = argc > 1 ? atoi(argv[1]) : 1;
  if (mount("churn", "/mnt", "tmpfs", 0, NULL) != 0) {
    perror("churn: /mnt");
    return 1;
  }
  /* Whoever loses its parent is waited for below. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (int i = 0; i < workers; ++i) {
    if (fork() == 0) Work(2026u + (unsigned)i);
  }
  puts("ready");
  fflush(stdout);
  while (wait(NULL) > 0) {
  }
  return 0;
}
