#include "cmd/tree_dot.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "cmd/dot.h"
#include "cmd/labels.h"
#include "cmd/tree_facts.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;

constexpr char kStyle[] = "shape=box, style=rounded";
constexpr char kDarkStyle[] = "shape=box, style=\"rounded,dashed\"";
constexpr char kUnknownOwner[] = "unknown owner";

std::string IdOf(const NamespaceTree::Node& node) {
  return node.has_namespace_() ? NamespaceText(node.namespace_()) : kUnknownOwner;
}

class TreeGraph {
 public:
  TreeGraph(bool details, Writer* out) : details_(details), graph_("tree", out) {}

  void Write(const NamespaceTree& tree) {
    for (const NamespaceTree::Node& root : tree.roots()) Add(root);
    graph_.End();
  }

 private:
  // As deep as the tree is, which BuildNamespaceTree bounds.
  void Add(const NamespaceTree::Node& node) {
    const std::string id = IdOf(node);
    AddNode(node);
    if (node.has_owner()) {
      const std::string owner = NamespaceText(node.owner());
      if (owners_.insert(owner).second) graph_.AddNode(owner, {owner}, kStyle);
      graph_.AddEdge(owner, id, "owns");
    }
    for (const NamespaceTree::Node& owned : node.owned()) {
      AddNode(owned);
      graph_.AddEdge(id, IdOf(owned), "owns");
    }
    for (const NamespaceTree::Node& child : node.children()) {
      Add(child);
      const bool is_child = child.namespace_().type() == node.namespace_().type();
      graph_.AddEdge(id, IdOf(child), is_child ? "" : "owns");
    }
  }

  void AddNode(const NamespaceTree::Node& node) {
    std::vector<std::string> label = {IdOf(node)};
    for (const NamespaceTree::Leader& leader : node.leaders()) {
      label.push_back(absl::StrCat(leader.process().name(), " (", PidText(leader.process()), ")"));
    }
    if (details_) {
      for (std::string& fact : NodeFacts(node)) label.push_back(std::move(fact));
    }
    graph_.AddNode(label[0], label, node.namespace_().dark() ? kDarkStyle : kStyle);
  }

  const bool details_;
  DotGraph graph_;
  absl::flat_hash_set<std::string> owners_;
};

}  // namespace

void WriteTreeGraph(const NamespaceTree& tree, bool details, Writer* out) {
  TreeGraph(details, out).Write(tree);
}

}  // namespace nsctl::cmd
