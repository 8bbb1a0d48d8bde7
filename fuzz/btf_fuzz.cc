// A description of types is refused in one line, or answers: the same whatever follows it, and with
// places that hang together.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/btf.h"
#include "nsdisc/namespace_layout.h"

using nsctl::base::Btf;
using nsctl::base::BtfMember;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 16 << 10) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<Btf> btf = Btf::Parse(bytes);
  if (!btf.ok()) {
    const absl::string_view message = btf.status().message();
    if (!absl::StartsWith(message, "BTF: ") || absl::StrContains(message, '\n')) abort();
    return 0;
  }
  const std::string more = bytes + "more";
  const absl::StatusOr<Btf> longer = Btf::Parse(more);
  if (!longer.ok()) abort();
  for (const char* path : {"ns", "ns.inum", "ns.ns_list_node", "ns.ns_list_node.next"}) {
    const std::optional<BtfMember> member = btf->FindMember("net", path);
    if (member != longer->FindMember("net", path)) abort();
  }
  const absl::StatusOr<nsctl::nsdisc::NamespaceLayout> layout =
      nsctl::nsdisc::FindNamespaceLayout(*btf);
  if (!layout.ok()) return 0;
  if (layout->image_size > nsctl::nsdisc::kMaxNamespaceImage || layout->image_size % 8 != 0 ||
      layout->next + 8 > layout->image_size || layout->kernel_id + 8 > layout->image_size ||
      layout->operations + 8 > layout->image_size || layout->inode + 4 > layout->image_size) {
    abort();
  }
  return 0;
}
