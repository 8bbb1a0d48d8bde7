// The base of tests against real engines: one in a sandbox, watched as the library watches it.

#ifndef NSCTL_ENGINES_TEST_REAL_ENGINE_H_
#define NSCTL_ENGINES_TEST_REAL_ENGINE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/engine_client.h"
#include "engines/engine_link.h"
#include "engines/engine_watcher.h"
#include "engines/http_client.h"
#include "engines/test_sandbox.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// Whether it becomes true within a minute.
bool AwaitMinute(absl::FunctionRef<bool()> condition);

class RealEngineTest : public ::testing::Test {
 protected:
  using ClientMaker = std::function<std::unique_ptr<EngineClient>(Connector)>;

  void SetUp() override;

  // Watches the engine at the sandbox's path `socket` until it is in sync.
  void Watch(const std::string& socket, Engine::Type type, const ClientMaker& make_client);
  bool IsReady() const;

  // The containers known, described by `describe`, in order.
  std::vector<std::string> Known(
      const std::function<std::string(const Container&)>& describe) const;
  // The PID as processes in the sandbox count; -1 where it is not one of theirs.
  int InSandbox(int pid) const;

  // What the engine that is watched lists of containers that do not run, described by `describe`,
  // in order.
  std::vector<std::string> Stopped(const ClientMaker& make_client,
                                   const std::function<std::string(const Container&)>& describe);

  // The next changes of containers: "started web", "updated web stopping", "exited web 137".
  std::vector<std::string> AwaitChanges(size_t count);
  // The same without that a container is stopping, which is seen by who looks between the signal
  // and the end.
  std::vector<std::string> AwaitChangesButStopping(size_t count);

  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  std::unique_ptr<TestSandbox> sandbox_;
  ContainerHub hub_;
  std::unique_ptr<ContainerHub::Subscription> subscription_ = hub_.Subscribe();
  // Into the sandbox's mount namespace.
  std::unique_ptr<EngineLink> link_;
  std::unique_ptr<EngineWatcher> watcher_;
};

// The lines of `text`, in order; none where it is empty.
std::vector<std::string> SortedLines(absl::string_view text);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_TEST_REAL_ENGINE_H_
