#include "base/collect_ids.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status_macros.h"

namespace nsctl::base {
namespace {

// Enough for the mounts of most namespaces in one call.
constexpr size_t kFirstPiece = 256;
// The kernel allocates as much for each call.
constexpr size_t kLargestPiece = size_t{16} << 10;

}  // namespace

absl::StatusOr<std::vector<uint64_t>> CollectIds(
    size_t limit,
    absl::FunctionRef<absl::StatusOr<size_t>(uint64_t after, absl::Span<uint64_t> out)> list) {
  std::vector<uint64_t> ids;
  size_t piece = kFirstPiece;
  while (true) {
    const size_t known = ids.size();
    const uint64_t after = ids.empty() ? 0 : ids.back();
    ids.resize(known + piece);
    NSCTL_ASSIGN_OR_RETURN(const size_t count, list(after, absl::MakeSpan(ids).subspan(known)));
    ids.resize(known + std::min(count, piece));
    if (ids.size() > limit) {
      return absl::ResourceExhaustedError(absl::StrCat("more than ", limit, " ids"));
    }
    if (count < piece) return ids;
    piece = std::min(piece * 2, kLargestPiece);
  }
}

}  // namespace nsctl::base
