// A fake engine that runs as a process of its own, under a name and in namespaces of the test's
// choice.

#ifndef NSCTL_ENGINES_FAKE_ENGINE_PROCESS_H_
#define NSCTL_ENGINES_FAKE_ENGINE_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::engines {

struct FakeEngineSpec {
  // As it is called: "dockerd".
  std::string program = "dockerd";
  // In the folder that Bazel runs tests in. Takes a mode and a socket, reads commands from stdin,
  // and answers each by "ok".
  std::string executable = "engines/fake_engine_program";
  // Its first argument; empty: the path that it is called by.
  std::string title = "";
  // As the executable has it.
  std::string mode = "docker";
  // Where it listens. In a mount namespace of its own /run is its own.
  std::string socket = "";
  std::vector<std::string> containers = {};
  // PID, mount and network namespaces of its own, in which it is process 1.
  bool contained = false;
  // systemd-socket-activate(1) listens, and becomes the engine when somebody connects.
  bool activated = false;
};

class FakeEngineProcess {
 public:
  // Returns once it listens. `folder` is where a link to the program is made. Errors: UNAVAILABLE
  // where it does not start, as without CAP_SYS_ADMIN where it is to be contained.
  static absl::StatusOr<std::unique_ptr<FakeEngineProcess>> Start(const std::string& folder,
                                                                  const FakeEngineSpec& spec);
  FakeEngineProcess(const FakeEngineProcess&) = delete;
  FakeEngineProcess& operator=(const FakeEngineProcess&) = delete;
  // It ends with all its containers.
  ~FakeEngineProcess();

  // "start NAME", "stop NAME". Returns once it is done.
  absl::Status Do(const std::string& command);
  // The same for a command that it is not expected to answer: "end".
  absl::Status Say(const std::string& command);
  // Of what was started: where it is contained, of who contains it.
  pid_t pid() const { return pid_; }

 private:
  FakeEngineProcess() = default;
  absl::Status AwaitOk();

  pid_t pid_ = 0;
  base::OwnedFd to_;
  base::OwnedFd from_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_ENGINE_PROCESS_H_
