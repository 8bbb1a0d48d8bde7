// How far a scan is, on one line of a terminal.

#ifndef NSCTL_CMD_SCAN_PROGRESS_LINE_H_
#define NSCTL_CMD_SCAN_PROGRESS_LINE_H_

#include <cstddef>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cmd/writer.h"
#include "nsdisc/scan_progress.h"

namespace nsctl::cmd {

// "reading processes: 1200 of 5000". At most `width` cells.
std::string ScanProgressText(const nsdisc::ScanProgress& progress, size_t width);

// Draws nothing within the first second, and then five times a second, from a thread of its own:
// while it is there, nobody else writes to `err`. Its end takes the line away.
class ScanProgressLine {
 public:
  // `width` 0: never draws, and has no thread. The others are borrowed.
  ScanProgressLine(const nsdisc::ScanProgress& progress, Writer* err, size_t width,
                   absl::Duration quiet = absl::Seconds(1));
  ScanProgressLine(const ScanProgressLine&) = delete;
  ScanProgressLine& operator=(const ScanProgressLine&) = delete;
  ~ScanProgressLine();

 private:
  void Draw(const nsdisc::ScanProgress& progress, Writer* err, size_t width, absl::Duration quiet)
      ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SCAN_PROGRESS_LINE_H_
