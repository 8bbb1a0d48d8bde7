// Copies files and trees out of another root.
//
// The source may be hostile, and somebody may change both sides meanwhile: see tree_directory.h for
// what keeps the reading inside of the root, copy_destination.h for the writing.

#ifndef NSCTL_CMD_FS_COPY_H_
#define NSCTL_CMD_FS_COPY_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cmd/copy_destination.h"
#include "cmd/copy_progress.h"
#include "cmd/fs_operands.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/snapshot.pb.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/bounded_file.h"
#include "procfsroot/tree_directory.h"

namespace nsctl::cmd {

struct CopyOptions {
  bool recursive = false;
  // Copy what an operand that is a symlink leads to, not the link.
  bool follow = false;
  // Modes and times of the source; without it modes are cut by `umask`.
  bool preserve = false;
  // Numbers of users and groups as well.
  bool owner = false;
  // Set-user-ID and set-group-ID bits as well, as far as the mode is taken.
  bool set_id = false;
  bool same_mount = false;
  // A copy does not take the place of another one of the same FsCopier.
  bool keep_made = false;
  // Of one file, in bytes; larger ones are failures.
  uint64_t limit = std::numeric_limits<uint64_t>::max();
  mode_t umask = 022;
  std::shared_ptr<procfsroot::BoundedCaller> caller;
  absl::Duration timeout;
  // Asked between pieces: the copy is to end.
  std::function<bool()> is_cancelled = [] { return false; };
  // Told of every file and link that was made: stored text of source and destination.
  std::function<void(absl::string_view, absl::string_view)> on_copied = [](absl::string_view,
                                                                           absl::string_view) {};
};

class FsCopier {
 public:
  // What fails below an operand goes to `fail` and the copy goes on; what is no file, directory or
  // symlink goes to `gaps`.
  FsCopier(CopyOptions options, CopyProgress* progress,
           google::protobuf::RepeatedPtrField<nsdisc::Gap>* gaps,
           std::function<void(const absl::Status&)> fail)
      : options_(std::move(options)), progress_(progress), gaps_(gaps), fail_(std::move(fail)) {}

  // Copies what is at `operand` into the directory `destination` under `name`; with a slash at its
  // end only a directory has that name. A directory whose `name` is empty becomes `destination`
  // itself. Errors: of the operand itself: those of Root; FAILED_PRECONDITION where it is none of
  // the three; EISDIR for a directory without `recursive`; CANCELLED.
  absl::Status Copy(const FsOperand& operand, const CopyDestination& destination,
                    const std::string& name);

 private:
  struct Frame;

  absl::Status CopyTree(const FsOperand& operand, const CopyDestination& destination,
                        const std::string& name);
  absl::StatusOr<Frame> EnterTree(procfsroot::TreeDirectory source, const struct statx& status,
                                  const CopyDestination& destination, const std::string& name);
  // The next entry of the last of `frames`; ends that frame where there is none.
  absl::Status Step(std::vector<Frame>* frames);
  absl::Status CopyEntry(std::vector<Frame>* frames, const std::string& name);
  absl::Status CopyFile(procfsroot::BoundedFile* source, const std::string& content,
                        const struct statx& status, const std::string& shown,
                        const CopyDestination& destination, const std::string& name);
  absl::Status CopyContent(procfsroot::BoundedFile* source, uint64_t size, const NewFile& file);
  absl::Status CopyPieces(procfsroot::BoundedFile* source, const procfsroot::DataExtent& extent,
                          const NewFile& file, uint64_t* offset);
  absl::Status CopyLink(const std::string& text, const struct statx& status,
                        const std::string& shown, const CopyDestination& destination,
                        const std::string& name);
  // What `destination` has under `name` was not made by this object. `shown`: what is to be copied.
  absl::Status CheckNotMade(const CopyDestination& destination, const std::string& name,
                            absl::string_view shown) const;
  // It was.
  void SetMade(const std::string& shown, const CopyDestination& destination,
               const std::string& name);
  CopyAttributes AttributesOf(const struct statx& status) const;
  absl::Status CheckGoOn(uint64_t offset, absl::string_view path) const;
  void SkipSpecial(const std::string& shown, const struct statx& status);
  void AddGap(const std::string& shown, const char* error, const char* consequence);
  // What is not mounted is a gap; else `fail` is told.
  void Fail(const absl::Status& failure, const std::string& shown);
  static std::string ShownIn(const Frame& frame, const std::string& name);

  CopyOptions options_;
  // With options_.keep_made: names in directories.
  std::set<std::tuple<dev_t, ino_t, std::string>> made_;
  CopyProgress* progress_;
  google::protobuf::RepeatedPtrField<nsdisc::Gap>* gaps_;
  std::function<void(const absl::Status&)> fail_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_COPY_H_
