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

// A container that only one side has, where the other may lack it for the reason `why`.
Change OneSided(const Container& container, Change::Kind kind, const std::string& why) {
  Change change = ChangeOf(container, why.empty() ? kind : Change::unknown);
  if (!why.empty()) {
    change.set_reason(
        absl::StrCat(kind == Change::added ? "not seen before: " : "not seen after: ", why));
  }
  return change;
}

}  // namespace

std::string WhyContainersAreUnseen(const Snapshot& snapshot) {
  for (const Gap& gap : snapshot.gaps()) {
    if (gap.operation() == "find engines" || gap.operation() == "read states of containers") {
      return absl::StrCat(gap.operation(), ": ", gap.error());
    }
  }
  for (const engines::Engine& engine : snapshot.engines()) {
    if (engine.state() != engines::Engine::ready) {
      return absl::StrCat("the engine ", engine.key(), " did not tell all");
    }
  }
  return "";
}

std::vector<Change> DiffContainers(const Snapshot& before, const Snapshot& after,
                                   absl::FunctionRef<bool(absl::string_view)> ignored) {
  const std::map<Key, const Container*> old_ones = Index(before);
  const std::map<Key, const Container*> new_ones = Index(after);
  const std::string why_not_before = WhyContainersAreUnseen(before);
  const std::string why_not_after = WhyContainersAreUnseen(after);
  std::vector<Change> changes;
  for (const auto& [key, container] : old_ones) {
    if (new_ones.contains(key)) continue;
    changes.push_back(OneSided(*container, Change::removed, why_not_after));
  }
  for (const auto& [key, container] : new_ones) {
    const auto old_one = old_ones.find(key);
    if (old_one == old_ones.end()) {
      changes.push_back(OneSided(*container, Change::added, why_not_before));
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
