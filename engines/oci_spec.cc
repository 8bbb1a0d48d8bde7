#include "engines/oci_spec.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "engines/http_json.h"
#include "engines/json_member.h"
#include "engines/json_text.h"

namespace nsctl::engines {
namespace {

constexpr char kSlice[] = ".slice";

// "a-b.slice" is in "a.slice". Source: systemd.slice(5).
std::string PathOfSlice(absl::string_view slice) {
  std::string path;
  if (slice == "-.slice") return path;
  for (size_t dash = slice.find('-'); dash != absl::string_view::npos;
       dash = slice.find('-', dash + 1)) {
    absl::StrAppend(&path, "/", slice.substr(0, dash), kSlice);
  }
  absl::StrAppend(&path, "/", slice);
  return path;
}

}  // namespace

std::string CgroupOf(absl::string_view cgroups_path) {
  // More would be no name of a slice, and its path grows with the square.
  constexpr size_t kMaxLength = 1024;
  if (absl::StartsWith(cgroups_path, "/")) return std::string(cgroups_path);
  const std::vector<absl::string_view> parts = absl::StrSplit(cgroups_path, ':');
  if (parts.size() != 3 || parts[2].empty() || parts[0].size() > kMaxLength) return "";
  const std::string slice =
      PathOfSlice(parts[0].empty() ? absl::string_view("system.slice") : parts[0]);
  if (absl::EndsWith(parts[2], kSlice)) return absl::StrCat(slice, "/", parts[2]);
  return absl::StrCat(slice, "/", parts[1], parts[1].empty() ? "" : "-", parts[2], ".scope");
}

OciSpec ReadOciSpec(absl::string_view spec) {
  OciSpec read;
  SetLabels(ParseMember(spec, {"annotations"}), &read.annotations);
  read.cgroup = CgroupOf(TextOf(ParseMember(spec, {"linux", "cgroupsPath"})));
  return read;
}

}  // namespace nsctl::engines
