/* Runs a command with its output thrown away and prints what it cost.
 *
 *   measure COMMAND [ARGUMENT...]
 *
 * Prints "STATUS WALL CPU RSS": the exit status (128 + n for signal n), microseconds of wall time
 * and of processor time, and the peak of its memory in KiB. A program of its own, and a small one:
 * the kernel counts the memory of whoever starts a command as the command's until it is executed.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long MicrosecondsOf(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

static long Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: measure COMMAND [ARGUMENT...]\n");
    return 2;
  }
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const long begin = Now();
  const pid_t pid = vfork();
  if (pid == 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
    perror("measure");
    return 1;
  }
  const long end = Now();
  printf("%d %ld %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
         end - begin, MicrosecondsOf(usage.ru_utime) + MicrosecondsOf(usage.ru_stime),
         usage.ru_maxrss);
  return 0;
}
