#include "cmd/exec_each.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "base/poll_timeout.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/exec_ending.h"
#include "cmd/exec_run.h"

namespace nsctl::cmd {
namespace {

// A line that is longer is written in pieces.
constexpr size_t kMaxLine = 64 << 10;
constexpr int kOutputs = 2;

// One output of one command.
struct Output {
  base::OwnedFd fd;
  // A line that has no end yet, or all that is kept.
  std::string text;
  bool truncated = false;
};

struct Job {
  size_t index;
  RunningExec run;
  Output outputs[kOutputs];
};

// A line as a terminal may be given it; tabs stay.
std::string SafeLine(absl::string_view line) {
  return absl::StrJoin(absl::StrSplit(line, '\t'), "\t",
                       [](std::string* out, absl::string_view piece) {
                         absl::StrAppend(out, base::TerminalText(piece));
                       });
}

class EachRunner {
 public:
  EachRunner(const ExecScene& scene, const SignalSource& signals, bool stream, Environment& env,
             ExecReport* report)
      : scene_(scene), signals_(signals), stream_(stream), env_(env), report_(report) {}

  absl::Status Run();

 private:
  absl::Status StartNext();
  absl::Status Poll();
  void HandleSignals();
  // False at the output's end.
  bool Read(Job& job, int output);
  void Stream(const Job& job, int output, std::string* text, bool is_end);
  // With what poll(2) said of it. False once it has a result.
  bool HandleJob(Job& job, const struct pollfd* events);
  void FinishJob(Job& job, bool has_ended);
  absl::Time NextTime() const;

  const ExecScene& scene_;
  const SignalSource& signals_;
  const bool stream_;
  Environment& env_;
  ExecReport* const report_;
  base::OwnedFd nothing_;
  size_t next_ = 0;
  bool stopped_ = false;
  std::vector<std::unique_ptr<Job>> jobs_;
};

absl::Status EachRunner::StartNext() {
  const size_t index = next_++;
  NSCTL_ASSIGN_OR_RETURN(base::Pipe out, base::MakePipe());
  NSCTL_ASSIGN_OR_RETURN(base::Pipe err, base::MakePipe());
  RunningExec::Streams streams{
      .standard = {nothing_.get(), out.write_end.get(), err.write_end.get()}};
  RunningExec run =
      RunningExec::Start(scene_, scene_.settings.targets[index], signals_, std::move(streams));
  if (run.process() == nullptr) {
    *report_->mutable_results(static_cast<int>(index)) = run.result();
    return absl::OkStatus();
  }
  auto job = std::make_unique<Job>(Job{index, std::move(run), {}});
  job->outputs[0].fd = std::move(out.read_end);
  job->outputs[1].fd = std::move(err.read_end);
  for (const Output& output : job->outputs) fcntl(output.fd.get(), F_SETFL, O_NONBLOCK);
  jobs_.push_back(std::move(job));
  return absl::OkStatus();
}

void EachRunner::Stream(const Job& job, int output, std::string* text, bool is_end) {
  Writer* const writer = output == 0 ? env_.out : env_.err;
  const std::string& target = report_->results(static_cast<int>(job.index)).target();
  const std::string prefix = absl::StrCat(base::TerminalText(target), ": ");
  while (!text->empty()) {
    const size_t newline = text->find('\n');
    if (newline == std::string::npos && !is_end && text->size() < kMaxLine) break;
    const size_t length = newline == std::string::npos ? text->size() : newline;
    const std::string line = text->substr(0, length);
    const bool to_terminal = output == 0 ? env_.out_is_terminal : isatty(STDERR_FILENO) == 1;
    writer->Append(absl::StrCat(prefix, to_terminal ? SafeLine(line) : line, "\n"));
    text->erase(0, length + (newline == std::string::npos ? 0 : 1));
  }
  (void)writer->Flush();
}

bool EachRunner::Read(Job& job, int output) {
  Output& from = job.outputs[output];
  char buffer[16 << 10];
  const ssize_t size = read(from.fd.get(), buffer, sizeof(buffer));
  if (size < 0) return errno == EINTR;
  if (size == 0) return false;
  absl::string_view bytes(buffer, static_cast<size_t>(size));
  if (stream_) {
    from.text.append(bytes.data(), bytes.size());
    Stream(job, output, &from.text, false);
    return true;
  }
  const size_t room = kMaxKeptOutput - std::min(kMaxKeptOutput, from.text.size());
  from.truncated = from.truncated || bytes.size() > room;
  from.text.append(bytes.substr(0, room).data(), std::min(room, bytes.size()));
  return true;
}

void EachRunner::FinishJob(Job& job, bool has_ended) {
  for (int output = 0; output < kOutputs; ++output) {
    // What the command has left behind may hold the other end: nobody waits for that.
    while (job.outputs[output].fd.ok() && Read(job, output)) {
    }
    if (stream_) Stream(job, output, &job.outputs[output].text, true);
  }
  if (has_ended) job.run.Finish();
  ExecResult& result = job.run.result();
  if (!stream_) {
    result.set_stdout(base::EncodeText(job.outputs[0].text));
    result.set_stderr(base::EncodeText(job.outputs[1].text));
    result.set_truncated(job.outputs[0].truncated || job.outputs[1].truncated);
  }
  *report_->mutable_results(static_cast<int>(job.index)) = result;
}

void EachRunner::HandleSignals() {
  while (const std::optional<SignalSource::Signal> signal = signals_.Next()) {
    if (signal->number == SIGCHLD || signal->number == SIGWINCH) continue;
    if (signal->number != SIGCONT) stopped_ = true;
    for (const std::unique_ptr<Job>& job : jobs_) {
      // Commands have no terminal, but are among the processes of nsctl's.
      job->run.Pass(*signal, signals_, !signal->sent);
      // Nobody sees that one is stopped: it must not keep it from being told to end.
      if (signals_.AsksToEnd(signal->number)) SendSignal(job->run.process()->pidfd(), SIGCONT);
    }
  }
}

absl::Time EachRunner::NextTime() const {
  absl::Time next = absl::InfiniteFuture();
  for (const std::unique_ptr<Job>& job : jobs_) next = std::min(next, job->run.NextTime());
  return next;
}

absl::Status EachRunner::Poll() {
  constexpr size_t kPerJob = 2 + kOutputs;
  std::vector<struct pollfd> waiting = {
      {.fd = signals_.fd().get(), .events = POLLIN, .revents = 0}};
  for (const std::unique_ptr<Job>& job : jobs_) {
    // One that was closed has the number -1, which poll(2) passes over.
    waiting.push_back({.fd = job->run.process()->pidfd().get(), .events = POLLIN, .revents = 0});
    waiting.push_back({.fd = job->run.news().get(), .events = POLLIN, .revents = 0});
    for (const Output& output : job->outputs) {
      waiting.push_back({.fd = output.fd.get(), .events = POLLIN, .revents = 0});
    }
  }
  if (poll(waiting.data(), waiting.size(), base::PollTimeout(NextTime())) < 0) {
    const int error = errno;
    return error == EINTR ? absl::OkStatus() : base::ErrnoStatus(error, "poll");
  }
  if (waiting[0].revents != 0) HandleSignals();
  std::vector<std::unique_ptr<Job>> left;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const struct pollfd* const of_job = &waiting[1 + i * kPerJob];
    if (HandleJob(*jobs_[i], of_job)) left.push_back(std::move(jobs_[i]));
  }
  jobs_ = std::move(left);
  return absl::OkStatus();
}

bool EachRunner::HandleJob(Job& job, const struct pollfd* events) {
  enum { kEnd, kNews, kFirstOutput };
  if (events[kNews].revents != 0) job.run.TakeNews();
  for (int output = 0; output < kOutputs; ++output) {
    if (events[kFirstOutput + output].revents != 0 && !Read(job, output)) {
      (void)job.outputs[output].fd.Close();
    }
  }
  const bool has_ended = events[kEnd].revents != 0;
  if (!has_ended && job.run.Tend()) return true;
  FinishJob(job, has_ended);
  return false;
}

absl::Status EachRunner::Run() {
  for (const std::string& target : scene_.settings.targets) {
    *report_->add_results() = BeginResult(scene_.settings, target);
  }
  NSCTL_ASSIGN_OR_RETURN(nothing_, base::OpenAt(base::FdRef(AT_FDCWD), "/dev/null", O_RDONLY));
  const size_t limit = scene_.settings.JobLimit();
  while (true) {
    while (!stopped_ && next_ < scene_.settings.targets.size() && jobs_.size() < limit) {
      NSCTL_RETURN_IF_ERROR(StartNext());
    }
    if (jobs_.empty()) break;
    NSCTL_RETURN_IF_ERROR(Poll());
  }
  for (; next_ < scene_.settings.targets.size(); ++next_) {
    ExecResult* const result = report_->mutable_results(static_cast<int>(next_));
    result->set_error("not started, since nsctl was told to end");
    result->set_exit_status(kExecFailed);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunForEach(const ExecScene& scene, const SignalSource& signals, bool stream,
                        Environment& env, ExecReport* report) {
  return EachRunner(scene, signals, stream, env, report).Run();
}

}  // namespace nsctl::cmd
