#include "cmd/why_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "cmd/tree_branches.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;

using NamespaceKey = std::pair<Namespace::Type, uint32_t>;

// So many holders of one kind are shown.
constexpr uint32_t kShown = 10;

NamespaceKey KeyOf(const Namespace& ns) { return {ns.type(), ns.inode()}; }

std::string NameText(const NamespaceName& name) {
  Namespace ns;
  ns.set_type(name.type());
  ns.set_inode(name.inode());
  return NamespaceText(ns);
}

const char* ConclusionOf(KeptNamespace::Verdict verdict) {
  switch (verdict) {
    case KeptNamespace::never_ends:
      return "never ends: the kernel made it at boot";
    case KeptNamespace::held_in_sight:
      return "ends with these, unless a descriptor on its way between processes, or the kernel "
             "itself, holds it too";
    case KeptNamespace::may_have_more:
      return "may have more holders:";
    case KeptNamespace::dark:
      return "is held by nothing in sight, so by a descriptor on its way between processes, by "
             "something inside of the kernel, or by what could not be looked at";
    case KeptNamespace::ended:
      return "lost its holders while they were looked at";
    default:
      return "is held in a way that this nsctl does not know";
  }
}

class WhyPrinter {
 public:
  WhyPrinter(const WhyAlive& why, bool all, const Presentation& presentation, Writer* out)
      : why_(why), all_(all), presentation_(presentation), out_(out) {
    for (const KeptNamespace& kept : why.namespaces()) kept_[KeyOf(kept.namespace_())] = &kept;
  }

  void Print() {
    const int targets = std::min(static_cast<int>(why_.targets()), why_.namespaces_size());
    for (int i = 0; i < targets; ++i) {
      if (i > 0) out_->Append("\n");
      PrintTarget(why_.namespaces(i));
    }
  }

 private:
  // A line of the tree; `role` is that of its first `painted` bytes.
  struct Row {
    uint32_t depth;
    std::string text;
    Role role = Role::kPlain;
    size_t painted = 0;
  };

  // What is still to be drawn of a namespace, and where.
  struct Pending {
    const KeptNamespace* kept;
    uint32_t depth;
    int next = 0;
    // Holders of the kind of `next` that were drawn.
    uint32_t shown = 0;
    // A row counts its processes, below which they are listed.
    bool counted = false;
  };

  void PrintTarget(const KeptNamespace& target) {
    rows_.clear();
    const Namespace& ns = target.namespace_();
    const std::string name = NamespaceText(ns);
    rows_.push_back({0,
                     absl::StrCat(name, ns.initial() ? " (initial)" : "", NamespaceFactsText(ns)),
                     RoleOf(ns.type()), name.size()});
    std::vector<Pending> stack;
    Open(target, 1, &stack);
    while (!stack.empty()) {
      Pending& top = stack.back();
      if (top.next == top.kept->holders_size()) {
        stack.pop_back();
        continue;
      }
      DrawNext(&top, &stack);
    }
    Flush(presentation_.width);

    // Never cut: it is what was asked for.
    rows_.push_back({0, absl::StrCat(name, " ", ConclusionOf(target.verdict()))});
    if (target.verdict() == KeptNamespace::may_have_more ||
        target.verdict() == KeptNamespace::dark) {
      for (const std::string& line : target.unseen()) rows_.push_back({1, line});
    }
    Flush(0);
  }

  // Begins with what holds `kept`. Processes that are not listed are counted.
  void Open(const KeptNamespace& kept, uint32_t depth, std::vector<Pending>* stack) {
    drawn_.insert(KeyOf(kept.namespace_()));
    stack->push_back({&kept, depth});
    const uint32_t count = kept.namespace_().process_count();
    uint32_t listed = 0;
    for (const Holder& holder : kept.holders()) listed += holder.kind() == "process" ? 1 : 0;
    if (count <= listed) return;
    stack->back().counted = true;
    rows_.push_back({depth, absl::StrCat(count, count == 1 ? " process" : " processes",
                                         listed == 0 ? "" : ", led by")});
  }

  // May move `pending`, which is the last of `stack`.
  void DrawNext(Pending* pending, std::vector<Pending>* stack) {
    const KeptNamespace& kept = *pending->kept;
    const Holder& holder = kept.holders(pending->next);
    const bool counted = pending->counted && holder.kind() == "process";
    const uint32_t depth = pending->depth + (counted ? 1 : 0);
    const bool first =
        pending->next == 0 || kept.holders(pending->next - 1).kind() != holder.kind();
    if (first) pending->shown = 0;
    const bool relative = holder.has_namespace_() && !holder.has_bind_mount();
    if (!all_ && !relative && pending->shown == kShown) {
      const int begin = pending->next;
      while (pending->next < kept.holders_size() &&
             kept.holders(pending->next).kind() == holder.kind()) {
        ++pending->next;
      }
      rows_.push_back({depth, absl::StrCat("and ", pending->next - begin, " more of kind ",
                                           holder.kind(), " (--all shows them)")});
      return;
    }
    ++pending->next;
    ++pending->shown;
    rows_.push_back({depth, HolderText(holder)});
    if (holder.has_namespace_()) OpenHolder(holder, depth, stack);
  }

  // The namespace that holds, where it is known: once.
  void OpenHolder(const Holder& holder, uint32_t depth, std::vector<Pending>* stack) {
    const NamespaceKey key(holder.namespace_().type(), holder.namespace_().inode());
    const auto found = kept_.find(key);
    std::string& text = rows_.back().text;
    if (drawn_.contains(key)) {
      absl::StrAppend(&text, ", see above");
      return;
    }
    if (found == kept_.end()) {
      if (holder.namespace_().initial()) absl::StrAppend(&text, ", which the kernel made at boot");
      return;
    }
    const KeptNamespace& kept = *found->second;
    if (kept.distance() > 0 && !holder.has_bind_mount()) {
      absl::StrAppend(&text, NamespaceFactsText(kept.namespace_()));
    }
    if (kept.verdict() == KeptNamespace::dark) absl::StrAppend(&text, ", held by nothing in sight");
    Open(kept, depth + 1, stack);
  }

  // Cuts lines to `width`, unless that is 0.
  void Flush(size_t width) {
    std::vector<uint32_t> depths;
    for (const Row& row : rows_) depths.push_back(row.depth);
    const std::vector<std::string> branches = DrawBranches(depths, *presentation_.glyphs);
    for (size_t i = 0; i < rows_.size(); ++i) Append(branches[i], rows_[i], width);
    rows_.clear();
  }

  void Append(const std::string& branch, const Row& row, size_t width) {
    const absl::string_view text = row.text;
    std::string rest(text.substr(row.painted));
    if (width > 0) {
      const size_t used =
          base::DisplayWidth(branch) + base::DisplayWidth(text.substr(0, row.painted));
      rest = base::TruncateToWidth(rest, width > used ? width - used : 0,
                                   presentation_.glyphs->ellipsis);
    }
    out_->Append(absl::StrCat(branch, presentation_.Paint(row.role, text.substr(0, row.painted)),
                              rest, "\n"));
  }

  const WhyAlive& why_;
  const bool all_;
  const Presentation& presentation_;
  Writer* out_;
  absl::flat_hash_map<NamespaceKey, const KeptNamespace*> kept_;
  absl::flat_hash_set<NamespaceKey> drawn_;
  std::vector<Row> rows_;
};

}  // namespace

std::string HolderTaskText(const Holder& holder) {
  std::string text;
  if (holder.has_tid()) absl::StrAppend(&text, "thread ", holder.tid());
  if (!holder.has_pid()) return text;
  nsdisc::Process process;
  process.set_pid(holder.pid());
  *process.mutable_namespaced_pids() = holder.namespaced_pids();
  absl::StrAppend(&text, text.empty() ? "" : " of ", Quoted(holder.name()), " (", PidText(process),
                  ")");
  if (holder.has_container()) {
    absl::StrAppend(&text, " in ", Quoted(LongText(holder.container())));
  }
  return text;
}

std::string HolderText(const Holder& holder) {
  const std::string task = HolderTaskText(holder);
  const std::string& kind = holder.kind();
  const std::string name = holder.has_namespace_() ? NameText(holder.namespace_()) : "";
  if (holder.has_bind_mount()) {
    return absl::StrCat("mounted at ", Quoted(holder.bind_mount().path()), " in ", name,
                        holder.bind_mount().hidden() ? " (hidden)" : "");
  }
  if (holder.has_namespace_()) return absl::StrCat(base::TerminalText(kind), " ", name);
  if (kind == "for-children") return absl::StrCat("for children of ", task);
  if (!holder.has_fd()) return holder.has_tid() ? task : absl::StrCat("process ", task);
  const nsdisc::FdHolder& descriptor = holder.fd();
  const std::string where = absl::StrCat(" ", descriptor.fd(), " of ", task);
  if (kind == "tun") return absl::StrCat("TUN/TAP descriptor", where);
  if (kind == "pidfd") {
    return absl::StrCat(
        "pidfd", where,
        descriptor.has_target_pid() ? absl::StrCat(", for process ", descriptor.target_pid()) : "");
  }
  if (descriptor.kind() == nsdisc::FdHolder::io_uring) {
    return absl::StrCat("registered with io_uring descriptor", where);
  }
  if (kind != "socket") return absl::StrCat("descriptor", where);
  return absl::StrCat(
      "socket:[", descriptor.socket_inode(), "], descriptor", where,
      descriptor.count() > 1 ? absl::StrCat(" and ", descriptor.count() - 1, " more") : "");
}

std::string NamespaceFactsText(const Namespace& ns) {
  std::string text;
  for (const std::string& name : ns.names()) absl::StrAppend(&text, " ", Quoted(name));
  if (ns.has_nsid()) absl::StrAppend(&text, " nsid ", ns.nsid());
  if (ns.has_hostname()) absl::StrAppend(&text, " host name ", Quoted(ns.hostname()));
  if (ns.has_owner_uid()) {
    absl::StrAppend(&text, " created by UID ", ns.owner_uid());
    if (ns.has_owner_user()) absl::StrAppend(&text, " (", Quoted(ns.owner_user()), ")");
  }
  return text;
}

void PrintWhy(const WhyAlive& why, bool all, const Presentation& presentation, Writer* out) {
  WhyPrinter(why, all, presentation, out).Print();
}

}  // namespace nsctl::cmd
