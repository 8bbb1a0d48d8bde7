// Which fields a comparison of snapshots looks at.

#ifndef NSCTL_NSDISC_DIFF_FILTER_H_
#define NSCTL_NSDISC_DIFF_FILTER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "nsdisc/diff.h"

namespace nsctl::nsdisc {

// True for fields of Snapshot that are lists of what a host has: those that do not describe the
// scan, or stand for others.
bool IsSection(const google::protobuf::FieldDescriptor& field);

class DiffFilter {
 public:
  // `options` is borrowed.
  explicit DiffFilter(const DiffOptions& options) : options_(options) {}

  // Leaves out the field, too: "processes.threads".
  void LeaveOut(const std::string& word) { limits_.push_back(word); }

  // The field `path` of the elements of `section`, or, where that is empty, the section itself.
  bool IsIgnored(absl::string_view section, absl::string_view path) const;

 private:
  const DiffOptions& options_;
  std::vector<std::string> limits_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DIFF_FILTER_H_
