// Engines that are processes of their own, in namespaces of their own, found on the live system.

#include "engines/portfolio.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/fake_engine_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::UnorderedElementsAre;

class PortfolioTest : public ::testing::Test {
 protected:
  PortfolioTest() { EXPECT_NE(mkdtemp(directory_), nullptr); }
  ~PortfolioTest() override {
    portfolio_.reset();
    engines_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string Path(const std::string& name) { return absl::StrCat(directory_, "/", name); }

  // Starts an engine, to end with the test.
  FakeEngineProcess* Run(const FakeEngineSpec& spec) {
    absl::StatusOr<std::unique_ptr<FakeEngineProcess>> engine =
        FakeEngineProcess::Start(directory_, spec);
    EXPECT_THAT(engine, IsOk());
    if (!engine.ok()) return nullptr;
    engines_.push_back(*std::move(engine));
    return engines_.back().get();
  }

  void Start(PortfolioOptions options = {}) {
    options.evidence = false;
    options.watcher.call_timeout = absl::Milliseconds(500);
    NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
    EXPECT_TRUE(portfolio_->AwaitFirstResults(absl::Now() + absl::Seconds(30)));
  }

  // Others' engines may run on the machine: the test's have sockets with names of its own, and
  // containers whose names begin with its PID.
  std::string Name(const std::string& name) { return absl::StrCat("c", getpid(), "-", name); }
  std::vector<Engine> Engines(absl::string_view socket) {
    std::vector<Engine> engines;
    const Containers current = portfolio_->Current();
    for (const Engine& engine : current.engines()) {
      if (absl::EndsWith(engine.api(), socket)) engines.push_back(engine);
    }
    return engines;
  }
  // "NAME of TYPE", with the error where it has no process.
  std::vector<std::string> Known() {
    std::vector<std::string> known;
    const Containers current = portfolio_->Current();
    for (const Container& container : current.containers()) {
      const std::string prefix = Name("");
      if (!absl::StartsWith(container.name(), prefix)) continue;
      known.push_back(absl::StrCat(container.name().substr(prefix.size()), " of ",
                                   container.engine().substr(0, container.engine().find(':')),
                                   container.pid() == 0 ? " " : "", container.pid_error()));
    }
    return known;
  }
  bool Await(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return true;
  }

  // Paths of sockets are short.
  char directory_[32] = "/tmp/nsctl-portfolio-XXXXXX";
  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  std::vector<std::unique_ptr<FakeEngineProcess>> engines_;
  std::unique_ptr<Portfolio> portfolio_;
};

#define NSCTL_SKIP_WITHOUT_ROOT() \
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to look into other processes"

TEST_F(PortfolioTest, FindsEnginesInAnyNamespaces) {
  NSCTL_SKIP_WITHOUT_ROOT();
  const std::string socket = absl::StrCat("/run/", Name("docker.sock"));
  Run({.socket = socket, .containers = {Name("db"), Name("web")}, .contained = true});
  Run({.socket = socket, .containers = {Name("web")}, .contained = true});
  Run({.program = "podman",
       .mode = "podman",
       .socket = Path("podman.sock"),
       .containers = {"service", Name("cache")}});

  Start();

  EXPECT_THAT(Known(), UnorderedElementsAre("db of docker", "web of docker", "web of docker",
                                            "cache of podman"));
  const std::vector<Engine> engines = Engines(socket);
  ASSERT_EQ(engines.size(), 2);
  EXPECT_NE(engines[0].pid(), engines[1].pid());
  for (const Engine& engine : engines) {
    EXPECT_EQ(engine.state(), Engine::ready) << engine.reason();
    EXPECT_EQ(engine.id(), "FAKE:ID");
    EXPECT_EQ(engine.api_version(), "1.41");
    EXPECT_EQ(engine.key(), absl::StrCat("docker:", engine.pid(), "@", engine.start_time()));
  }
}

TEST_F(PortfolioTest, TakesEnginesForWhatTheyAnswerAs) {
  NSCTL_SKIP_WITHOUT_ROOT();
  Run({.program = "dockerd",
       .mode = "podman",
       .socket = Path("any.sock"),
       .containers = {Name("web")}});

  Start();

  ASSERT_EQ(Engines(Path("any.sock")).size(), 1);
  EXPECT_EQ(Engines(Path("any.sock"))[0].type(), Engine::podman);
  EXPECT_EQ(Engines(Path("any.sock"))[0].version(), "4.3.1");
  EXPECT_EQ(Known().size(), 1);
}

TEST_F(PortfolioTest, AsksNobodyThatIsNoEngine) {
  NSCTL_SKIP_WITHOUT_ROOT();
  Run({.program = "podman", .socket = Path("podman.sock"), .containers = {Name("command")}});
  Run({.program = "dockerd-like", .socket = Path("docker.sock"), .containers = {Name("other")}});

  Start();

  EXPECT_THAT(Known(), IsEmpty());
}

TEST_F(PortfolioTest, AsksOnlyTypesThatAreWanted) {
  NSCTL_SKIP_WITHOUT_ROOT();
  Run({.socket = Path("docker.sock"), .containers = {Name("web")}});

  Start({.types = {Engine::podman}});

  EXPECT_THAT(Known(), IsEmpty());
}

TEST_F(PortfolioTest, BelievesNoEngineWhatIsAboveIt) {
  NSCTL_SKIP_WITHOUT_ROOT();
  // 1: itself. The test's number means something else inside, or nothing.
  Run({.socket = absl::StrCat("/run/", Name("docker.sock")),
       .containers = {Name("real"), Name("self") + "=1", Name("huge") + "=2147483648",
                      Name("none") + "=0", absl::StrCat(Name("test"), "=", getpid())},
       .contained = true});
  Run({.socket = Path("liar.sock"),
       .containers = {absl::StrCat(Name("parent"), "=", getpid()), Name("init") + "=1"}});

  Start();

  EXPECT_THAT(Known(), UnorderedElementsAre("real of docker", "self of docker EPERM",
                                            "huge of docker EINVAL", "none of docker ",
                                            "test of docker ESRCH", "parent of docker EPERM",
                                            "init of docker EPERM"));
}

TEST_F(PortfolioTest, SilentEnginesCostTheirDeadlineAlone) {
  NSCTL_SKIP_WITHOUT_ROOT();
  for (const char* mode : {"silent", "drip", "endless"}) {
    Run({.mode = mode, .socket = Path(absl::StrCat(mode, ".sock"))});
  }
  Run({.socket = Path("good.sock"), .containers = {Name("web")}});
  const absl::Time begin = absl::Now();

  Start();

  // Each has half a second for each of its calls.
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
  EXPECT_THAT(Known(), ElementsAre("web of docker"));
  int degraded = 0;
  const Containers current = portfolio_->Current();
  for (const Engine& engine : current.engines()) {
    if (!absl::StrContains(engine.reason(), directory_)) continue;
    EXPECT_EQ(engine.state(), Engine::degraded);
    EXPECT_THAT(engine.reason(), HasSubstr("no answer at 1 socket"));
    ++degraded;
  }
  EXPECT_EQ(degraded, 3);
}

TEST_F(PortfolioTest, AsksTheEngineAndNobodyElseAtItsPath) {
  NSCTL_SKIP_WITHOUT_ROOT();
  Run({.socket = Path("a.sock"), .containers = {Name("a")}});
  Run({.socket = Path("b.sock"), .containers = {Name("b")}});
  Run({.socket = Path("c.sock"), .containers = {Name("c")}});
  Run({.socket = Path("d.sock"), .containers = {Name("d")}});
  // One path leads to another engine, one to a FIFO, one nowhere.
  std::filesystem::remove(Path("a.sock"));
  std::filesystem::create_symlink("b.sock", Path("a.sock"));
  std::filesystem::remove(Path("c.sock"));
  ASSERT_EQ(mkfifo(Path("c.sock").c_str(), 0600), 0);
  std::filesystem::remove(Path("d.sock"));

  Start();

  EXPECT_THAT(Known(), ElementsAre("b of docker"));
  std::vector<std::string> reasons;
  const Containers current = portfolio_->Current();
  for (const Engine& engine : current.engines()) {
    if (absl::StrContains(engine.reason(), directory_)) reasons.push_back(engine.reason());
  }
  EXPECT_THAT(reasons, UnorderedElementsAre(HasSubstr("answers there, and not the engine"),
                                            HasSubstr("ENOTSOCK"), HasSubstr("ENOENT")));
}

TEST_F(PortfolioTest, FollowsEnginesThatComeAndGo) {
  NSCTL_SKIP_WITHOUT_ROOT();
  Start({.look_again = absl::Milliseconds(20)});
  const auto subscription = portfolio_->Subscribe();
  std::vector<std::string> told;
  const auto await = [&](const std::string& wanted) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (std::find(told.begin(), told.end(), wanted) == told.end()) {
      const auto batch = subscription->Next(deadline);
      if (!batch.ok()) return false;
      for (const Change& change : batch->changes) {
        if (absl::StartsWith(change.container().name(), Name(""))) {
          told.push_back(absl::StrCat(Change::Kind_Name(change.kind()), " ",
                                      change.container().name().substr(Name("").size())));
        }
        if (absl::EndsWith(change.engine().api(), Path("docker.sock"))) {
          told.push_back(StateName(change.engine().state()));
        }
      }
    }
    return true;
  };

  FakeEngineProcess* const engine =
      Run({.socket = Path("docker.sock"), .containers = {Name("web")}});
  ASSERT_NE(engine, nullptr);
  EXPECT_TRUE(await("started web"));
  EXPECT_TRUE(await("ready"));
  EXPECT_THAT(engine->Do(absl::StrCat("start ", Name("db"))), IsOk());
  EXPECT_TRUE(await("started db"));
  EXPECT_THAT(engine->Do(absl::StrCat("stop ", Name("db"))), IsOk());
  EXPECT_TRUE(await("exited db"));
  engines_.clear();
  EXPECT_TRUE(await("gone"));
  EXPECT_TRUE(Await([this] { return Engines(Path("docker.sock")).empty() && Known().empty(); }));

  // Another process is another engine.
  std::filesystem::remove(Path("docker.sock"));
  told.clear();
  Run({.socket = Path("docker.sock"), .containers = {Name("web")}});
  EXPECT_TRUE(await("started web"));
}

TEST_F(PortfolioTest, KnowsWhichContainerAnEngineIsIn) {
  NSCTL_SKIP_WITHOUT_ROOT();
  const std::string socket = absl::StrCat("/run/", Name("inner.sock"));
  Run({.socket = socket, .containers = {Name("inside")}, .contained = true});
  Start();
  ASSERT_EQ(Engines(socket).size(), 1);
  const int inner = Engines(socket)[0].pid();
  EXPECT_EQ(Engines(socket)[0].parent(), "");
  Run({.socket = Path("outer.sock"), .containers = {absl::StrCat(Name("dind"), "=", inner)}});

  Start();

  ASSERT_EQ(Engines(Path("outer.sock")).size(), 1);
  ASSERT_EQ(Engines(socket).size(), 1);
  EXPECT_EQ(Engines(Path("outer.sock"))[0].parent(), "");
  EXPECT_EQ(Engines(socket)[0].parent(), Engines(Path("outer.sock"))[0].key());
  const Containers current = portfolio_->Current();
  const auto dind =
      std::find_if(current.containers().begin(), current.containers().end(),
                   [this](const Container& one) { return one.name() == Name("dind"); });
  ASSERT_NE(dind, current.containers().end());
  EXPECT_EQ(Engines(socket)[0].parent_container(), dind->id());
}

TEST_F(PortfolioTest, StartsEnginesOnlyOnRequest) {
  NSCTL_SKIP_WITHOUT_ROOT();
  if (access("/usr/bin/systemd-socket-activate", X_OK) != 0) {
    GTEST_SKIP() << "needs systemd-socket-activate, of the package systemd";
  }
  std::filesystem::create_directory(Path("run"));
  Run({.program = "podman",
       .mode = "podman",
       .socket = Path("run/podman.sock"),
       .containers = {"service", Name("web")},
       .activated = true});

  Start();

  EXPECT_THAT(Known(), IsEmpty());
  Start({.types = {Engine::podman}, .activate = true});
  EXPECT_THAT(Known(), ElementsAre("web of podman"));
  ASSERT_EQ(Engines(Path("run/podman.sock")).size(), 1);
}

TEST_F(PortfolioTest, EndsWhileEnginesAreAsked) {
  NSCTL_SKIP_WITHOUT_ROOT();
  Run({.mode = "silent", .socket = Path("docker.sock")});
  PortfolioOptions options;
  options.watcher.call_timeout = absl::Minutes(1);
  NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
  EXPECT_FALSE(portfolio_->AwaitFirstResults(absl::Now() + absl::Milliseconds(50)));
  const absl::Time begin = absl::Now();

  portfolio_.reset();

  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

}  // namespace
}  // namespace nsctl::engines
