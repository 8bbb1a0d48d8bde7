// The arguments of `nsctl fs`: TARGET:PATH, any number of them, each target opened once.

#ifndef NSCTL_CMD_FS_OPERANDS_H_
#define NSCTL_CMD_FS_OPERANDS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/App.hpp"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cmd/container_options.h"
#include "cmd/container_target.h"
#include "cmd/environment.h"
#include "cmd/exit_status.h"
#include "cmd/target.h"
#include "cmd/target_root.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

// The name of the command in messages.
inline constexpr char kFs[] = "fs";

struct FsOperand {
  // What the target is called, as stored text: "1234", "mnt:[4026531841]".
  std::string target;
  // Bytes.
  std::string path;
  const procfsroot::Root* root;

  // Stored text that is an argument of nsctl again: "1234:/etc".
  std::string Name() const { return NameOf(path); }
  // The same for another path in the target.
  std::string NameOf(absl::string_view other_path) const;
};

// Says on stderr what failed, and goes on.
class FsFailures {
 public:
  explicit FsFailures(Environment& env) : env_(env) {}

  void Add(const absl::Status& failure);
  // Of a target that could not be opened.
  void AddTarget(const absl::Status& failure);

  // Of something below an argument, of which there is no end: after some lines they are counted.
  void AddBelow(const absl::Status& failure);
  // Says how many AddBelow kept back, by kind.
  void SayRest();

  bool any() const { return count_ > 0; }

  // kDone without failures; kUnsupported where all are targets that are UNIMPLEMENTED; else
  // kFailed: what a file system does not do (EOPNOTSUPP, ENOSYS of a FUSE server), and EXDEV, say
  // nothing of the kernel.
  ExitStatus status() const;

 private:
  Environment& env_;
  size_t count_ = 0;
  size_t unimplemented_ = 0;
  size_t below_ = 0;
  // By the name of the error.
  std::map<std::string, size_t> rest_;
};

class FsOperands {
 public:
  // Arguments, --timeout and --procfs. `help` says what the arguments are.
  void AddTo(CLI::App* app, const char* help);

  // The words of the command line.
  const std::vector<std::string>& arguments() const { return arguments_; }

  // Checks options and the first `count` arguments, so that wrong usage is told before anything is
  // done. Errors: UsageError.
  absl::Status Parse(size_t count);
  // The same for all arguments, of which there must be one.
  absl::Status Parse();

  // Calls `visit` for each argument that was parsed, in their order. What it returns, and targets
  // that cannot be opened, go to `failures`.
  void ForEach(Environment& env, FsFailures* failures,
               absl::FunctionRef<absl::Status(const FsOperand&)> visit);

  // For each step into a file system; how long is what the user said, or 5 s.
  absl::Duration timeout() const { return timeout_; }
  const std::shared_ptr<procfsroot::BoundedCaller>& caller() const { return caller_; }

 private:
  absl::StatusOr<const procfsroot::Root*> RootOf(const Target& target, Environment& env);

  std::vector<std::string> arguments_;
  std::string procfs_;
  ContainerOptions engines_;
  absl::Duration wait_;
  std::unique_ptr<ContainerTargets> containers_;
  std::string timeout_word_ = "5";
  absl::Duration timeout_;
  std::vector<TargetPath> parsed_;
  std::shared_ptr<procfsroot::BoundedCaller> caller_ =
      std::make_shared<procfsroot::BoundedCaller>();
  // By the name of the target.
  std::map<std::string, absl::StatusOr<TargetRoot>> roots_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_OPERANDS_H_
