// The system calls without which there is no discovery, and nothing else: what nsctl's figures are
// measured against. floor [-j THREADS] PIECES, where PIECES are letters: n the eight links below
// ns/, s stat, c cmdline, g cgroup, f the links below fd/, t all of that for threads as well. "n"
// is the design's L1, "nscgf" its L5.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct linux_dirent64 {
  unsigned long long d_ino;
  long long d_off;
  unsigned short d_reclen;
  unsigned char d_type;
  char d_name[];
};

static const char* const kLinks[] = {"mnt", "cgroup", "uts", "ipc", "user", "pid", "net", "time"};

static const char* pieces = "nscgf";
static char (*processes)[16];
static size_t process_count;
static atomic_size_t next_process;

// Calls `visit` for each entry of `directory` whose name is a number. Closes it.
static void ForEachNumber(int directory, void (*visit)(int, const char*)) {
  if (directory < 0) return;
  char buffer[32768];
  for (;;) {
    const long size = syscall(SYS_getdents64, directory, buffer, sizeof(buffer));
    if (size <= 0) break;
    for (long at = 0; at < size;) {
      const struct linux_dirent64* const entry = (const void*)(buffer + at);
      at += entry->d_reclen;
      if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') visit(directory, entry->d_name);
    }
  }
  close(directory);
}

static void ReadLinkAt(int directory, const char* name) {
  char target[256];
  if (readlinkat(directory, name, target, sizeof(target)) < 0) return;
}

static void ReadAt(int directory, const char* name) {
  char text[4096];
  const int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (read(fd, text, sizeof(text)) < 0) perror(name);
  close(fd);
}

static void VisitTask(int directory, const char* name) {
  const int task = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (task < 0) return;
  if (strchr(pieces, 'n') != NULL) {
    const int ns = openat(task, "ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 8; ++i) ReadLinkAt(ns, kLinks[i]);
    close(ns);
  }
  if (strchr(pieces, 's') != NULL) ReadAt(task, "stat");
  if (strchr(pieces, 'c') != NULL) ReadAt(task, "cmdline");
  if (strchr(pieces, 'g') != NULL) ReadAt(task, "cgroup");
  if (strchr(pieces, 'f') != NULL) {
    ForEachNumber(openat(task, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ReadLinkAt);
  }
  close(task);
}

static void VisitProcess(int proc, const char* name) {
  VisitTask(proc, name);
  if (strchr(pieces, 't') == NULL) return;
  char tasks[32];
  snprintf(tasks, sizeof(tasks), "%s/task", name);
  ForEachNumber(openat(proc, tasks, O_RDONLY | O_DIRECTORY | O_CLOEXEC), VisitTask);
}

static void List(int directory, const char* name) {
  (void)directory;
  if (process_count % 1024 == 0) {
    processes = realloc(processes, (process_count + 1024) * sizeof(*processes));
  }
  snprintf(processes[process_count++], sizeof(*processes), "%s", name);
}

static void* Work(void* unused) {
  const int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (;;) {
    const size_t first = atomic_fetch_add(&next_process, 32);
    if (first >= process_count) break;
    for (size_t i = first; i < first + 32 && i < process_count; ++i) {
      VisitProcess(proc, processes[i]);
    }
  }
  close(proc);
  return unused;
}

int main(int argc, char** argv) {
  int threads = 2;
  int option;
  while ((option = getopt(argc, argv, "j:")) != -1) {
    if (option != 'j') return 2;
    threads = atoi(optarg);
  }
  if (optind < argc) pieces = argv[optind];
  if (threads < 1 || threads > 64) error(2, 0, "-j: 1 to 64");
  ForEachNumber(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), List);
  pthread_t workers[64];
  for (int i = 1; i < threads; ++i) pthread_create(&workers[i], NULL, Work, NULL);
  Work(NULL);
  for (int i = 1; i < threads; ++i) pthread_join(workers[i], NULL);
  return 0;
}
