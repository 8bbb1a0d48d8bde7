#include "cmd/why_dot.h"

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "cmd/dot.h"
#include "cmd/labels.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;

constexpr char kNamespaceStyle[] = "shape=box, style=rounded";
constexpr char kTargetStyle[] = "shape=box, style=\"rounded,bold\"";
constexpr char kDarkStyle[] = "shape=box, style=\"rounded,dashed\"";

class WhyGraph {
 public:
  explicit WhyGraph(Writer* out) : graph_("why", out) {}

  void Write(const WhyAlive& why) {
    for (int i = 0; i < why.namespaces_size(); ++i) {
      AddKept(why.namespaces(i), i < static_cast<int>(why.targets()));
    }
    for (const KeptNamespace& kept : why.namespaces()) {
      const std::string held = NamespaceText(kept.namespace_());
      for (const Holder& holder : kept.holders()) AddHolder(holder, held);
    }
    graph_.End();
  }

 private:
  void AddKept(const KeptNamespace& kept, bool target) {
    const Namespace& ns = kept.namespace_();
    std::vector<std::string> label = {NamespaceText(ns)};
    for (const std::string& name : ns.names()) label.push_back(name);
    if (ns.has_hostname()) label.push_back(ns.hostname());
    if (ns.process_count() > 0) {
      label.push_back(
          absl::StrCat(ns.process_count(), ns.process_count() == 1 ? " process" : " processes"));
    }
    if (ns.dark()) label.emplace_back("held by nothing in sight");
    known_.insert(label[0]);
    graph_.AddNode(label[0], label,
                   target ? kTargetStyle : (ns.dark() ? kDarkStyle : kNamespaceStyle));
  }

  void AddHolder(const Holder& holder, const std::string& held) {
    std::string from;
    if (holder.has_namespace_()) {
      Namespace ns;
      ns.set_type(holder.namespace_().type());
      ns.set_inode(holder.namespace_().inode());
      from = NamespaceText(ns);
      if (known_.insert(from).second) graph_.AddNode(from, {from}, kNamespaceStyle);
    } else {
      from = absl::StrCat("process ", holder.pid());
      if (known_.insert(from).second) {
        nsdisc::Process process;
        process.set_pid(holder.pid());
        *process.mutable_namespaced_pids() = holder.namespaced_pids();
        graph_.AddNode(from, {holder.name(), PidText(process)}, "");
      }
    }
    graph_.AddEdge(from, held, EdgeText(holder));
  }

  static std::string EdgeText(const Holder& holder) {
    std::string text = holder.kind();
    if (holder.has_bind_mount()) {
      return absl::StrCat(text, " ", holder.bind_mount().path(),
                          holder.bind_mount().hidden() ? " (hidden)" : "");
    }
    if (holder.has_fd()) absl::StrAppend(&text, " ", holder.fd().fd());
    if (!holder.has_tid()) return text;
    return holder.kind() == "thread" ? absl::StrCat("thread ", holder.tid())
                                     : absl::StrCat(text, " of thread ", holder.tid());
  }

  DotGraph graph_;
  absl::flat_hash_set<std::string> known_;
};

}  // namespace

void WriteWhyGraph(const WhyAlive& why, Writer* out) { WhyGraph(out).Write(why); }

}  // namespace nsctl::cmd
