// A host on which namespaces come and go: unshare_storm RATE SECONDS makes RATE processes a second,
// each of which makes namespaces and ends. Prints how many there were. Exits with 1 where it could
// not keep the rate, or make namespaces.

#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Network namespaces take milliseconds of the kernel's time each, so few are.
static const int kKinds[] = {CLONE_NEWUTS,
                             CLONE_NEWNS | CLONE_NEWUTS,
                             CLONE_NEWIPC,
                             CLONE_NEWUSER,
                             CLONE_NEWPID,
                             CLONE_NEWCGROUP | CLONE_NEWIPC,
                             CLONE_NEWUSER | CLONE_NEWNS,
                             CLONE_NEWNS};
#define KINDS (sizeof(kKinds) / sizeof(kKinds[0]))
#define NETWORK_EVERY 64

static int64_t Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void SleepUntil(int64_t when) {
  const struct timespec until = {when / 1000000000, when % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
  }
}

int main(int argc, char** argv) {
  if (argc != 3) error(2, 0, "usage: unshare_storm RATE SECONDS");
  const long rate = atol(argv[1]);
  const long total = rate * atol(argv[2]);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int64_t start = Now();
  long refused = 0;
  for (long i = 0; i < total; ++i) {
    // A pause now and then, so that there is one process at a time and the rate holds.
    if (i % 16 == 0) SleepUntil(start + i * 1000000000 / rate);
    const pid_t child = fork();
    if (child < 0) error(1, errno, "fork");
    if (child == 0) {
      const int kind = i % NETWORK_EVERY == 0 ? CLONE_NEWNET : kKinds[(size_t)i % KINDS];
      _exit(unshare(kind) == 0 ? 0 : 1);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) ++refused;
  }
  const double seconds = (double)(Now() - start) / 1e9;
  printf("%ld in %.2f s, %ld refused\n", total, seconds, refused);
  return refused > 0 || seconds > 2.0 * (double)total / (double)rate;
}
