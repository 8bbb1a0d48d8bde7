#include "base/listns.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/collect_ids.h"
#include "base/errors.h"
#include "base/kernel_abi.h"

namespace nsctl::base {

absl::StatusOr<std::vector<uint64_t>> ListNamespaces(const NamespaceFilter& filter, size_t limit) {
  abi::NsIdReq request = {};
  request.size = sizeof(request);
  request.ns_type = filter.clone_flags;
  request.user_ns_id = filter.owner_kernel_id.value_or(0);
  return CollectIds(
      limit, [&request](uint64_t after, absl::Span<uint64_t> out) -> absl::StatusOr<size_t> {
        request.ns_id = after;
        const long count = syscall(abi::kSysListns, &request, out.data(), out.size(), 0U);
        if (count >= 0) return static_cast<size_t>(count);
        const int error = errno;
        // This is how it says that nothing follows `after`.
        if (error == ENOENT) return size_t{0};
        return ErrnoStatus(error, "listns");
      });
}

}  // namespace nsctl::base
