#include "cmd/tree_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "cmd/tree_facts.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;

class TreePrinter {
 public:
  TreePrinter(const Presentation& presentation, bool details, Writer* out)
      : presentation_(presentation), details_(details), glyphs_(*presentation.glyphs), out_(out) {}

  // The node's line, what belongs to it, then its children, each below a `prefix` of glyphs. As
  // deep as the tree is, which BuildNamespaceTree bounds.
  void PrintNode(const NamespaceTree::Node& node, const std::string& before,
                 const std::string& prefix) {
    PrintLine(before, node);
    const char* const line = node.children().empty() ? glyphs_.blank : glyphs_.line;
    PrintFacts(absl::StrCat(prefix, line), node);
    for (const NamespaceTree::Node& owned : node.owned()) {
      PrintLine(absl::StrCat(prefix, line, glyphs_.property), owned);
      PrintFacts(absl::StrCat(prefix, line, glyphs_.blank), owned);
    }
    for (int i = 0; i < node.children_size(); ++i) {
      const bool last = i + 1 == node.children_size();
      PrintNode(node.children(i), absl::StrCat(prefix, last ? glyphs_.last_branch : glyphs_.branch),
                absl::StrCat(prefix, last ? glyphs_.blank : glyphs_.line));
    }
  }

 private:
  // What --details tells of the node.
  void PrintFacts(const std::string& prefix, const NamespaceTree::Node& node) {
    if (!details_) return;
    for (const std::string& fact : NodeFacts(node)) {
      std::string text = base::TerminalText(fact);
      const std::string before = absl::StrCat(prefix, glyphs_.blank);
      if (presentation_.width > 0) {
        const size_t used = base::DisplayWidth(before);
        text = base::TruncateToWidth(
            text, presentation_.width > used ? presentation_.width - used : 0, glyphs_.ellipsis);
      }
      out_->Append(absl::StrCat(before, presentation_.Paint(Role::kFaint, text), "\n"));
    }
  }

  void PrintLine(absl::string_view glyphs, const NamespaceTree::Node& node) {
    const std::string name = node.has_namespace_() ? NamespaceText(node.namespace_()) : "user:[?]";
    const std::string details = DetailsOf(node);
    std::string line(glyphs);
    if (presentation_.width == 0) {
      absl::StrAppend(&line, Painted(node, name), details, "\n");
    } else {
      const size_t used = base::DisplayWidth(glyphs) + base::DisplayWidth(name);
      const size_t left = presentation_.width > used ? presentation_.width - used : 0;
      absl::StrAppend(&line, Painted(node, name),
                      base::TruncateToWidth(details, left, glyphs_.ellipsis), "\n");
    }
    out_->Append(line);
  }

  std::string Painted(const NamespaceTree::Node& node, const std::string& name) const {
    return presentation_.Paint(RoleOf(node.namespace_().type()), name);
  }

  std::string DetailsOf(const NamespaceTree::Node& node) const {
    if (!node.has_namespace_()) return " (unknown owner)";
    const Namespace& ns = node.namespace_();
    std::string text;
    if (node.leaders().empty()) {
      text = " (no process)";
    } else {
      absl::StrAppend(&text, " ",
                      absl::StrJoin(node.leaders(), ", ",
                                    [&](std::string* out, const NamespaceTree::Leader& leader) {
                                      absl::StrAppend(out, LeaderText(ns, leader));
                                    }));
    }
    if (node.has_owner()) {
      absl::StrAppend(&text, " owned by ", NamespaceText(node.owner()), CreatorText(node.owner()));
    }
    return absl::StrCat(text, CreatorText(ns));
  }

  std::string LeaderText(const Namespace& ns, const NamespaceTree::Leader& leader) const {
    const std::string process =
        absl::StrCat(Quoted(leader.process().name()), " (", PidText(leader.process()), ")");
    std::string text;
    if (ns.has_ealdorman()) {
      text = absl::StrCat("process ", process);
    } else if (ns.loose_threads_size() > 0) {
      text = absl::StrCat("thread ", ns.loose_threads(0), " of ", process);
    } else {
      text = absl::StrCat("for children of ", process);
    }
    if (leader.has_container()) {
      return absl::StrCat(text, " in ", Quoted(LongText(leader.container())));
    }
    // The root cgroup controls nothing.
    if (leader.cgroup().empty() || leader.cgroup() == "/") return text;
    const std::string cgroup =
        presentation_.shorten ? ShortenIds(leader.cgroup(), glyphs_.ellipsis) : leader.cgroup();
    return absl::StrCat(text, " controlled by ", Quoted(cgroup));
  }

  static std::string CreatorText(const Namespace& ns) {
    if (!ns.has_owner_uid()) return "";
    return absl::StrCat(
        " created by UID ", ns.owner_uid(),
        ns.has_owner_user() ? absl::StrCat(" (", Quoted(ns.owner_user()), ")") : "");
  }

  const Presentation& presentation_;
  const bool details_;
  const Glyphs& glyphs_;
  Writer* out_;
};

}  // namespace

void PrintTree(const NamespaceTree& tree, const Presentation& presentation, bool details,
               Writer* out) {
  TreePrinter printer(presentation, details, out);
  for (const NamespaceTree::Node& root : tree.roots()) printer.PrintNode(root, "", "");
}

}  // namespace nsctl::cmd
