// How far a discovery is, for whoever shows it to people who wait.

#ifndef NSCTL_NSDISC_SCAN_PROGRESS_H_
#define NSCTL_NSDISC_SCAN_PROGRESS_H_

#include <atomic>
#include <cstdint>

namespace nsctl::nsdisc {

// Written by the discovery, read by any thread at any time. Steps follow each other as listed; one
// that has nothing to do is passed over.
class ScanProgress {
 public:
  enum class Step : uint8_t {
    // The kernel's lists of namespaces.
    kLists,
    // `done` of `total` processes were read.
    kProcesses,
    // Namespaces that are known by now are asked about their relations.
    kRelations,
    // `total` sockets are asked about.
    kSockets,
    // The mounts of `done` of `total` mount namespaces were looked at. More may be found.
    kMounts,
    // What namespaces are called, and details of processes that stand for them.
    kDetails,
  };

  void Begin(Step step, uint64_t total = 0) {
    done_ = 0;
    total_ = total;
    step_ = step;
  }
  void Advance() { done_.fetch_add(1, std::memory_order_relaxed); }

  Step step() const { return step_; }
  uint64_t done() const { return done_; }
  // 0 where it is not known.
  uint64_t total() const { return total_; }

 private:
  std::atomic<Step> step_ = Step::kLists;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<uint64_t> total_ = 0;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_SCAN_PROGRESS_H_
