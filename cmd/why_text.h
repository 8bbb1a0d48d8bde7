// What `nsctl why` answers, for people.

#ifndef NSCTL_CMD_WHY_TEXT_H_
#define NSCTL_CMD_WHY_TEXT_H_

#include <string>

#include "cmd/presentation.h"
#include "cmd/why.pb.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// "descriptor 7 of \"keeper\" (40)", "owned net:[4026532730]". Safe for a terminal.
std::string HolderText(const Holder& holder);

// "\"keeper\" (40)", or of a thread "thread 42 of \"keeper\" (40)". Safe for a terminal.
std::string HolderTaskText(const Holder& holder);

// What tells a namespace from others of its type, beside its number: names and nsid, host name,
// creator. Empty, or begins with a blank. Safe for a terminal.
std::string NamespaceFactsText(const nsdisc::Namespace& ns);

// One line per namespace that was asked for and per holder, below what it holds, and what is to be
// concluded:
//   net:[4026532732] "a b" nsid 0
//   ├─ mounted at "/run/netns/a b" in mnt:[4026531832], which the kernel made at boot
//   └─ mounted at "/mnt/x" in mnt:[4026532700] (hidden)
//      └─ mounted at "/run/snapd/ns/a.mnt" in mnt:[4026531832], which the kernel made at boot
//   net:[4026532732] ends with these, unless ...
// Of more than ten holders of one kind, but namespaces, only the first, unless `all`.
void PrintWhy(const WhyAlive& why, bool all, const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WHY_TEXT_H_
