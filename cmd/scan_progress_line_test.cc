#include "cmd/scan_progress_line.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/text.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using nsdisc::ScanProgress;
using Step = nsdisc::ScanProgress::Step;

TEST(ScanProgressText, SaysHowFarItIs) {
  ScanProgress progress;
  EXPECT_EQ(ScanProgressText(progress, 80), "asking the kernel for its lists");

  progress.Begin(Step::kProcesses, 5000);
  progress.Advance();
  progress.Advance();
  EXPECT_EQ(ScanProgressText(progress, 80), "reading processes: 2 of 5000");

  progress.Begin(Step::kSockets, 128);
  EXPECT_EQ(ScanProgressText(progress, 80), "asking about sockets: 128");

  progress.Begin(Step::kRelations);
  EXPECT_EQ(ScanProgressText(progress, 80), "relating namespaces");
}

TEST(ScanProgressText, FitsItsLine) {
  ScanProgress progress;
  progress.Begin(Step::kMounts, 12345);
  for (size_t width = 1; width < 60; ++width) {
    EXPECT_LE(base::DisplayWidth(ScanProgressText(progress, width)), width);
  }
}

TEST(ScanProgressLine, LeavesNothingBehind) {
  StringWriter err;
  ScanProgress progress;
  progress.Begin(Step::kProcesses, 7);
  {
    const ScanProgressLine line(progress, &err, 40, absl::ZeroDuration());
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    // The writer is the line's own until its end.
    while (progress.done() < 3 && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));
      progress.Advance();
    }
  }

  EXPECT_TRUE(absl::StartsWith(err.text(), "\rreading processes: "))
      << base::TerminalText(err.text());
  EXPECT_TRUE(absl::EndsWith(err.text(), "\x1b[K\r\x1b[K")) << base::TerminalText(err.text());
}

TEST(ScanProgressLine, DrawsNothingInTheFirstSecondAndNothingWithoutATerminal) {
  StringWriter err;
  const ScanProgress progress;
  { const ScanProgressLine line(progress, &err, 80); }
  { const ScanProgressLine line(progress, &err, 0, absl::ZeroDuration()); }

  EXPECT_EQ(err.text(), "");
}

}  // namespace
}  // namespace nsctl::cmd
