// The base of tests that follow a fake engine with a real watcher.

#ifndef NSCTL_ENGINES_TEST_WATCH_H_
#define NSCTL_ENGINES_TEST_WATCH_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/engine_watcher.h"
#include "engines/http_client.h"
#include "gtest/gtest.h"

namespace nsctl::engines {

// What only a fault makes last so long.
inline constexpr absl::Duration kLong = absl::Seconds(30);

// Whether it becomes true before that.
bool Await(absl::FunctionRef<bool()> condition);

CallLimits LimitsFor(absl::Duration time = kLong);

class WatchTest : public ::testing::Test {
 protected:
  // Ends the watcher, which uses what the test has.
  void TearDown() override { watcher_.reset(); }

  // Follows an engine, with attempts, lists and calls (`call_timeout_`) in quick succession.
  void Watch(Engine::Type type, std::unique_ptr<EngineClient> client,
             std::unique_ptr<ProcessFinder> finder);
  bool IsReady() const;

  // The containers known, described by `describe`, in order.
  std::vector<std::string> Known(
      const std::function<std::string(const Container&)>& describe) const;
  // All changes of containers so far: "started web", "exited web 137".
  std::vector<std::string> Changes();

  absl::Duration call_timeout_ = absl::Seconds(5);
  ContainerHub hub_;
  std::unique_ptr<ContainerHub::Subscription> subscription_ = hub_.Subscribe();
  std::unique_ptr<EngineWatcher> watcher_;

 private:
  std::vector<std::string> changes_;
};

// Runs `hook` when it is called for the first time.
std::function<void()> Once(std::function<void()> hook);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_TEST_WATCH_H_
