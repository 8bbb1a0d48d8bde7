// Runs one function over a range of work in a bounded number of threads.

#ifndef NSCTL_BASE_WORKER_POOL_H_
#define NSCTL_BASE_WORKER_POOL_H_

#include <cstddef>

#include "absl/functional/function_ref.h"

namespace nsctl::base {

// The number of threads that discovery uses by default: the CPUs this process may run on
// (sched_getaffinity(2)), at least 1, at most 8.
int DefaultThreadCount();

// Calls `work(begin, end, worker)` for consecutive pieces of [0, size), each of at most `chunk`
// elements, from at most `threads` threads (the caller's is one of them), each element exactly
// once. `worker` is in [0, threads) and no two calls with the same number overlap, so it can index
// per-worker state. Pieces are handed out on demand: one slow piece does not hold up the rest.
// Returns when all work is done and every thread has ended. Where a thread cannot be created the
// work is done by fewer. `work` must not throw.
void ParallelFor(size_t size, size_t chunk, int threads,
                 absl::FunctionRef<void(size_t begin, size_t end, int worker)> work);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_WORKER_POOL_H_
