#include "cmd/ask_apart.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/errors.h"
#include "base/pipe.h"
#include "base/poll_timeout.h"
#include "base/status_macros.h"
#include "cmd/close_descriptors.h"

namespace nsctl::cmd {
namespace {

using Body = absl::FunctionRef<absl::StatusOr<std::string>()>;

// What is sent first: the answer follows where `code` is OK, else a message.
struct Header {
  int32_t code = 0;
  int32_t error = 0;
  uint64_t size = 0;
};

// Standard input, output and error lead nowhere afterwards.
void OpenNothing() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  } while (fd >= 0 && fd < STDERR_FILENO);
  if (fd > STDERR_FILENO) close(fd);
}

void Send(const absl::StatusOr<std::string>& answer, base::FdRef out) {
  const absl::Status& status = answer.status();
  const absl::string_view text = answer.ok() ? absl::string_view(*answer) : status.message();
  const Header header = {static_cast<int32_t>(status.code()), base::ErrnoOf(status), text.size()};
  const absl::string_view bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  // Where nobody reads it, there is nobody to tell.
  if (base::WriteAll(out, bytes).ok()) (void)base::WriteAll(out, text);
}

[[noreturn]] void Answer(Body body, absl::Duration timeout, absl::Span<const base::FdRef> needed,
                         base::FdRef out) {
  // No terminal's signal, and no signal but the one that ends it.
  setsid();
  sigset_t signals;
  sigfillset(&signals);
  sigdelset(&signals, SIGALRM);
  signal(SIGALRM, SIG_DFL);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  alarm(static_cast<unsigned int>(absl::ToInt64Seconds(absl::Ceil(timeout, absl::Seconds(1)))) + 1);
  std::vector<int> kept = {out.get()};
  for (const base::FdRef fd : needed) kept.push_back(fd.get());
  CloseAllBut(0, kept);
  OpenNothing();
  Send(body(), out);
  // A thread that stays would keep them open. Those that were opened here come last, as closing one
  // may block.
  for (const int fd : kept) close(fd);
  CloseAllBut(0, {});
  _exit(0);
}

// The answer's bytes, once they are all there.
class Reader {
 public:
  explicit Reader(base::FdRef in) : in_(in) {}

  // Errors: DEADLINE_EXCEEDED; ABORTED at the end.
  absl::Status ReadUntil(absl::Time deadline);
  absl::StatusOr<std::string> Take() const;

 private:
  std::optional<Header> Head() const {
    if (bytes_.size() < sizeof(Header)) return std::nullopt;
    Header header;
    memcpy(&header, bytes_.data(), sizeof(header));
    return header;
  }
  bool IsWhole() const {
    const std::optional<Header> head = Head();
    return head.has_value() && bytes_.size() - sizeof(Header) >= head->size;
  }

  base::FdRef in_;
  std::string bytes_;
};

absl::Status Reader::ReadUntil(absl::Time deadline) {
  struct pollfd waiting = {.fd = in_.get(), .events = POLLIN, .revents = 0};
  while (!IsWhole()) {
    const int ready = poll(&waiting, 1, base::PollTimeout(deadline));
    if (ready == 0) return absl::DeadlineExceededError("no answer");
    char buffer[64 << 10];
    const ssize_t size = ready < 0 ? -1 : read(in_.get(), buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return absl::AbortedError("ended without an answer");
    bytes_.append(buffer, static_cast<size_t>(size));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Reader::Take() const {
  const Header header = Head().value_or(Header{});
  std::string text = bytes_.substr(sizeof(header), header.size);
  if (header.code == 0) return text;
  absl::Status status(static_cast<absl::StatusCode>(header.code), text);
  if (header.error == 0) return status;
  base::ErrnoStatus(header.error, "")
      .ForEachPayload([&](absl::string_view url, const absl::Cord& errno_payload) {
        status.SetPayload(url, errno_payload);
      });
  return status;
}

}  // namespace

absl::StatusOr<std::string> AskApart(absl::string_view what, absl::Duration timeout,
                                     absl::Span<const base::FdRef> needed, Body body) {
  const absl::Time deadline = absl::Now() + timeout;
  NSCTL_ASSIGN_OR_RETURN(base::Pipe pipe, base::MakePipe());
  const pid_t parent = fork();
  if (parent < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, absl::StrCat(what, ": fork"));
  }
  if (parent == 0) {
    // This one does nothing that could block, so it can be waited for.
    const pid_t child = fork();
    if (child == 0) Answer(body, timeout, needed, pipe.write_end);
    _exit(child < 0 ? errno : 0);
  }
  (void)pipe.write_end.Close();
  int status = 0;
  while (waitpid(parent, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return base::ErrnoStatus(WEXITSTATUS(status), absl::StrCat(what, ": fork"));
  }
  Reader reader(pipe.read_end);
  const absl::Status read = reader.ReadUntil(deadline);
  if (absl::IsDeadlineExceeded(read)) {
    return absl::DeadlineExceededError(
        absl::StrCat(what, ": no answer within ", absl::FormatDuration(timeout)));
  }
  if (!read.ok()) return base::Annotate(read, what);
  return reader.Take();
}

}  // namespace nsctl::cmd
