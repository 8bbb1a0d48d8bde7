#include "nsentry/run_in_namespaces.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "base/poll_timeout.h"
#include "base/status_macros.h"
#include "nsentry/entered_process.h"

namespace nsctl::nsentry::internal {
namespace {

using base::OwnedFd;

constexpr char kNoResult[] = "the child has ended without a result";

bool IsMissing(const absl::StatusOr<std::string>& result) {
  return absl::IsAborted(result.status()) && result.status().message() == kNoResult;
}

void AwaitEnd(const OwnedFd& pidfd, absl::Time deadline) {
  struct pollfd waiting = {.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  while (poll(&waiting, 1, base::PollTimeout(deadline)) < 0 && errno == EINTR) {
  }
}

// What the child sends first: the result follows where `code` is OK, else a message.
struct Header {
  int32_t code = 0;
  int32_t error = 0;
  uint64_t size = 0;
};

int RunAndSend(absl::FunctionRef<absl::StatusOr<std::string>()> function,
               const base::Pipe& result_pipe, const base::Pipe& error_pipe) {
  if (dup2(error_pipe.write_end.get(), STDERR_FILENO) < 0) return 1;
  const absl::StatusOr<std::string> result = function();
  const absl::Status& status = result.status();
  const absl::string_view text = result.ok() ? absl::string_view(*result) : status.message();
  const Header header = {static_cast<int32_t>(status.code()), base::ErrnoOf(status), text.size()};
  const absl::string_view bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  const bool sent = base::WriteAll(result_pipe.write_end, bytes).ok() &&
                    base::WriteAll(result_pipe.write_end, text).ok();
  return sent ? 0 : 1;
}

// Appends what is there; false at the end.
bool ReadMore(const OwnedFd& fd, std::string* out) {
  char buffer[64 << 10];
  const ssize_t size = read(fd.get(), buffer, sizeof(buffer));
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  out->append(buffer, static_cast<size_t>(size));
  return size > 0;
}

class Collector {
 public:
  Collector(const OwnedFd& result, const OwnedFd& errors, const RunOptions& options)
      : result_(result), errors_(errors), options_(options) {}

  // Reads until the result is whole, the child has closed its end, or the time is over.
  absl::Status Collect(absl::Time deadline);
  // The child has ended: what it left in its stderr.
  void DrainErrors();
  // ABORTED where the child has sent less.
  absl::StatusOr<std::string> Result() const;

 private:
  bool IsWhole() const { return bytes_.size() >= sizeof(Header) + Head().size; }
  Header Head() const {
    Header header;
    header.size = UINT64_MAX / 2;
    if (bytes_.size() >= sizeof(header)) memcpy(&header, bytes_.data(), sizeof(header));
    return header;
  }
  bool TakeErrors();

  const OwnedFd& result_;
  const OwnedFd& errors_;
  const RunOptions& options_;
  std::string bytes_;
};

bool Collector::TakeErrors() {
  std::string text;
  const bool more = ReadMore(errors_, &text);
  if (options_.error_text != nullptr) {
    const size_t room =
        options_.max_error_text - std::min(options_.max_error_text, options_.error_text->size());
    options_.error_text->append(text, 0, room);
  }
  return more;
}

absl::Status Collector::Collect(absl::Time deadline) {
  struct pollfd waiting[] = {{.fd = result_.get(), .events = POLLIN, .revents = 0},
                             {.fd = errors_.get(), .events = POLLIN, .revents = 0}};
  while (!IsWhole()) {
    const int ready = poll(waiting, 2, base::PollTimeout(deadline));
    if (ready == 0) return absl::DeadlineExceededError("run in namespaces: no result in time");
    if (ready < 0) continue;
    // poll(2) passes over a negative descriptor.
    if (waiting[1].revents != 0 && !TakeErrors()) waiting[1].fd = -1;
    if (waiting[0].revents != 0 && !ReadMore(result_, &bytes_)) break;
    if (bytes_.size() > options_.max_result + sizeof(Header)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("run in namespaces: a result of more than ", options_.max_result, " bytes"));
    }
  }
  return absl::OkStatus();
}

void Collector::DrainErrors() {
  // Whoever else has its other end by now is not waited for.
  fcntl(errors_.get(), F_SETFL, O_NONBLOCK);
  struct pollfd waiting = {.fd = errors_.get(), .events = POLLIN, .revents = 0};
  while (poll(&waiting, 1, 0) > 0 && TakeErrors()) {
  }
}

absl::StatusOr<std::string> Collector::Result() const {
  if (!IsWhole()) return absl::AbortedError(kNoResult);
  const Header header = Head();
  std::string text = bytes_.substr(sizeof(header), header.size);
  if (header.code == 0) return text;
  absl::Status status(static_cast<absl::StatusCode>(header.code), text);
  if (header.error != 0) {
    base::ErrnoStatus(header.error, "")
        .ForEachPayload([&](absl::string_view url, const absl::Cord& errno_payload) {
          status.SetPayload(url, errno_payload);
        });
  }
  return status;
}

}  // namespace

absl::StatusOr<std::string> RunSerialized(const EntryPlan& plan,
                                          absl::FunctionRef<absl::StatusOr<std::string>()> function,
                                          const RunOptions& options) {
  const absl::Time deadline = absl::Now() + options.timeout;
  NSCTL_ASSIGN_OR_RETURN(base::Pipe result_pipe, base::MakePipe());
  NSCTL_ASSIGN_OR_RETURN(base::Pipe error_pipe, base::MakePipe());
  StartOptions start;
  start.timeout = options.timeout;
  start.method = options.method;
  NSCTL_ASSIGN_OR_RETURN(EnteredProcess child, EnteredProcess::Start(plan, start, [&] {
                           return RunAndSend(function, result_pipe, error_pipe);
                         }));
  (void)result_pipe.write_end.Close();
  (void)error_pipe.write_end.Close();
  Collector collector(result_pipe.read_end, error_pipe.read_end, options);
  const absl::Status collected = collector.Collect(deadline);
  absl::StatusOr<std::string> result = collector.Result();
  // A result that is whole is all that is wanted of the child; without one it may still be ending.
  if (collected.ok() && IsMissing(result)) AwaitEnd(child.pidfd(), deadline);
  child.Kill();
  const absl::StatusOr<int> status = child.Wait();
  collector.DrainErrors();
  NSCTL_RETURN_IF_ERROR(collected);
  if (IsMissing(result) && status.ok() && WIFSIGNALED(*status)) {
    return absl::AbortedError(
        absl::StrCat(result.status().message(), ": signal ", WTERMSIG(*status)));
  }
  return result;
}

}  // namespace nsctl::nsentry::internal
