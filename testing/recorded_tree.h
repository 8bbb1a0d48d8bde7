// Recorded trees: a procfs, or a part of one, in one text file.
//
// A recorded tree cannot be checked in as a directory: links such as ns/net -> net:[4026531840]
// dangle, names may hold any byte, and Git and Bazel keep neither. tools/record_procfs writes one;
// docs/testing.md says how. Its lines:
//
//   # comment                          anywhere
//   d PATH                             a directory; those above an entry need none of their own
//   f PATH                             a file, whose content is the lines that follow:
//   |TEXT                                TEXT and a newline
//   :TEXT                                TEXT without a newline
//   l PATH TARGET                      a symbolic link
//   n TYPE INODE KEY=VALUE...          what only ioctls tell of a namespace; see fake_lineage.h
//
// PATH, TARGET and TEXT are printable ASCII in which \xHH (lower case) stands for any byte and
// \\ for a backslash; a blank in PATH is \x20. Paths are relative and hold no "." or "..".

#ifndef NSCTL_TESTING_RECORDED_TREE_H_
#define NSCTL_TESTING_RECORDED_TREE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nsctl::testing {

struct RecordedEntry {
  enum class Kind { kDirectory, kFile, kLink };

  Kind kind = Kind::kDirectory;
  std::string path;
  // A file's content or a link's target.
  std::string content;

  friend bool operator==(const RecordedEntry&, const RecordedEntry&) = default;
};

// One line of kind `n`, not looked into.
struct RecordedNamespace {
  // Its number, from 1.
  size_t line = 0;
  // What follows "n ".
  std::string text;

  friend bool operator==(const RecordedNamespace&, const RecordedNamespace&) = default;
};

struct RecordedTree {
  // In the order of the text.
  std::vector<RecordedEntry> entries;
  std::vector<RecordedNamespace> namespaces;
};

// INVALID_ARGUMENT, naming the line by number, for anything else than the lines above.
absl::StatusOr<RecordedTree> ParseRecordedTree(absl::string_view text);

// Makes the entries of the recorded tree `text` below `directory`, which is made where it is not
// there; files get the mode 0444. ALREADY_EXISTS where an entry is there: each tree wants a
// directory of its own.
absl::Status UnpackRecordedTree(absl::string_view text, const std::string& directory);

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_RECORDED_TREE_H_
