// A link text that is taken is the one that its type and inode number are written as, byte for
// byte; and whatever has that form is taken.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"

using nsctl::base::NamespaceLink;
using nsctl::base::ParseNamespaceLinkText;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<NamespaceLink> link = ParseNamespaceLinkText(text);
  if (link.has_value() && nsctl::base::NamespaceLinkText(link->type, link->inode) != text) abort();

  uint32_t inode = 0;
  if (size < 1 + sizeof(inode)) return 0;
  std::memcpy(&inode, data + 1, sizeof(inode));
  const auto& info = nsctl::base::kNamespaceTypes[data[0] % nsctl::base::kNamespaceTypeCount];
  const std::string form = absl::StrCat(info.name, ":[", inode, "]");
  if (ParseNamespaceLinkText(form) != NamespaceLink{info.type, inode}) abort();
  // One byte more, wherever it is put, makes it another text.
  const size_t at = data[0] % (form.size() + 1);
  const std::string other =
      form.substr(0, at) + static_cast<char>(data[size - 1]) + form.substr(at);
  const std::optional<NamespaceLink> read = ParseNamespaceLinkText(other);
  if (read.has_value() && *read == NamespaceLink{info.type, inode}) abort();
  return 0;
}
