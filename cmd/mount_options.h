// The options of `nsctl mounts` that say which mounts are shown.

#ifndef NSCTL_CMD_MOUNT_OPTIONS_H_
#define NSCTL_CMD_MOUNT_OPTIONS_H_

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "cmd/mount_list.h"

namespace nsctl::cmd {

class MountOptions {
 public:
  void AddTo(CLI::App* app);

  // What was asked for, but for what only the host can tell: see the next ones. Errors: UsageError.
  absl::StatusOr<MountSelection> Resolve() const;

  // Of -T and -M, as given; empty where they were not.
  const std::string& target_path() const { return target_; }
  const std::string& mount_point() const { return mount_point_; }
  // Of --holding and of --source-device; bytes.
  const std::string& holding() const { return holding_; }
  const std::string& source_device() const { return source_device_; }

  bool propagation() const { return propagation_; }

 private:
  std::vector<std::string> types_;
  std::vector<std::string> sources_;
  std::vector<std::string> options_;
  std::string source_device_;
  std::string target_;
  std::string mount_point_;
  std::string holding_;
  bool submounts_ = false;
  bool shadowed_ = false;
  bool pseudo_ = false;
  bool real_ = false;
  bool propagation_ = false;
};

// The words of findmnt's -t: "ext4,proc"; "no" before the first means none of them all. Names with
// it before them are the result then.
std::vector<std::string> ParseFsTypes(const std::vector<std::string>& lists);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_OPTIONS_H_
