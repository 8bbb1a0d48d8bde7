// A FUSE server for tests: mounts itself at the directory that it is given, whose one file, "file",
// can be looked up and opened. Every other request it takes and never answers, so whoever made it
// waits in a way that no signal ends. With "endless" behind the directory that has no end: whoever
// lists it is given names for ever.
//
// Prints a line when it is mounted; ends with its standard input. From SIGUSR1 on it answers
// nothing at all.

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr uint64_t kFile = 2;

volatile sig_atomic_t is_mute = 0;
bool is_endless = false;

void FallSilent(int) { is_mute = 1; }

// Answers the request `unique` with a structure.
template <typename T>
bool Answer(int device, uint64_t unique, T answer) {
  struct fuse_out_header header = {};
  header.len = sizeof(header) + sizeof(answer);
  header.unique = unique;
  const struct iovec parts[] = {{&header, sizeof(header)}, {&answer, sizeof(answer)}};
  return writev(device, parts, 2) == static_cast<ssize_t>(header.len);
}

struct fuse_attr AttributesOf(uint64_t node) {
  struct fuse_attr attributes = {};
  attributes.ino = node;
  attributes.mode = node == kFile ? S_IFREG | 0644 : S_IFDIR | 0755;
  attributes.size = node == kFile ? 1000000 : 4096;
  attributes.blocks = node == kFile ? 2000 : 8;
  attributes.nlink = 1;
  return attributes;
}

// As many names as were asked for, from `request.offset` on.
void AnswerNames(int device, uint64_t unique, const struct fuse_read_in& request) {
  std::vector<char> names;
  for (uint64_t offset = request.offset + 1;; ++offset) {
    char name[32];
    struct fuse_dirent entry = {};
    entry.ino = offset;
    entry.off = offset;
    entry.namelen = static_cast<uint32_t>(
        snprintf(name, sizeof(name), "%llu", static_cast<unsigned long long>(offset)));
    const size_t length = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
    if (names.size() + length > request.size) break;
    const size_t at = names.size();
    names.resize(at + length);
    memcpy(&names[at], &entry, FUSE_NAME_OFFSET);
    memcpy(&names[at + FUSE_NAME_OFFSET], name, entry.namelen);
  }
  struct fuse_out_header header = {};
  header.len = static_cast<uint32_t>(sizeof(header) + names.size());
  header.unique = unique;
  const struct iovec parts[] = {{&header, sizeof(header)}, {names.data(), names.size()}};
  (void)!writev(device, parts, 2);
}

void AnswerUnknown(int device, uint64_t unique) {
  struct fuse_out_header header = {};
  header.len = sizeof(header);
  header.error = -ENOSYS;
  header.unique = unique;
  (void)!write(device, &header, sizeof(header));
}

void Serve(int device, const struct fuse_in_header& request, const char* body) {
  if (is_mute != 0) return;
  switch (request.opcode) {
    case FUSE_INIT: {
      struct fuse_init_out init = {};
      init.major = FUSE_KERNEL_VERSION;
      init.minor = 31;
      init.max_write = 4096;
      Answer(device, request.unique, init);
      return;
    }
    case FUSE_GETATTR: {
      struct fuse_attr_out attributes = {};
      attributes.attr = AttributesOf(request.nodeid);
      Answer(device, request.unique, attributes);
      return;
    }
    case FUSE_LOOKUP: {
      struct fuse_entry_out entry = {};
      entry.nodeid = kFile;
      entry.attr = AttributesOf(kFile);
      Answer(device, request.unique, entry);
      return;
    }
    case FUSE_OPEN: {
      struct fuse_open_out opened = {};
      Answer(device, request.unique, opened);
      return;
    }
    case FUSE_OPENDIR:
      if (is_endless) Answer(device, request.unique, fuse_open_out{});
      return;
    case FUSE_READDIR: {
      if (!is_endless) return;
      struct fuse_read_in wanted;
      memcpy(&wanted, body, sizeof(wanted));
      AnswerNames(device, request.unique, wanted);
      return;
    }
    default:
      // To these nobody waits for an answer.
      const bool is_asked = request.opcode != FUSE_FORGET && request.opcode != FUSE_BATCH_FORGET;
      if (is_endless && is_asked) AnswerUnknown(device, request.unique);
      return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 2;
  is_endless = argc == 3 && strcmp(argv[2], "endless") == 0;
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return 1;
  const std::string options =
      "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
  if (mount("silent", argv[1], "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) return 1;
  puts("mounted");
  fflush(stdout);
  struct sigaction silence = {};
  silence.sa_handler = FallSilent;
  silence.sa_flags = SA_RESTART;
  if (sigaction(SIGUSR1, &silence, nullptr) != 0) return 1;
  std::vector<char> buffer(size_t{1} << 20);
  while (true) {
    struct pollfd events[] = {{device, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (poll(events, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return 0;
    }
    if (events[1].revents != 0) return 0;
    if (read(device, buffer.data(), buffer.size()) < static_cast<ssize_t>(sizeof(fuse_in_header))) {
      return 0;
    }
    struct fuse_in_header request;
    memcpy(&request, buffer.data(), sizeof(request));
    Serve(device, request, buffer.data() + sizeof(request));
  }
}
