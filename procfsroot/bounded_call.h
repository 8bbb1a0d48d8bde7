// Calls into file systems that may never answer, with a deadline.
//
// A system call on a FUSE, NFS or other remote file system waits in the kernel for a server. It
// cannot be taken back, so it is made by a worker thread; past its deadline the caller goes on and
// the worker is abandoned: it stays until the kernel lets it go, then ends by itself. How many are
// stuck on each super block is counted for the whole process, and one that holds too many is not
// tried again until some come back.
//
//   BoundedCaller caller;
//   absl::StatusOr<std::string> text = caller.Run<std::string>(
//       "read /mnt/file", absl::Seconds(5),
//       [fd = std::make_shared<OwnedFd>(...)](const DeviceGate& gate) { ... });

#ifndef NSCTL_PROCFSROOT_BOUNDED_CALL_H_
#define NSCTL_PROCFSROOT_BOUNDED_CALL_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {

// So many calls may be stuck on one super block, and in all, before further ones are refused.
inline constexpr int kMaxStuckCallsOnDevice = 4;
inline constexpr int kMaxStuckCalls = 64;
// Whoever owns the tree chooses how many of its file systems are silent. So while this many calls
// are stuck, in all, each further one is waited for but a fifth of its time: long enough for a disk
// that is slow.
inline constexpr int kPatientCalls = 2;
inline constexpr int kImpatience = 5;

// How many calls of this process are past their deadline and still in the kernel: in all, and on
// one super block.
int StuckCalls();
int StuckCallsOn(dev_t device);

namespace internal {

// One call: what is run, and how far it got. See bounded_call.cc.
class BoundedJob;
class BoundedWorker;

std::shared_ptr<BoundedJob> MakeBoundedJob(std::function<void(const DeviceGate&)> body);

}  // namespace internal

// Keeps a few idle workers for the next call; its end waits for those, never for an abandoned one.
// May be used by many threads at once: each call has a worker of its own.
class BoundedCaller {
 public:
  // What becomes of the worker: one whose call changed the thread itself (setns(2)) must not run
  // another.
  enum class Worker { kReused, kUsedOnce };

  BoundedCaller() = default;
  BoundedCaller(const BoundedCaller&) = delete;
  BoundedCaller& operator=(const BoundedCaller&) = delete;
  ~BoundedCaller();

  // Runs `body` in a worker with all signals blocked and returns what it returned. `body` may go on
  // running after this call and this object ended, so it owns all that it uses, by value or
  // shared_ptr; its result is then dropped. It calls the gate with the device number of each file
  // system before it touches it, and returns at once with what that says if it is not OK.
  // `what` ("read /mnt/file") begins the messages of these errors:
  //
  // Errors: DEADLINE_EXCEEDED after `timeout`, or the part of it that kImpatience leaves;
  // UNAVAILABLE from the gate where too many calls are stuck on that device, and at once where too
  // many are in all; RESOURCE_EXHAUSTED where no thread can be made; those of `body`.
  template <typename T>
  absl::StatusOr<T> Run(absl::string_view what, absl::Duration timeout,
                        std::function<absl::StatusOr<T>(const DeviceGate&)> body,
                        Worker worker = Worker::kReused) {
    // Left with the job if that is abandoned.
    auto result = std::make_shared<absl::StatusOr<T>>(absl::UnknownError("not run"));
    const absl::Status ran =
        RunJob(what, timeout,
               internal::MakeBoundedJob([result, body = std::move(body)](const DeviceGate& gate) {
                 *result = body(gate);
               }),
               worker);
    if (!ran.ok()) return ran;
    return std::move(*result);
  }

 private:
  absl::Status RunJob(absl::string_view what, absl::Duration timeout,
                      std::shared_ptr<internal::BoundedJob> job, Worker use);
  absl::StatusOr<std::shared_ptr<internal::BoundedWorker>> TakeWorker();
  void GiveBack(std::shared_ptr<internal::BoundedWorker> worker);

  std::mutex mutex_;
  std::vector<std::shared_ptr<internal::BoundedWorker>> idle_;
};

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_BOUNDED_CALL_H_
