// Says on stderr what a result lacks.

#ifndef NSCTL_CMD_GAP_REPORT_H_
#define NSCTL_CMD_GAP_REPORT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cmd/environment.h"
#include "cmd/exit_status.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

using Gaps = google::protobuf::RepeatedPtrField<nsdisc::Gap>;

// One line for each kind of gap (subject's kind, operation, error, consequence), in the order of
// their first gaps:
//   missing: 12 processes (first pid:1): readlinkat ns/net: EACCES: its namespaces are unknown
// A snapshot from a stranger may hold any number of kinds: what is past the twentieth is counted in
// a last line.
std::vector<std::string> DescribeGaps(const Gaps& gaps);

// Ends a command whose result is written: flushes stdout, then complains of `gaps`. kGaps where
// there are any and `strict` is set.
ExitStatus FinishWithGaps(Environment& env, absl::string_view command, const Gaps& gaps,
                          bool strict);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_GAP_REPORT_H_
