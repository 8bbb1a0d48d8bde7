#include "cmd/containers_tree.h"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "cmd/tree_branches.h"
#include "engines/container.h"

namespace nsctl::cmd {
namespace {

using engines::Container;
using engines::Engine;

constexpr uint32_t kMaxDepth = 64;

class TreePrinter {
 public:
  TreePrinter(const ContainerList& list, const Presentation& presentation, Writer* out)
      : list_(list), lists_(list), presentation_(presentation), out_(out) {
    for (const Container& container : list.containers()) {
      Group group{.rank = 2};
      // A pod is kept together, whatever projects are in it.
      if (const engines::Pod* const pod = PodOf(lists_, container)) {
        group = {1, PodText(*pod), pod->id()};
      } else if (!container.project().project().empty()) {
        group = {0, container.project().project()};
      }
      groups_[container.engine()][group].push_back(&container);
    }
    for (const Engine& engine : list.engines()) {
      if (!engine.parent().empty()) {
        inner_[{engine.parent(), engine.parent_container()}].push_back(&engine);
      }
    }
  }

  void Print() {
    for (const Engine& engine : list_.engines()) {
      if (engine.parent().empty()) AddEngine(engine, 0);
    }
    // Of which it is not known, or not true, what they run in.
    for (const Engine& engine : list_.engines()) AddEngine(engine, 0);
    for (const auto& [key, groups] : groups_) {
      if (!drawn_.insert(key).second) continue;
      rows_.push_back({0, base::TerminalText(key), Role::kHeading, " (unknown engine)"});
      AddGroups(key, 1);
    }
    Flush();
  }

 private:
  // What is between an engine and its containers; nothing for rank 2.
  struct Group {
    int rank = 0;
    std::string name = "";
    std::string id = "";

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
    friend auto operator<=>(const Group&, const Group&) = default;
  };

  // A line of the tree. `name` is safe for a terminal, `text` need not be.
  struct Row {
    uint32_t depth;
    std::string name;
    Role role;
    std::string text;
  };

  void AddEngine(const Engine& engine, uint32_t depth) {
    if (!drawn_.insert(engine.key()).second) return;
    std::string text;
    if (!engine.version().empty()) absl::StrAppend(&text, " ", engine.version());
    if (engine.pid() != 0) absl::StrAppend(&text, " (", engine.pid(), ")");
    absl::StrAppend(&text, OwnerText(engine));
    if (!engine.api().empty()) absl::StrAppend(&text, " at ", Quoted(engine.api()));
    absl::StrAppend(&text, StateText(engine.state()));
    if (!engine.reason().empty()) absl::StrAppend(&text, ": ", engine.reason());
    rows_.push_back({depth, engines::TypeName(engine.type()), Role::kHeading, text});
    AddGroups(engine.key(), depth + 1);
  }

  static std::string StateText(Engine::State state) {
    switch (state) {
      case Engine::ready:
        return "";
      case Engine::connecting:
        return ": did not answer (connecting)";
      case Engine::syncing:
        return ": did not tell all (syncing)";
      default:
        return absl::StrCat(", ", engines::StateName(state));
    }
  }

  void AddGroups(const std::string& key, uint32_t depth) {
    const auto found = groups_.find(key);
    if (found == groups_.end()) return;
    for (auto& [group, containers] : found->second) {
      const bool is_named = group.rank < 2;
      if (is_named) {
        rows_.push_back({depth, group.rank == 0 ? "project" : "pod", Role::kPlain,
                         absl::StrCat(" ", Quoted(group.name))});
      }
      SortByName(&containers);
      for (const Container* container : containers) {
        AddContainer(*container, depth + (is_named ? 1 : 0));
      }
    }
  }

  static void SortByName(std::vector<const Container*>* containers) {
    std::stable_sort(containers->begin(), containers->end(),
                     [](const Container* a, const Container* b) {
                       return std::tie(a->name(), a->id()) < std::tie(b->name(), b->id());
                     });
  }

  void AddContainer(const Container& container, uint32_t depth) {
    const ContainerReference reference = ReferenceTo(lists_, container);
    std::string text;
    if (container.pid() != 0) absl::StrAppend(&text, " (", container.pid(), ")");
    if (container.state() != Container::running) {
      absl::StrAppend(&text, " ", engines::StateName(container.state()));
    }
    if (container.has_exit_code() && container.pid() == 0) {
      absl::StrAppend(&text, " with ", container.exit_code());
    }
    if (container.has_finished_at() && container.pid() == 0) {
      absl::StrAppend(&text, " at ", TimeText(container.finished_at()));
    }
    if (container.sandbox()) absl::StrAppend(&text, " sandbox");
    if (!container.image().empty()) absl::StrAppend(&text, " ", Quoted(container.image()));
    // A project of the engine's own is the namespace, and stands above it.
    if (!container.native_namespace().empty() &&
        container.native_namespace() != container.project().project()) {
      absl::StrAppend(&text, " in ", Quoted(container.native_namespace()));
    }
    if (!container.pid_error().empty()) {
      absl::StrAppend(&text, ", its process is unknown: ", container.pid_error());
    }
    rows_.push_back({depth, Quoted(reference.name()), RoleOf(container.state()), text});
    const auto inner = inner_.find({container.engine(), container.id()});
    // Deeper ones are drawn as if nothing were known of what they run in.
    if (inner == inner_.end() || depth > kMaxDepth) return;
    for (const Engine* engine : inner->second) AddEngine(*engine, depth + 1);
  }

  static Role RoleOf(Container::State state) {
    if (state == Container::running) return Role::kGood;
    return engines::IsAlive(state) ? Role::kLimited : Role::kFaint;
  }

  void Flush() {
    std::vector<uint32_t> depths;
    for (const Row& row : rows_) depths.push_back(row.depth);
    const std::vector<std::string> branches = DrawBranches(depths, *presentation_.glyphs);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      std::string text = base::TerminalText(row.text);
      if (presentation_.width > 0) {
        const size_t used = base::DisplayWidth(branches[i]) + base::DisplayWidth(row.name);
        text =
            base::TruncateToWidth(text, presentation_.width > used ? presentation_.width - used : 0,
                                  presentation_.glyphs->ellipsis);
      }
      out_->Append(absl::StrCat(branches[i], presentation_.Paint(row.role, row.name), text, "\n"));
    }
  }

  const ContainerList& list_;
  const ContainerLists lists_;
  const Presentation& presentation_;
  Writer* out_;
  std::map<std::string, std::map<Group, std::vector<const Container*>>> groups_;
  // By engine and id of the container that they run in.
  std::map<std::pair<std::string, std::string>, std::vector<const Engine*>> inner_;
  absl::flat_hash_set<std::string> drawn_;
  std::vector<Row> rows_;
};

}  // namespace

void PrintContainerTree(const ContainerList& list, const Presentation& presentation, Writer* out) {
  TreePrinter(list, presentation, out).Print();
}

}  // namespace nsctl::cmd
