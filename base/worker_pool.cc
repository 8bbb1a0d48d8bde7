#include "base/worker_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"

namespace nsctl::base {

namespace {
constexpr int kMaxDefaultThreads = 8;
}  // namespace

int DefaultThreadCount() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  // The call fails only where the kernel's set of CPUs is larger than cpu_set_t (1,024).
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return kMaxDefaultThreads;
  return std::clamp(CPU_COUNT(&cpus), 1, kMaxDefaultThreads);
}

void ParallelFor(size_t size, size_t chunk, int threads,
                 absl::FunctionRef<void(size_t begin, size_t end, int worker)> work) {
  chunk = std::max(chunk, size_t{1});
  const size_t pieces = size / chunk + (size % chunk != 0 ? 1 : 0);
  std::atomic<size_t> next_piece{0};
  const auto run = [&](int worker) {
    while (true) {
      const size_t piece = next_piece.fetch_add(1, std::memory_order_relaxed);
      if (piece >= pieces) return;
      const size_t begin = piece * chunk;
      work(begin, begin + std::min(chunk, size - begin), worker);
    }
  };

  const size_t workers = std::min(pieces, static_cast<size_t>(std::max(threads, 1)));
  std::vector<std::thread> helpers;
  helpers.reserve(workers);
  for (size_t worker = 1; worker < workers; ++worker) {
    try {
      helpers.emplace_back(run, static_cast<int>(worker));
    } catch (const std::system_error&) {
      // RLIMIT_NPROC or pids.max: the threads that are there do the rest.
      break;
    }
  }
  run(0);
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace nsctl::base
