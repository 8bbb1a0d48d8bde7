#include "cmd/copy_progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/text.h"
#include "cmd/fs_file.h"

namespace nsctl::cmd {
namespace {

constexpr absl::Duration kQuiet = absl::Seconds(1);
constexpr absl::Duration kInterval = absl::Milliseconds(100);
constexpr size_t kBarCells = 20;

std::string Bar(uint64_t percent) {
  const size_t filled = static_cast<size_t>(percent) * kBarCells / 100;
  std::string bar(filled, '=');
  if (filled < kBarCells) bar.push_back('>');
  bar.resize(kBarCells, ' ');
  return absl::StrFormat("[%s] %3d%%  ", bar, percent);
}

}  // namespace

std::string ProgressLine(const CopyState& state, absl::Duration elapsed, size_t width) {
  std::string line;
  if (state.size > 0) {
    // Of 100 parts, so that nothing overflows; files may grow.
    const double part = static_cast<double>(state.done) / static_cast<double>(state.size);
    line = Bar(static_cast<uint64_t>(std::min(1.0, part) * 100));
  }
  absl::StrAppend(&line, HumanSize(state.done));
  if (state.size > 0) absl::StrAppend(&line, " of ", HumanSize(state.size));
  const double seconds = std::max(absl::ToDoubleSeconds(elapsed), 0.001);
  absl::StrAppend(&line, "  ", HumanSize(static_cast<uint64_t>(state.bytes / seconds)), "/s  ");
  if (state.files > 0) {
    absl::StrAppend(&line, state.files, state.files == 1 ? " file" : " files", " before  ");
  }
  absl::StrAppend(&line, base::TerminalText(state.name));
  return base::TruncateToWidth(line, width, "+");
}

void CopyProgress::Begin(absl::string_view name, uint64_t size) {
  state_.name = std::string(name);
  state_.done = 0;
  state_.size = size;
  Draw();
}

void CopyProgress::Advance(uint64_t bytes) {
  state_.done += bytes;
  state_.bytes += bytes;
  Draw();
}

void CopyProgress::Draw() {
  if (width_ == 0) return;
  const absl::Time now = absl::Now();
  if (now < begin_ + kQuiet || now < drawn_ + kInterval) return;
  drawn_ = now;
  is_shown_ = true;
  // In the last column some terminals begin a new line. "\x1b[K" clears what was longer before.
  err_->Append(absl::StrCat("\r", ProgressLine(state_, now - begin_, width_ - 1), "\x1b[K"));
  err_->Flush().IgnoreError();
}

void CopyProgress::Clear() {
  if (!is_shown_) return;
  is_shown_ = false;
  drawn_ = absl::InfinitePast();
  err_->Append("\r\x1b[K");
  err_->Flush().IgnoreError();
}

}  // namespace nsctl::cmd
