#include "cmd/scan_progress_line.h"

#include <cstdint>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

using nsdisc::ScanProgress;

constexpr absl::Duration kInterval = absl::Milliseconds(200);

const char* StepText(ScanProgress::Step step) {
  switch (step) {
    case ScanProgress::Step::kLists:
      return "asking the kernel for its lists";
    case ScanProgress::Step::kProcesses:
      return "reading processes";
    case ScanProgress::Step::kRelations:
      return "relating namespaces";
    case ScanProgress::Step::kSockets:
      return "asking about sockets";
    case ScanProgress::Step::kMounts:
      return "reading mounts of mount namespaces";
    case ScanProgress::Step::kDetails:
      return "reading details";
  }
  return "scanning";
}

}  // namespace

std::string ScanProgressText(const ScanProgress& progress, size_t width) {
  std::string text = StepText(progress.step());
  const uint64_t done = progress.done();
  const uint64_t total = progress.total();
  if (total > 0 && done > 0) {
    absl::StrAppend(&text, ": ", done, " of ", total);
  } else if (total > 0) {
    absl::StrAppend(&text, ": ", total);
  }
  return base::TruncateToWidth(text, width, "+");
}

ScanProgressLine::ScanProgressLine(const ScanProgress& progress, Writer* err, size_t width,
                                   absl::Duration quiet) {
  if (width == 0) return;
  try {
    thread_ =
        std::thread([this, &progress, err, width, quiet] { Draw(progress, err, width, quiet); });
  } catch (const std::system_error&) {
    // Where no thread can be made, nothing is drawn.
  }
}

ScanProgressLine::~ScanProgressLine() {
  if (!thread_.joinable()) return;
  {
    const absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  thread_.join();
}

void ScanProgressLine::Draw(const ScanProgress& progress, Writer* err, size_t width,
                            absl::Duration quiet) {
  absl::Duration pause = quiet;
  bool is_shown = false;
  const absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&ended_), pause)) {
    pause = kInterval;
    is_shown = true;
    // In the last column some terminals begin a new line. "\x1b[K" clears what was longer before.
    err->Append(absl::StrCat("\r", ScanProgressText(progress, width - 1), "\x1b[K"));
    err->Flush().IgnoreError();
  }
  if (!is_shown) return;
  err->Append("\r\x1b[K");
  err->Flush().IgnoreError();
}

}  // namespace nsctl::cmd
