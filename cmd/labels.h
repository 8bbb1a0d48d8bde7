// Short texts for namespaces and processes, as tables and trees show them.
//
// Results are stored text (base/text.h), ready for Table or base::TerminalText, unless a function
// says otherwise.

#ifndef NSCTL_CMD_LABELS_H_
#define NSCTL_CMD_LABELS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/process.pb.h"

namespace nsctl::cmd {

// "net"; "?" for a type from a newer schema.
std::string TypeText(const nsdisc::Namespace& ns);

// "net:[4026531840]".
std::string NamespaceText(const nsdisc::Namespace& ns);

// The arguments, blank-separated; "[name]" for kernel threads; "name <defunct>" for zombies; the
// name where the arguments were not read or there are none.
std::string CommandText(const nsdisc::Process& process);

// The user's name, else the uid; empty where unknown.
std::string UserText(const nsdisc::Process& process);

// "6427/235/7": the PID, then those in inner PID namespaces.
std::string PidText(const nsdisc::Process& process);

// `text` in double quotes that it cannot break out of: safe for a terminal.
std::string Quoted(absl::string_view text);

// `text` with every word of exactly 64 hexadecimal digits, as container engines make them, cut to
// its first 12 and `ellipsis`.
std::string ShortenIds(absl::string_view text, absl::string_view ellipsis);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LABELS_H_
