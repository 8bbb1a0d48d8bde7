// A place for a real container engine, for the length of a test: PID, mount and network namespaces
// of its own, a /run of its own, and a folder for its data. When it ends everything in it ends, and
// nothing of it stays.
//
//   NSCTL_ASSERT_OK_AND_ASSIGN(auto sandbox, TestSandbox::Make());
//   NSCTL_ASSERT_OK_AND_ASSIGN(auto daemon, sandbox->Start({"dockerd", "--data-root", ...}));
//   ASSERT_THAT(sandbox->Run({"docker", "ps"}), IsOkAndHolds(...));

#ifndef NSCTL_ENGINES_TEST_SANDBOX_H_
#define NSCTL_ENGINES_TEST_SANDBOX_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"

namespace nsctl::engines {

class TestSandbox {
 public:
  // Needs root. Errors: those of what it starts.
  static absl::StatusOr<std::unique_ptr<TestSandbox>> Make();
  TestSandbox(const TestSandbox&) = delete;
  TestSandbox& operator=(const TestSandbox&) = delete;
  ~TestSandbox();

  // The process 1 of its PID namespace, as the test counts.
  base::Pid init() const { return base::Pid{init_}; }
  // For data; the same path inside and outside.
  const std::string& folder() const { return folder_; }
  // Name of a cgroup that is the sandbox's alone, for engines that take a parent for theirs.
  const std::string& cgroup() const { return cgroup_; }

  // Runs a command in it to its end; what it writes to stdout, without the last newline. Errors:
  // UNKNOWN with what it wrote to stderr where it fails; DEADLINE_EXCEEDED.
  absl::StatusOr<std::string> Run(const std::vector<std::string>& command,
                                  absl::Duration timeout = absl::Seconds(60));

  // Starts a command that stays; its PID as the test counts. Its output is in folder()/NAME.log.
  absl::StatusOr<base::Pid> Start(const std::vector<std::string>& command);
  // Sends SIGTERM to it, and waits for its end.
  absl::Status Stop(base::Pid daemon);

  // A root file system with busybox alone, as a tar file: "FOLDER/busybox.tar".
  absl::StatusOr<std::string> MakeBusyboxTar();

 private:
  TestSandbox() = default;

  std::vector<std::string> Entered(const std::vector<std::string>& command) const;

  pid_t unshare_ = 0;
  pid_t init_ = 0;
  std::string folder_;
  std::string cgroup_;
  // What was started, and the nsenter that waits for it.
  struct Daemon {
    pid_t pid = 0;
    pid_t nsenter = 0;
  };
  std::vector<Daemon> daemons_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_TEST_SANDBOX_H_
