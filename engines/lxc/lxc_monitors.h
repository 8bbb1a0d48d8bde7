// The monitors of one place, which are one engine together: LXC has no daemon.
//
// Thread-safe.

#ifndef NSCTL_ENGINES_LXC_LXC_MONITORS_H_
#define NSCTL_ENGINES_LXC_LXC_MONITORS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "engines/container_process.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/pid_translator.h"
#include "engines/stop_signal.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {

class Monitors {
 public:
  using List = std::vector<std::shared_ptr<const Monitor>>;

  // `procfs` must outlive this object. Errors: those of opening the first one's PID namespace.
  static absl::StatusOr<std::shared_ptr<Monitors>> Make(const procfsroot::Procfs& procfs,
                                                        std::shared_ptr<const Monitor> first);

  // False where all ended, which is for good: the next one is another engine.
  bool Add(std::shared_ptr<const Monitor> monitor) ABSL_LOCKS_EXCLUDED(mutex_);

  // In place of `old`, which is the same process: it listens at another socket by now.
  void Replace(const Monitor& old, std::shared_ptr<const Monitor> monitor)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Those whose processes live, by name and in the order of their start. Once there are none, all
  // ended.
  List Living() ABSL_LOCKS_EXCLUDED(mutex_);
  const Place& place() const { return place_; }

  // The PID and start time of one that lives; nullopt once all ended.
  std::optional<std::pair<int32_t, uint64_t>> Speaker() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Becomes readable when one is added, until Drain.
  base::FdRef added_fd() const { return added_; }
  void Drain();

  // Readable once all ended.
  const StopSignal& ended() const { return ended_; }

  // The process that they call `engine_pid`, and its parent. Errors: those of HoldProcess and the
  // translation; EINVAL where it is no PID.
  absl::StatusOr<Child> Find(int64_t engine_pid);
  // Whether it is the process of one that lives.
  bool Has(base::Pid pid) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Monitors(const procfsroot::Procfs& procfs, Place place,
           std::unique_ptr<PidTranslator> translator);

  const procfsroot::Procfs& procfs_;
  const Place place_;
  const std::unique_ptr<PidTranslator> translator_;
  const base::OwnedFd added_;
  StopSignal ended_;
  mutable absl::Mutex mutex_;
  List monitors_ ABSL_GUARDED_BY(mutex_);
};

// Finds children of theirs, and nobody else: EPERM.
class MonitorsFinder : public ProcessFinder {
 public:
  explicit MonitorsFinder(std::shared_ptr<Monitors> monitors) : monitors_(std::move(monitors)) {}

  absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) override;

 private:
  const std::shared_ptr<Monitors> monitors_;
};

// Stands for all of them: it lives as long as one of them does.
class MonitorsLife : public ContainerProcess {
 public:
  explicit MonitorsLife(std::shared_ptr<const Monitors> monitors)
      : monitors_(std::move(monitors)) {}

  int32_t pid() const override { return monitors_->Speaker().value_or(std::pair(0, 0)).first; }
  uint64_t start_time() const override {
    return monitors_->Speaker().value_or(std::pair(0, 0)).second;
  }
  std::optional<uint64_t> pidfd_inode() const override { return std::nullopt; }
  bool Ended() const override { return monitors_->ended().requested(); }
  int poll_fd() const override { return monitors_->ended().fd().get(); }

 private:
  const std::shared_ptr<const Monitors> monitors_;
};

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_MONITORS_H_
