#include "nsdisc/in_flight.h"

#include <errno.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "nsdisc/namespace_way.h"

namespace nsctl::nsdisc {
namespace {

constexpr size_t kMaxFdinfo = 16 << 10;

// 0 for sockets of other families too.
uint64_t WaitingIn(absl::string_view fdinfo) {
  for (absl::string_view line : absl::StrSplit(fdinfo, '\n')) {
    uint64_t count = 0;
    if (!absl::ConsumePrefix(&line, "scm_fds:")) continue;
    return absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &count) ? count : 0;
  }
  return 0;
}

}  // namespace

void AddInFlightGaps(const procfsroot::Procfs& procfs, absl::Span<const FdFindings::Socket> sockets,
                     GapList* gaps) {
  absl::flat_hash_set<uint64_t> seen;
  std::string text;
  // Sockets come process by process.
  FdPlace open_at;
  absl::StatusOr<procfsroot::ProcessDir> dir;
  for (const FdFindings::Socket& socket : sockets) {
    if (!seen.insert(socket.inode).second) continue;
    const FdPlace& place = socket.place;
    if (place.pid != open_at.pid || place.tid != open_at.tid) {
      dir = OpenHolder(procfs, {.pid = place.pid, .tid = place.tid});
      open_at = place;
    }
    if (!dir.ok()) continue;
    const std::string fdinfo = absl::StrCat("fdinfo/", place.fd);
    if (dir->TryReadRecord(fdinfo.c_str(), kMaxFdinfo, &text) != 0) continue;
    const uint64_t count = WaitingIn(text);
    if (count == 0) continue;
    gaps->Add({.kind = GapSubject::kProcess, .number = static_cast<uint64_t>(place.pid)},
              "read SCM_RIGHTS", ENODATA,
              "what the descriptors hold that wait in its sockets is unknown", count);
  }
}

}  // namespace nsctl::nsdisc
