// Monitors that are processes of their own, followed as the portfolio follows them.

#include "engines/lxc/lxc_engines.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/engine_finder.h"
#include "engines/engine_watcher.h"
#include "engines/fake_engine_process.h"
#include "engines/process_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::lxc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

class LxcEnginesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to look into other processes";
    ASSERT_NE(mkdtemp(directory_), nullptr);
    Restart({});
  }
  void TearDown() override {
    watchers_.clear();
    monitors_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void Restart(EnginesOptions options) {
    options.watcher.call_timeout = absl::Seconds(5);
    // LXC's locks, by which it is heard of what happens, are not touched here.
    options.interval = absl::Milliseconds(20);
    options.watcher.sync.exit_grace = absl::Seconds(20);
    options.watcher.sync.list_interval = absl::Milliseconds(5);
    engines_ = std::make_unique<LxcEngines>(procfs_, &hub_, options);
  }

  struct Spec {
    std::string mode = "normal";
    // A place of its own below the test's; that one where it is empty.
    std::string folder = "";
    bool contained = false;
  };
  std::string PathOf(const Spec& spec) { return absl::StrCat(directory_, spec.folder); }

  FakeEngineProcess* Run(const std::string& name, const Spec& spec) {
    const std::string path = PathOf(spec);
    absl::StatusOr<std::unique_ptr<FakeEngineProcess>> monitor = FakeEngineProcess::Start(
        directory_, {.program = "lxc-start",
                     .executable = "engines/lxc/fake_monitor_program",
                     .title = absl::StrCat("[lxc monitor] ", path, " ", name),
                     .mode = spec.mode,
                     .socket = absl::StrCat(path, "/", name, "/command"),
                     .contained = spec.contained});
    EXPECT_THAT(monitor, IsOk());
    if (!monitor.ok()) std::abort();
    monitors_.push_back(*std::move(monitor));
    return monitors_.back().get();
  }

  FakeEngineProcess* Run(const std::string& name) { return Run(name, Spec()); }

  // Looks for monitors as often as the portfolio would in a minute.
  void Look() {
    const auto processes = table_.Look(absl::ZeroDuration());
    ASSERT_THAT(processes, IsOk());
    EngineFinder::Result found = finder_.Look(**processes);
    // Others' may run on the machine.
    std::erase_if(found.monitors, [this](const FoundMonitor& monitor) {
      return !absl::StartsWith(monitor.path, directory_);
    });
    for (auto& watcher : engines_->Follow(found.monitors)) watchers_.push_back(std::move(watcher));
  }
  void LookAndAwait() {
    Look();
    for (const auto& watcher : watchers_) {
      EXPECT_TRUE(watcher->AwaitFirstResult(absl::Now() + absl::Seconds(30)));
    }
  }

  // "NAME STATE" of each container that has a process.
  std::vector<std::string> Known() {
    std::vector<std::string> known;
    const Containers current = hub_.Current();
    for (const Container& container : current.containers()) {
      EXPECT_EQ(container.pid_error(), "") << container.name();
      if (container.pid() == 0) continue;
      known.push_back(absl::StrCat(container.name(), " ", StateName(container.state())));
    }
    std::sort(known.begin(), known.end());
    return known;
  }
  bool AwaitKnown(const std::vector<std::string>& wanted) {
    return Await([&] { return Known() == wanted; });
  }

  // All changes of containers so far, but for details.
  std::vector<std::string> Changes() {
    while (true) {
      const auto batch = subscription_->Next(absl::Now());
      if (!batch.ok()) return changes_;
      for (const Change& change : batch->changes) {
        if (!change.has_container() || change.kind() == Change::updated) continue;
        changes_.push_back(
            absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name()));
      }
    }
  }
  bool AwaitChange(const std::string& change) {
    return Await([&] { return !Changes().empty() && changes_.back() == change; });
  }

  char directory_[32] = "/tmp/nsctl-lxc-XXXXXX";
  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  ContainerHub hub_;
  std::unique_ptr<ContainerHub::Subscription> subscription_ = hub_.Subscribe();
  ProcessTable table_ = ProcessTable(procfs_);
  EngineFinder finder_ = EngineFinder(procfs_, {.types = {Engine::lxc}});
  std::unique_ptr<LxcEngines> engines_;
  std::vector<std::unique_ptr<FakeEngineProcess>> monitors_;
  std::vector<std::shared_ptr<EngineWatcher>> watchers_;
  std::vector<std::string> changes_;
};

TEST_F(LxcEnginesTest, MonitorsOfAFolderAreOneEngine) {
  FakeEngineProcess* const web = Run("web");
  ASSERT_THAT(Run("db")->Do("freeze"), IsOk());
  Run("web", {.folder = "/other"});

  LookAndAwait();

  EXPECT_THAT(Known(), ElementsAre("db paused", "web running", "web running"));
  const Containers current = hub_.Current();
  ASSERT_EQ(current.engines_size(), 2);
  const auto engine = std::find_if(current.engines().begin(), current.engines().end(),
                                   [this](const Engine& one) { return one.id() == directory_; });
  ASSERT_NE(engine, current.engines().end());
  EXPECT_EQ(engine->type(), Engine::lxc);
  EXPECT_EQ(engine->state(), Engine::ready);
  EXPECT_EQ(engine->pid(), web->pid());
  EXPECT_EQ(engine->api(), absl::StrCat("@", directory_));
}

TEST_F(LxcEnginesTest, SaysWhatIsConfigured) {
  Run("web");

  LookAndAwait();

  const Containers current = hub_.Current();
  ASSERT_EQ(current.containers_size(), 1);
  const Container& web = current.containers(0);
  EXPECT_EQ(web.id(), "web");
  EXPECT_EQ(web.runtime(), "lxc");
  EXPECT_TRUE(web.privileged());
  EXPECT_EQ(web.engine_pid(), web.pid());
  ASSERT_EQ(web.annotations_size(), 2);
  EXPECT_EQ(web.annotations(0).ShortDebugString(), "name: \"lxc.group\" value: \"shop,all\"");
  EXPECT_EQ(web.annotations(1).value(), "dir:/srv/web");
}

TEST_F(LxcEnginesTest, TellsEachChangeOnce) {
  FakeEngineProcess* const web = Run("web");
  Run("db");
  LookAndAwait();
  ASSERT_TRUE(Await([this] { return Changes().size() == 2; }));
  changes_.clear();
  ASSERT_THAT(web->Do("freeze"), IsOk());
  ASSERT_TRUE(AwaitChange("paused web"));
  ASSERT_THAT(web->Do("thaw"), IsOk());
  ASSERT_TRUE(AwaitChange("unpaused web"));
  ASSERT_THAT(web->Say("end"), IsOk());
  ASSERT_TRUE(AwaitChange("exited web"));

  EXPECT_THAT(Changes(), ElementsAre("paused web", "unpaused web", "exited web"));
  EXPECT_THAT(Known(), ElementsAre("db running"));
  // One monitor speaks for the engine after the other.
  EXPECT_TRUE(Await([this] { return hub_.Current().engines(0).pid() == monitors_[1]->pid(); }));
}

TEST_F(LxcEnginesTest, TakesInNewMonitors) {
  Run("web");
  LookAndAwait();
  Run("db");
  Look();

  ASSERT_TRUE(AwaitChange("started db"));
  EXPECT_EQ(watchers_.size(), 1);
  EXPECT_EQ(hub_.Current().engines_size(), 1);
}

TEST_F(LxcEnginesTest, AwaitsAContainerThatBegins) {
  FakeEngineProcess* const web = Run("web", {.mode = "early"});
  LookAndAwait();
  EXPECT_THAT(Known(), IsEmpty());

  ASSERT_THAT(web->Do("state 1"), IsOk());
  ASSERT_THAT(web->Do("state 2"), IsOk());

  EXPECT_TRUE(AwaitChange("started web"));
}

TEST_F(LxcEnginesTest, FollowsAReboot) {
  FakeEngineProcess* const web = Run("web");
  LookAndAwait();
  const int before = hub_.Current().containers(0).pid();

  ASSERT_THAT(web->Do("reboot"), IsOk());

  ASSERT_TRUE(Await([&] {
    const Containers current = hub_.Current();
    return current.containers_size() == 1 && current.containers(0).pid() != before;
  }));
  EXPECT_THAT(Changes(), ElementsAre("started web", "exited web", "started web"));
}

TEST_F(LxcEnginesTest, EndsWithTheLastMonitor) {
  FakeEngineProcess* const web = Run("web");
  LookAndAwait();
  ASSERT_THAT(web->Say("end"), IsOk());

  ASSERT_TRUE(AwaitChange("exited web"));
  ASSERT_TRUE(Await([this] { return watchers_[0]->gone(); }));
  EXPECT_EQ(hub_.Current().engines_size(), 0);
  // The next one is another engine.
  Run("web");
  Look();
  EXPECT_EQ(watchers_.size(), 2);
  EXPECT_TRUE(AwaitChange("started web"));
}

TEST_F(LxcEnginesTest, MonitorsThatDoNotAnswerHideNoOther) {
  for (const char* const mode : {"silent", "short", "huge", "hangup"}) Run(mode, {.mode = mode});
  Run("web");

  LookAndAwait();

  EXPECT_THAT(Known(), ElementsAre("web running"));
  const Containers current = hub_.Current();
  EXPECT_EQ(current.engines(0).state(), Engine::ready);
  std::vector<std::string> gaps;
  for (const EngineGap& gap : current.gaps()) {
    gaps.push_back(absl::StrCat(gap.error(), ": ", gap.consequence()));
  }
  std::sort(gaps.begin(), gaps.end());
  EXPECT_THAT(gaps,
              ElementsAre("DATA_LOSS: the container huge is known by evidence alone",
                          "DEADLINE_EXCEEDED: the container silent is known by evidence alone",
                          "UNAVAILABLE: the container hangup is known by evidence alone",
                          "UNAVAILABLE: the container short is known by evidence alone"));
}

TEST_F(LxcEnginesTest, BelievesNoMonitorOfStrangers) {
  FakeEngineProcess* const web = Run("web");
  // Of the test, of process 1, of another monitor's child, and of no process at all.
  Run("a-parent", {.mode = absl::StrCat(getpid())});
  Run("b-init", {.mode = "1"});
  Run("c-huge", {.mode = "4294967297"});
  Run("d-negative", {.mode = "-1"});
  Run("e-monitor", {.mode = absl::StrCat(web->pid())});

  LookAndAwait();

  EXPECT_THAT(Known(), ElementsAre("web running"));
  std::vector<std::string> refused;
  const Containers current = hub_.Current();
  for (const EngineGap& gap : current.gaps()) refused.push_back(gap.error());
  std::sort(refused.begin(), refused.end());
  EXPECT_THAT(refused, ElementsAre("EINVAL", "EPERM", "EPERM", "EPERM"));
}

TEST_F(LxcEnginesTest, StandsAMonitorThatChangesWithoutEnd) {
  Run("noisy", {.mode = "noisy"});
  FakeEngineProcess* const web = Run("web");
  LookAndAwait();

  ASSERT_THAT(web->Do("freeze"), IsOk());

  EXPECT_TRUE(Await([this] {
    const std::vector<std::string> known = Known();
    return known.size() == 2 && known[1] == "web paused";
  }));
}

TEST_F(LxcEnginesTest, IsNoEngineWithoutASocketOfThatName) {
  // Its title names another one's container.
  const std::string path = PathOf(Spec());
  auto liar =
      FakeEngineProcess::Start(directory_, {.program = "lxc-start",
                                            .executable = "engines/lxc/fake_monitor_program",
                                            .title = absl::StrCat("[lxc monitor] ", path, " web"),
                                            .mode = "normal",
                                            .socket = absl::StrCat(path, "/other/command")});
  ASSERT_THAT(liar, IsOk());

  Look();

  EXPECT_THAT(watchers_, IsEmpty());
}

TEST_F(LxcEnginesTest, AFirstProcessThatIsNotExecutedYetIsNoMonitor) {
  Run("web", {.mode = "forked"});

  LookAndAwait();

  EXPECT_THAT(watchers_, SizeIs(1));
  EXPECT_TRUE(AwaitKnown({"web running"}));
  EXPECT_THAT(hub_.Current().engines(), SizeIs(1));
}

TEST_F(LxcEnginesTest, ThoseInAContainerAreAnotherEngine) {
  Run("web");
  Run("web", {.contained = true});

  LookAndAwait();

  EXPECT_THAT(Known(), ElementsAre("web running", "web running"));
  const Containers current = hub_.Current();
  ASSERT_EQ(current.engines_size(), 2);
  int inside = 0;
  for (const Container& container : current.containers()) {
    // Whoever is inside counts for itself.
    if (container.engine_pid() == container.pid()) continue;
    ++inside;
    EXPECT_LT(container.engine_pid(), 10);
  }
  EXPECT_EQ(inside, 1);
}

TEST_F(LxcEnginesTest, FollowsNoMoreThanItMay) {
  Restart({.watcher = {}, .max_engines = 2});
  for (const char* const folder : {"/a", "/b", "/c"}) Run("web", {.folder = folder});

  Look();

  EXPECT_EQ(watchers_.size(), 2);
}

}  // namespace
}  // namespace nsctl::engines::lxc
