#include "cmd/caps_rule.h"

#include <cstddef>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "cmd/labels.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::SnapshotIndex;

// What uids look like that the scanner's user namespace has no mapping for.
constexpr uint32_t kOverflowUid = 65534;

std::string UserText(uint32_t inode) {
  return base::NamespaceLinkText(NamespaceType::kUser, inode);
}

const Namespace* FindUser(const SnapshotIndex& index, uint32_t inode) {
  return index.FindNamespace(NamespaceType::kUser, inode);
}

bool IsInitial(const SnapshotIndex& index, uint32_t inode) {
  const Namespace* const ns = FindUser(index, inode);
  return ns != nullptr && ns->initial();
}

// A scanner that sees the initial user namespace is in it, and has a mapping for every uid.
bool AreUidsExact(const SnapshotIndex& index) {
  return absl::c_any_of(index.snapshot().namespaces(), [](const Namespace& ns) {
    return ns.type() == Namespace::user && ns.initial();
  });
}

CapsRuling Unknown(const std::string& reason) { return {CapabilityReport::unknown, reason}; }

// `top` is directly below the process's own user namespace, and the target's is `top` or below.
CapsRuling RuleBelow(const SnapshotIndex& index, const Process& process, uint32_t own,
                     uint32_t user, uint32_t top) {
  const Namespace* const ns = FindUser(index, top);
  if (ns == nullptr || !ns->has_owner_uid()) {
    return Unknown(absl::StrCat("who created ", UserText(top), " is unknown"));
  }
  if (!process.has_uid()) return Unknown("its effective UID is unknown");
  const bool same = ns->owner_uid() == process.uid();
  if (same && process.uid() == kOverflowUid && !AreUidsExact(index)) {
    return Unknown(absl::StrCat("its effective UID and that of the creator of ", UserText(top),
                                " have no mapping in the scanner's user namespace"));
  }
  const std::string place =
      user == top ? absl::StrCat(UserText(top), " directly below its own ", UserText(own))
                  : absl::StrCat(UserText(top), " directly below its own ", UserText(own),
                                 " and above ", UserText(user));
  if (same) {
    return {CapabilityReport::creator,
            absl::StrCat("its effective UID ", process.uid(), " created ", place)};
  }
  return {CapabilityReport::descendant,
          absl::StrCat("UID ", ns->owner_uid(), ", not its effective UID ", process.uid(),
                       ", created ", place, ", so that its effective set counts")};
}

}  // namespace

std::optional<uint32_t> UserNamespaceFor(const Namespace& ns) {
  if (ns.type() == Namespace::user) return ns.inode();
  if (ns.has_owner()) return ns.owner();
  return std::nullopt;
}

std::vector<uint32_t> UserNamespacesUpFrom(const SnapshotIndex& index, uint32_t inode) {
  std::vector<uint32_t> chain = {inode};
  const Namespace* ns = FindUser(index, inode);
  // Chains end: CheckSnapshot has seen to that.
  while (ns != nullptr && ns->has_parent()) {
    chain.push_back(ns->parent());
    ns = FindUser(index, ns->parent());
  }
  return chain;
}

CapsRuling RuleOn(const SnapshotIndex& index, const Process& process, const Namespace& target) {
  const std::optional<uint32_t> user = UserNamespaceFor(target);
  if (!user.has_value()) {
    return Unknown(
        absl::StrCat("which user namespace owns ", NamespaceText(target), " is unknown"));
  }
  if (!process.namespaces().has_user()) {
    return Unknown(absl::StrCat("its user namespace is unknown",
                                process.namespaces_error().empty()
                                    ? ""
                                    : absl::StrCat(" (", process.namespaces_error(), ")")));
  }
  const uint32_t own = process.namespaces().user();
  if (own == *user) {
    return {CapabilityReport::own, absl::StrCat(UserText(own), " is its own user namespace")};
  }
  const std::vector<uint32_t> up = UserNamespacesUpFrom(index, *user);
  const auto found = absl::c_find(up, own);
  if (found != up.end()) return RuleBelow(index, process, own, *user, *(found - 1));

  const std::vector<uint32_t> own_up = UserNamespacesUpFrom(index, own);
  if (absl::c_linear_search(own_up, *user)) {
    return {CapabilityReport::ancestor,
            absl::StrCat(UserText(*user), " is above its own ", UserText(own))};
  }
  // Its own is none of those above the target's if those are all known, or if what is above the
  // topmost of them is above its own as well.
  if (IsInitial(index, up.back()) || up.back() == own_up.back()) {
    return {CapabilityReport::unrelated,
            absl::StrCat("neither of ", UserText(*user), " and its own ", UserText(own),
                         " is above the other")};
  }
  return Unknown(absl::StrCat("whether its own ", UserText(own), " is above ", UserText(*user),
                              " is unknown"));
}

}  // namespace nsctl::cmd
