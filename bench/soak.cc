// Discovers again and again in one process, as a service that uses the library would, and says what
// that leaves behind. tools/soak runs it in a world that never rests.
//
//   soak TRUTH SECONDS
//
// TRUTH has lines "LABEL TYPE INODE", namespaces that are there all the time. Prints a line of
// figures every few seconds; fails where a snapshot contradicts itself or lacks one of those
// namespaces that the first one had.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "nsdisc/discover.h"
#include "nsdisc/questions.h"
#include "nsdisc/snapshot_index.h"
#include "nsdisc/snapshot_io.h"
#include "procfsroot/procfs.h"
#include "testing/resource_check.h"

namespace nsctl {
namespace {

constexpr absl::Duration kBetweenLines = absl::Seconds(5);

std::vector<base::NamespaceLink> ReadTruth(const char* path) {
  std::vector<base::NamespaceLink> truth;
  std::ifstream file(path);
  std::string label, type;
  uint32_t inode;
  while (file >> label >> type >> inode) {
    const auto known = base::NamespaceTypeFromName(type);
    if (known.has_value()) truth.push_back({*known, inode});
  }
  return truth;
}

// Resident memory.
int64_t RssKib() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  file >> size >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

class Soak {
 public:
  explicit Soak(std::vector<base::NamespaceLink> truth) : truth_(std::move(truth)) {}

  absl::Status Run(absl::Duration duration) {
    const absl::Time end = absl::Now() + duration;
    absl::Time next_line = absl::Now() + kBetweenLines;
    NSCTL_RETURN_IF_ERROR(Discover(/*first=*/true));
    while (absl::Now() < end) {
      NSCTL_RETURN_IF_ERROR(Discover(/*first=*/false));
      if (absl::Now() >= next_line) {
        PrintLine();
        next_line = absl::Now() + kBetweenLines;
      }
    }
    return absl::OkStatus();
  }

 private:
  // Every second one with all that can be asked for.
  absl::Status Discover(bool first) {
    nsdisc::DiscoverOptions options;
    if (++count_ % 2 == 0) {
      options.threads = nsdisc::ScanOptions::all;
      options.mounts = true;
      options.capabilities = nsdisc::CapabilitySets::kEffective;
    }
    NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
    nsdisc::KernelQuestions kernel;
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                           nsdisc::Discover(procfs, kernel.For(procfs), options));
    NSCTL_RETURN_IF_ERROR(nsdisc::CheckSnapshot(*snapshot));
    const nsdisc::SnapshotIndex index(*snapshot);
    std::vector<base::NamespaceLink> found;
    for (const base::NamespaceLink& ns : truth_) {
      if (index.FindNamespace(ns.type, ns.inode) != nullptr) {
        found.push_back(ns);
      } else if (!first) {
        return absl::InternalError(absl::StrCat("snapshot ", count_, " lacks ",
                                                base::NamespaceLinkText(ns.type, ns.inode)));
      }
    }
    if (first) truth_ = std::move(found);
    namespaces_ = snapshot->namespaces_size();
    processes_ = snapshot->processes_size();
    return absl::OkStatus();
  }

  void PrintLine() const {
    const testing::Resources resources = testing::CurrentResources();
    std::printf(
        "{\"snapshots\": %d, \"rss_kib\": %lld, \"fds\": %zu, \"threads\": %zu, \"children\": %zu, "
        "\"stable\": %zu, \"namespaces\": %d, \"processes\": %d}\n",
        count_, static_cast<long long>(RssKib()), resources.fds.size(), resources.threads.size(),
        resources.children.size(), truth_.size(), namespaces_, processes_);
    std::fflush(stdout);
  }

  std::vector<base::NamespaceLink> truth_;
  int count_ = 0;
  int namespaces_ = 0;
  int processes_ = 0;
};

}  // namespace
}  // namespace nsctl

int main(int argc, char** argv) {
  int seconds = 0;
  if (argc != 3 || !absl::SimpleAtoi(argv[2], &seconds)) {
    std::fprintf(stderr, "usage: soak TRUTH SECONDS\n");
    return 2;
  }
  nsctl::Soak soak(nsctl::ReadTruth(argv[1]));
  const absl::Status status = soak.Run(absl::Seconds(seconds));
  if (status.ok()) return 0;
  std::fprintf(stderr, "soak: %s\n", status.ToString().c_str());
  return 1;
}
