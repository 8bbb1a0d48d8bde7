/* The floor that discovery is measured against: the system calls which nobody can do without who
 * reads the same of every process, and nothing else.
 *
 *   floor L1|L5|L5+tasks|L5+mounts [THREADS]
 *
 * L1: one openat of ns/ and eight readlinkat. L5: that, stat, cmdline and cgroup, each read to its
 * end, and the links of all descriptors: 29 calls for a process with three. L5+tasks: L1 and stat,
 * cmdline, cgroup and descriptors of every other thread as well. L5+mounts: L5 and, of each mount
 * namespace that a process is in, one listmount and for each mount one statmount that tells where
 * it is and what of. Prints how many processes, threads, descriptors and mounts it saw. THREADS is
 * by default the number of processors. */

#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kMaxThreads = 64, kDirectoryBuffer = 32 << 10, kMaxMounts = 4096, kKnownSlots = 1 << 16 };

/* Linux 6.8 and later; base/kernel_abi.h tells of them. */
enum { kStatmount = 457, kListmount = 458 };

struct MountRequest {
  uint32_t size;
  uint32_t fd;
  uint64_t mount;
  uint64_t param;
  uint64_t ns;
};

/* Super block, mount, root, mount point and source. */
static const uint64_t kWhereAndWhatOf = 0x1 | 0x2 | 0x8 | 0x10 | 0x200;

struct Directory {
  int fd;
  long size;
  long at;
  char buffer[kDirectoryBuffer] __attribute__((aligned(8)));
};

struct Entry {
  unsigned long inode;
  long offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

static const char* const kNamespaces[] = {"cgroup", "ipc",  "mnt",  "net",
                                          "pid",    "time", "user", "uts"};
static const char* const kFiles[] = {"stat", "cmdline", "cgroup"};

static int proc_fd;
static int with_files;
static int with_tasks;
static int with_mounts;
static int* pids;
static int pid_count;
static atomic_int next_pid;
static atomic_long seen_processes;
static atomic_long seen_tasks;
static atomic_long seen_fds;
static atomic_long seen_mounts;
/* Inode numbers of mount namespaces that were looked at, each where its hash says or behind. */
static atomic_uint known_namespaces[kKnownSlots];

/* The next name that begins with a digit; NULL at the end. */
static const char* NextNumber(struct Directory* directory) {
  while (1) {
    if (directory->at >= directory->size) {
      directory->at = 0;
      directory->size =
          syscall(SYS_getdents64, directory->fd, directory->buffer, sizeof(directory->buffer));
      if (directory->size <= 0) return NULL;
    }
    struct Entry* const entry = (struct Entry*)(directory->buffer + directory->at);
    directory->at += entry->length;
    if (entry->name[0] >= '0' && entry->name[0] <= '9') return entry->name;
  }
}

static void ReadAll(int directory, const char* name) {
  char buffer[4096];
  const int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  while (read(fd, buffer, sizeof(buffer)) > 0) {
  }
  close(fd);
}

static int OpenDirectory(int directory, const char* name) {
  return openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Whether nobody was here before. */
static int IsNew(unsigned inode) {
  for (unsigned i = 0; i < kKnownSlots; ++i) {
    atomic_uint* const slot = &known_namespaces[(inode * 2654435761u + i) % kKnownSlots];
    unsigned there = 0;
    if (atomic_compare_exchange_strong(slot, &there, inode)) return 1;
    if (there == inode) return 0;
  }
  return 0;
}

static void VisitMounts(int ns) {
  struct MountRequest request = {.size = sizeof(request), .mount = ~UINT64_C(0)};
  uint64_t mounts[kMaxMounts];
  char answer[4096];
  const int fd = openat(ns, "mnt", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const int failed = ioctl(fd, _IOR(0xb7, 0x5, uint64_t), &request.ns);
  close(fd);
  if (failed) return;
  const long count = syscall(kListmount, &request, mounts, (size_t)kMaxMounts, 0);
  request.param = kWhereAndWhatOf;
  for (long i = 0; i < count; ++i) {
    request.mount = mounts[i];
    const long error = syscall(kStatmount, &request, answer, sizeof(answer), 0);
    atomic_fetch_add(&seen_mounts, error == 0);
  }
}

/* `prefix` is "PID/" or "PID/task/TID/"; false where it is gone. */
static int VisitTask(const char* prefix) {
  char path[64];
  char link[64];
  snprintf(path, sizeof(path), "%sns", prefix);
  const int ns = OpenDirectory(proc_fd, path);
  if (ns < 0) return 0;
  for (size_t i = 0; i < sizeof(kNamespaces) / sizeof(kNamespaces[0]); ++i) {
    const ssize_t size = readlinkat(ns, kNamespaces[i], link, sizeof(link) - 1);
    if (size < 0 || !with_mounts || strcmp(kNamespaces[i], "mnt") != 0) continue;
    link[size] = '\0';
    unsigned inode;
    if (sscanf(link, "mnt:[%u]", &inode) == 1 && IsNew(inode)) VisitMounts(ns);
  }
  close(ns);
  if (!with_files) return 1;

  for (size_t i = 0; i < sizeof(kFiles) / sizeof(kFiles[0]); ++i) {
    snprintf(path, sizeof(path), "%s%s", prefix, kFiles[i]);
    ReadAll(proc_fd, path);
  }
  snprintf(path, sizeof(path), "%sfd", prefix);
  struct Directory fds = {.fd = OpenDirectory(proc_fd, path)};
  if (fds.fd < 0) return 1;
  char target[4096];
  const char* name;
  long count = 0;
  while ((name = NextNumber(&fds)) != NULL) {
    count += readlinkat(fds.fd, name, target, sizeof(target)) >= 0;
  }
  close(fds.fd);
  atomic_fetch_add(&seen_fds, count);
  return 1;
}

static void VisitTasks(int pid) {
  char path[64];
  snprintf(path, sizeof(path), "%d/task", pid);
  struct Directory tasks = {.fd = OpenDirectory(proc_fd, path)};
  if (tasks.fd < 0) return;
  const char* name;
  while ((name = NextNumber(&tasks)) != NULL) {
    snprintf(path, sizeof(path), "%d/task/%s/", pid, name);
    /* What is read of the main thread is what was read of the process. */
    atomic_fetch_add(&seen_tasks, atoi(name) == pid || VisitTask(path));
  }
  close(tasks.fd);
}

static void* Work(void* unused) {
  (void)unused;
  char prefix[16];
  int i;
  while ((i = atomic_fetch_add(&next_pid, 1)) < pid_count) {
    snprintf(prefix, sizeof(prefix), "%d/", pids[i]);
    atomic_fetch_add(&seen_processes, VisitTask(prefix));
    if (with_tasks) VisitTasks(pids[i]);
  }
  return NULL;
}

static void ListProcesses(void) {
  struct Directory directory = {.fd = proc_fd};
  int room = 0;
  const char* name;
  while ((name = NextNumber(&directory)) != NULL) {
    if (pid_count == room) {
      room = room ? 2 * room : 1024;
      pids = realloc(pids, (size_t)room * sizeof(*pids));
      if (pids == NULL) abort();
    }
    pids[pid_count++] = atoi(name);
  }
}

int main(int argc, char** argv) {
  const char* const level = argc > 1 ? argv[1] : "";
  with_tasks = strcmp(level, "L5+tasks") == 0;
  with_mounts = strcmp(level, "L5+mounts") == 0;
  with_files = with_tasks || with_mounts || strcmp(level, "L5") == 0;
  if (!with_files && strcmp(level, "L1") != 0) {
    fprintf(stderr, "usage: floor L1|L5|L5+tasks|L5+mounts [THREADS]\n");
    return 2;
  }
  long threads = argc > 2 ? atol(argv[2]) : sysconf(_SC_NPROCESSORS_ONLN);
  if (threads < 1) threads = 1;
  if (threads > kMaxThreads) threads = kMaxThreads;
  proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc_fd < 0) {
    perror("floor: /proc");
    return 1;
  }
  ListProcesses();
  pthread_t workers[kMaxThreads];
  long started = 0;
  while (started < threads - 1 && pthread_create(&workers[started], NULL, Work, NULL) == 0) {
    ++started;
  }
  Work(NULL);
  while (started > 0) pthread_join(workers[--started], NULL);
  printf("processes %ld tasks %ld fds %ld mounts %ld\n", atomic_load(&seen_processes),
         atomic_load(&seen_tasks), atomic_load(&seen_fds), atomic_load(&seen_mounts));
  return 0;
}
