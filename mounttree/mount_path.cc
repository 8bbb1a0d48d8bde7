#include "mounttree/mount_path.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace nsctl::mounttree {
namespace {

// The slash is before all other bytes.
int Rank(char c) { return c == '/' ? -1 : static_cast<unsigned char>(c); }

// How many bytes `a` and `b` begin with in common, of the first `limit`. Paths of one namespace
// share long beginnings, so eight bytes are looked at at once.
size_t CountSame(const char* a, const char* b, size_t limit) {
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= limit; i += sizeof(uint64_t)) {
    uint64_t word_a;
    uint64_t word_b;
    std::memcpy(&word_a, a + i, sizeof(word_a));
    std::memcpy(&word_b, b + i, sizeof(word_b));
    if (word_a != word_b) break;
  }
  while (i < limit && a[i] == b[i]) ++i;
  return i;
}

}  // namespace

bool IsAtOrBelow(absl::string_view path, absl::string_view directory) {
  if (!absl::StartsWith(path, directory)) return false;
  return path.size() == directory.size() || absl::EndsWith(directory, "/") ||
         path[directory.size()] == '/';
}

int ComparePaths(absl::string_view a, absl::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  const size_t same = CountSame(a.data(), b.data(), common);
  if (same < common) return Rank(a[same]) - Rank(b[same]);
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

std::string MovePath(absl::string_view path, absl::string_view from, absl::string_view to) {
  absl::string_view rest = path.substr(std::min(from.size(), path.size()));
  absl::ConsumePrefix(&rest, "/");
  if (rest.empty()) return std::string(to);
  return absl::StrCat(to, absl::EndsWith(to, "/") ? "" : "/", rest);
}

}  // namespace nsctl::mounttree
