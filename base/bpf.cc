#include "base/bpf.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/text.h"

namespace nsctl::base {
namespace {

// Older kernels refuse fields that they do not know even where they are 0, so each command is given
// as much of the union as it had at first.
template <typename Field>
constexpr uint32_t SizeUpTo(size_t offset) {
  return static_cast<uint32_t>(offset + sizeof(Field));
}

// The verifier's words are only asked for once it has refused: to keep them costs it time.
constexpr size_t kLogSize = 64 << 10;
constexpr size_t kMaxWords = 160;

long Bpf(bpf_cmd command, bpf_attr* attributes, uint32_t size) {
  return syscall(SYS_bpf, command, attributes, size);
}

uint64_t AddressOf(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

void CopyName(const char* name, char (&out)[BPF_OBJ_NAME_LEN]) {
  std::memcpy(out, name, std::min(std::strlen(name), sizeof(out) - 1));
}

// The line that says why: the last one before the statistics, or before the empty line after which
// Linux 7.3 explains it to people.
std::string LastWords(absl::string_view log) {
  log = log.substr(0, log.find('\0'));
  absl::string_view last;
  while (!log.empty()) {
    const size_t end = std::min(log.find('\n'), log.size());
    const absl::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (line.empty() || absl::StartsWith(line, "processed ")) break;
    last = line;
  }
  return EncodeText(last.substr(0, kMaxWords));
}

}  // namespace

absl::StatusOr<OwnedFd> CreateBpfValue(const char* name, uint32_t size) {
  bpf_attr attributes = {};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = sizeof(uint32_t);
  attributes.value_size = size;
  attributes.max_entries = 1;
  CopyName(name, attributes.map_name);
  const long fd = Bpf(BPF_MAP_CREATE, &attributes,
                      SizeUpTo<decltype(attributes.map_name)>(offsetof(bpf_attr, map_name)));
  if (fd >= 0) return OwnedFd(static_cast<int>(fd), "BPF map");
  const int error = errno;
  return ErrnoStatus(error, "bpf BPF_MAP_CREATE");
}

absl::Status ReadBpfValue(FdRef map, absl::Span<char> value) {
  const uint32_t key = 0;
  bpf_attr attributes = {};
  attributes.map_fd = static_cast<uint32_t>(map.get());
  attributes.key = AddressOf(&key);
  attributes.value = AddressOf(value.data());
  const long result = Bpf(BPF_MAP_LOOKUP_ELEM, &attributes,
                          SizeUpTo<decltype(attributes.flags)>(offsetof(bpf_attr, flags)));
  if (result == 0) return absl::OkStatus();
  const int error = errno;
  return ErrnoStatus(error, "bpf BPF_MAP_LOOKUP_ELEM");
}

absl::StatusOr<OwnedFd> LoadBpfProgram(const BpfProgram& program) {
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
  attributes.insn_cnt = static_cast<uint32_t>(program.instructions.size());
  attributes.insns = AddressOf(program.instructions.data());
  attributes.license = AddressOf(program.license);
  CopyName(program.name, attributes.prog_name);
  const uint32_t size = SizeUpTo<decltype(attributes.prog_name)>(offsetof(bpf_attr, prog_name));
  long fd = Bpf(BPF_PROG_LOAD, &attributes, size);
  int error = errno;
  if (fd >= 0) return OwnedFd(static_cast<int>(fd), "BPF program");
  if (error != EINVAL && error != EACCES) return ErrnoStatus(error, "bpf BPF_PROG_LOAD");
  std::string log(kLogSize, '\0');
  attributes.log_level = 1;
  attributes.log_buf = AddressOf(log.data());
  attributes.log_size = static_cast<uint32_t>(log.size());
  fd = Bpf(BPF_PROG_LOAD, &attributes, size);
  error = errno;
  if (fd >= 0) return OwnedFd(static_cast<int>(fd), "BPF program");
  return Annotate(ErrnoStatus(error, "bpf BPF_PROG_LOAD"), LastWords(log));
}

absl::Status RunBpfProgram(FdRef program, absl::Span<const uint64_t> arguments) {
  bpf_attr attributes = {};
  attributes.test.prog_fd = static_cast<uint32_t>(program.get());
  attributes.test.ctx_in = AddressOf(arguments.data());
  attributes.test.ctx_size_in = static_cast<uint32_t>(arguments.size() * sizeof(uint64_t));
  const long result = Bpf(BPF_PROG_TEST_RUN, &attributes,
                          SizeUpTo<decltype(attributes.test.cpu)>(offsetof(bpf_attr, test.cpu)));
  if (result == 0) return absl::OkStatus();
  const int error = errno;
  return ErrnoStatus(error, "bpf BPF_PROG_TEST_RUN");
}

}  // namespace nsctl::base
