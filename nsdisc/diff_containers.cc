#include "nsdisc/diff_containers.h"

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nsdisc/message_diff.h"

namespace nsctl::nsdisc {
namespace {

using engines::Container;

using Key = std::tuple<absl::string_view, absl::string_view, absl::string_view>;

// The type is the first part of an engine's key.
absl::string_view TypeOf(const Container& container) {
  return absl::string_view(container.engine()).substr(0, container.engine().find(':'));
}

Key KeyOf(const Container& container) {
  return {TypeOf(container), container.native_namespace(), container.id()};
}

std::map<Key, const Container*> Index(const Snapshot& snapshot) {
  std::map<Key, const Container*> index;
  for (const Container& container : snapshot.containers()) {
    index.try_emplace(KeyOf(container), &container);
  }
  return index;
}

Change ChangeOf(const Container& container, Change::Kind kind) {
  Change change;
  change.set_section("containers");
  change.set_subject(absl::StrCat(TypeOf(container), "/", container.native_namespace(),
                                  container.native_namespace().empty() ? "" : "/",
                                  container.name().empty() ? container.id() : container.name()));
  change.set_kind(kind);
  *change.mutable_container() = container;
  return change;
}

}  // namespace

std::vector<Change> DiffContainers(const Snapshot& before, const Snapshot& after,
                                   absl::FunctionRef<bool(absl::string_view)> ignored) {
  const std::map<Key, const Container*> old_ones = Index(before);
  const std::map<Key, const Container*> new_ones = Index(after);
  std::vector<Change> changes;
  for (const auto& [key, container] : old_ones) {
    if (!new_ones.contains(key)) changes.push_back(ChangeOf(*container, Change::removed));
  }
  for (const auto& [key, container] : new_ones) {
    const auto old_one = old_ones.find(key);
    if (old_one == old_ones.end()) {
      changes.push_back(ChangeOf(*container, Change::added));
      continue;
    }
    const std::vector<FieldChange> fields = DiffMessages(*old_one->second, *container, ignored);
    if (fields.empty()) continue;
    Change change = ChangeOf(*container, Change::changed);
    for (const FieldChange& field : fields) *change.add_fields() = field;
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace nsctl::nsdisc
