#include "nsdisc/bpf_census.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/bpf.h"
#include "base/btf.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/openat2.h"
#include "base/status_macros.h"
#include "nsdisc/namespace_walk.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {
namespace {

using base::OwnedFd;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

constexpr char kSysfs[] = "/sys";
constexpr char kDescription[] = "kernel/btf/vmlinux";
// How many namespaces of one type are made room for: what nearly every host has, then more. Each
// takes 72 to 184 bytes.
constexpr uint32_t kCapacities[] = {1 << 10, 1 << 14, 1 << 18};
// For one list. The processor does nothing else meanwhile; a namespace takes half a microsecond.
constexpr absl::Duration kTime = absl::Milliseconds(200);

// Nothing that is mounted there is asked: a FIFO or a dead server would hold up the scan, and what
// they say could send the program anywhere, if to no harm.
absl::StatusOr<OwnedFd> OpenDescription() {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd sysfs,
                         base::OpenAt(base::FdRef(AT_FDCWD), kSysfs, O_PATH | O_DIRECTORY));
  struct statfs status;
  if (fstatfs(sysfs.get(), &status) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "fstatfs", sysfs.path());
  }
  if (status.f_type != SYSFS_MAGIC) return base::ErrnoStatus(ENOENT, "open", kSysfs);
  return base::OpenAt2(sysfs, kDescription, O_RDONLY, 0, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

absl::StatusOr<NamespaceLayout> LayoutIn(absl::string_view description) {
  NSCTL_ASSIGN_OR_RETURN(const base::Btf btf, base::Btf::Parse(description));
  return FindNamespaceLayout(btf);
}

absl::StatusOr<NamespaceLayout> ReadLayout() {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd file, OpenDescription());
  NSCTL_ASSIGN_OR_RETURN(const struct stat status, base::Stat(file));
  const size_t size = std::min(static_cast<size_t>(status.st_size), base::kMaxBtf);
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (mapped == MAP_FAILED) {
    // Before Linux 6.16. Reading takes a call for each page.
    std::string bytes;
    NSCTL_RETURN_IF_ERROR(base::ReadToEnd(file, base::kMaxBtf, &bytes));
    return LayoutIn(bytes);
  }
  const absl::StatusOr<NamespaceLayout> layout =
      LayoutIn(absl::string_view(static_cast<const char*>(mapped), size));
  munmap(mapped, size);
  return layout;
}

// The walk began at what the kernel says is the scanner's own: members are where they should be.
absl::Status CheckOwn(const ProcessDir& self, const ListedNamespace& own) {
  const base::NamespaceTypeInfo& info = base::InfoOf(own.type);
  // The children's is what a process has at hand of PID namespaces. Before its first child there is
  // no link to it.
  const char* const entry =
      own.type == base::NamespaceType::kPid ? info.for_children_entry : info.name;
  const absl::StatusOr<OwnedFd> fd = self.OpenNamespace(entry);
  if (!fd.ok()) return absl::OkStatus();
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(*fd));
  NSCTL_ASSIGN_OR_RETURN(const uint64_t kernel_id, base::KernelIdOf(*fd));
  if (own.inode == id.inode && own.kernel_id == kernel_id) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the kernel's memory has the scanner in ", info.name,
                                          " namespace ", own.inode, ", not in ", id.inode));
}

// Under lockdown the function that reads the kernel's memory is none, and that is all that the
// verifier says.
absl::Status ExplainRefusal(const absl::Status& status) {
  if (!absl::StrContains(status.message(), "bpf_probe_read_kernel")) return status;
  return base::ErrnoStatus(EPERM, "bpf_probe_read_kernel under lockdown");
}

// All lists, up to `capacity` members of each. RESOURCE_EXHAUSTED where that did not suffice.
absl::StatusOr<BpfCensus::Listing> ListUpTo(const NamespaceLayout& layout, const ProcessDir& self,
                                            uint32_t capacity) {
  const uint32_t size = WalkSize(layout, capacity);
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd map, base::CreateBpfValue("nsctl_census", size));
  const std::vector<bpf_insn> program = NamespaceWalkProgram(layout, map.get(), capacity);
  const absl::StatusOr<OwnedFd> loaded =
      base::LoadBpfProgram({"nsctl_census", kWalkLicense, program});
  if (!loaded.ok()) return ExplainRefusal(loaded.status());
  std::string noted(size, '\0');
  BpfCensus::Listing listing;
  for (const NamespaceLayout::Start& start : layout.starts) {
    NSCTL_RETURN_IF_ERROR(base::RunBpfProgram(*loaded, WalkArguments(layout, start, kTime)));
    NSCTL_RETURN_IF_ERROR(base::ReadBpfValue(map, absl::MakeSpan(noted)));
    NSCTL_ASSIGN_OR_RETURN(NamespaceWalk walk,
                           ParseNamespaceWalk(layout, start.type, capacity, noted));
    NSCTL_RETURN_IF_ERROR(CheckOwn(self, walk.own));
    const std::string name = absl::StrCat("the kernel's list of ", base::InfoOf(start.type).name,
                                          " namespaces is too long: ", walk.found.size(), " read");
    if (walk.is_full) {
      listing.missing = absl::ResourceExhaustedError(name);
    } else if (!walk.complete && listing.missing.ok()) {
      listing.missing = absl::DeadlineExceededError(name);
    }
    listing.namespaces.insert(listing.namespaces.end(), walk.found.begin(), walk.found.end());
  }
  return listing;
}

}  // namespace

CensusFailure DescribeFailure(const absl::Status& status) {
  absl::string_view step = status.message();
  int error = base::ErrnoOf(status);
  if (error != 0) {
    // The errno has a place of its own: "call path: reason (ENAME)".
    step = step.substr(0, step.rfind(": "));
  } else {
    error = absl::IsUnimplemented(status) ? EOPNOTSUPP : EBADMSG;
  }
  return {absl::StrCat("BPF census: ", step), error};
}

absl::StatusOr<BpfCensus::Listing> KernelBpfCensus::List() {
  if (!layout_.has_value()) {
    NSCTL_ASSIGN_OR_RETURN(layout_, ReadLayout());
  }
  NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, Procfs::Live());
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  absl::StatusOr<Listing> listing;
  for (const uint32_t capacity : kCapacities) {
    listing = ListUpTo(*layout_, self, capacity);
    if (!listing.ok() || !absl::IsResourceExhausted(listing->missing)) break;
  }
  return listing;
}

}  // namespace nsctl::nsdisc
