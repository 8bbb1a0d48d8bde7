#include "mounttree/mount_path.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace nsctl::mounttree {
namespace {

// The slash is before all other bytes.
int Rank(char c) { return c == '/' ? -1 : static_cast<unsigned char>(c); }

}  // namespace

bool IsAtOrBelow(absl::string_view path, absl::string_view directory) {
  if (!absl::StartsWith(path, directory)) return false;
  return path.size() == directory.size() || absl::EndsWith(directory, "/") ||
         path[directory.size()] == '/';
}

int ComparePaths(absl::string_view a, absl::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  const size_t same = std::mismatch(a.begin(), a.begin() + common, b.begin()).first - a.begin();
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
