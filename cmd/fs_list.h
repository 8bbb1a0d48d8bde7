// Lists directories of another root, as `nsctl fs ls` shows them.

#ifndef NSCTL_CMD_FS_LIST_H_
#define NSCTL_CMD_FS_LIST_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/fs.pb.h"
#include "cmd/fs_operands.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/snapshot.pb.h"
#include "procfsroot/bounded_call.h"

namespace nsctl::cmd {

inline constexpr size_t kDefaultMaxEntries = 1000000;
// So many bytes are paths, names and links of an entry, at most, on average.
inline constexpr size_t kMaxBytesPerEntry = 512;
// The names of one directory take as long as one step may, and what they are so often as long.
inline constexpr int kLookTimeouts = 4;

struct FsListOptions {
  // Names that begin with a dot as well; and "." and "..".
  bool hidden = false;
  bool dots = false;
  // More than names: without it only `name` and `path` of each entry are filled.
  bool details = false;
  enum class Order { kName, kTime, kSize };
  Order order = Order::kName;
  bool reverse = false;
  // Directories below as well, links not followed.
  bool recursive = false;
  bool same_mount = false;
  // Of entries, in all. A directory may have no end, and a tree none.
  size_t max_entries = kDefaultMaxEntries;
  std::shared_ptr<procfsroot::BoundedCaller> caller;
  absl::Duration timeout;
};

// The file at the operand; follow: where a symlink leads to. That the text of a symlink cannot be
// read is added to `gaps`. Errors: those of Root::Stat.
absl::StatusOr<FsFile> LookAtFile(const FsOperand& operand, bool follow,
                                  google::protobuf::RepeatedPtrField<nsdisc::Gap>* gaps);

// Lists the directory at `operand`, which may be a symlink to one, and hands it to `take`, then, if
// asked for, those below it, each before its children, in the order of the entries. What of an
// entry or of a directory below could not be read is added to `gaps`, and so is what is left out
// past the limits of `options`; entries that vanish meanwhile are left out. `entries` counts those
// that were listed, by earlier calls as well. Errors: of `operand` itself.
absl::Status ListFiles(const FsOperand& operand, const FsListOptions& options, size_t* entries,
                       google::protobuf::RepeatedPtrField<nsdisc::Gap>* gaps,
                       absl::FunctionRef<void(const FsDirectory&)> take);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_LIST_H_
