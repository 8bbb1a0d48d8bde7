#include "nsdisc/diff_filter.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/namespace_type.h"
#include "nsdisc/diff_rules.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using google::protobuf::FieldDescriptor;

// Fields of Snapshot that describe the scan, or stand for others.
constexpr absl::string_view kNotSections[] = {"format",  "producer",   "taken_at", "host",
                                              "options", "statistics", "cgroups",  "scanner",
                                              "gaps",    "complete"};

bool IsSectionName(const std::string& word) {
  const FieldDescriptor* const field = Snapshot::descriptor()->FindFieldByName(word);
  return field != nullptr && IsSection(*field);
}

// `word` names a section, "SECTION.path", what it is in, or "path".
bool Covers(const std::string& word, absl::string_view section, absl::string_view path) {
  const auto begins = [](absl::string_view whole, absl::string_view part) {
    return absl::ConsumePrefix(&whole, part) && (whole.empty() || whole.front() == '.');
  };
  return begins(absl::StrCat(section, path.empty() ? "" : ".", path), word) ||
         (!path.empty() && begins(path, word) && !IsSectionName(word));
}

}  // namespace

bool IsSection(const FieldDescriptor& field) {
  return field.is_repeated() && field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         !absl::c_linear_search(kNotSections, field.name());
}

bool DiffFilter::IsIgnored(absl::string_view section, absl::string_view path) const {
  const auto covers = [&](const std::string& word) { return Covers(word, section, path); };
  if (absl::c_any_of(options_.ignored, covers) || absl::c_any_of(limits_, covers)) return true;
  if (path.empty()) return false;
  if (IsIdentity(section, path) || (!options_.all && IsImplied(section, path))) return true;
  if (options_.types.empty()) return false;
  // Of processes only which namespaces of the types they are in.
  if (section != "processes" || path == "namespaces") return false;
  return absl::c_none_of(options_.types, [&](NamespaceType type) {
    const base::NamespaceTypeInfo& info = base::InfoOf(type);
    return path == absl::StrCat("namespaces.", info.name) ||
           (info.for_children_entry != nullptr &&
            path == absl::StrCat("namespaces.", info.for_children_entry));
  });
}

}  // namespace nsctl::nsdisc
