// Daemons called systemd-machined in namespaces of their own, followed as the portfolio does it.

#include "engines/machined/machined_client.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/fake_engine_process.h"
#include "engines/portfolio.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::machined {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr char kSocket[] = "/run/systemd/machine/io.systemd.Machine";
constexpr char kOldSocket[] = "/run/systemd/userdb/io.systemd.Machine";

class MachinedClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to look into other processes";
    ASSERT_NE(mkdtemp(directory_), nullptr);
  }
  void TearDown() override {
    subscription_.reset();
    portfolio_.reset();
    machined_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void Run(const std::string& mode, const std::string& socket,
           const std::vector<std::string>& machines) {
    NSCTL_ASSERT_OK_AND_ASSIGN(
        machined_, FakeEngineProcess::Start(directory_,
                                            {.program = "systemd-machined",
                                             .executable = "engines/machined/fake_machined_program",
                                             .mode = mode,
                                             .socket = socket,
                                             .containers = machines,
                                             .contained = true}));
  }
  void Follow() {
    PortfolioOptions options;
    options.types = {Engine::nspawn};
    options.evidence = false;
    options.watcher.call_timeout = absl::Seconds(1);
    options.watcher.sync.exit_grace = absl::Seconds(20);
    NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
    EXPECT_TRUE(portfolio_->AwaitFirstResults(absl::Now() + absl::Seconds(30)));
    subscription_ = portfolio_->Subscribe();
  }

  // Machines have names that begin with the test's PID: others may be on the machine.
  std::string Name(const std::string& name) { return absl::StrCat("m", getpid(), "-", name); }
  std::vector<Container> Known() {
    std::vector<Container> known;
    const Containers current = portfolio_->Current();
    for (const Container& container : current.containers()) {
      if (absl::StartsWith(container.name(), Name(""))) known.push_back(container);
    }
    return known;
  }
  Engine EngineOf(const Container& container) {
    const Containers current = portfolio_->Current();
    for (const Engine& engine : current.engines()) {
      if (engine.key() == container.engine()) return engine;
    }
    return Engine();
  }
  std::vector<std::string> AwaitChanges(size_t count) {
    std::vector<std::string> changes;
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (changes.size() < count) {
      const auto batch = subscription_->Next(deadline);
      if (!batch.ok()) break;
      for (const Change& change : batch->changes) {
        if (!absl::StartsWith(change.container().name(), Name(""))) continue;
        changes.push_back(absl::StrCat(Change::Kind_Name(change.kind()), " ",
                                       change.container().name().substr(Name("").size())));
      }
    }
    return changes;
  }

  char directory_[32] = "/tmp/nsctl-machined-XXXXXX";
  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  std::unique_ptr<FakeEngineProcess> machined_;
  std::unique_ptr<Portfolio> portfolio_;
  std::unique_ptr<ContainerHub::Subscription> subscription_;
};

TEST_F(MachinedClientTest, AsksByVarlink) {
  Run("varlink", kSocket, {Name("alpha"), Name("beta")});

  Follow();

  const std::vector<Container> known = Known();
  ASSERT_EQ(known.size(), 2);
  EXPECT_EQ(known[0].id(), Name("alpha"));
  EXPECT_EQ(known[0].runtime(), "systemd-nspawn");
  EXPECT_NE(known[0].pid(), 0);
  // As machined counts, which is process 1 there.
  EXPECT_LT(known[0].engine_pid(), 10);
  const Engine engine = EngineOf(known[0]);
  EXPECT_EQ(engine.type(), Engine::nspawn);
  EXPECT_EQ(engine.state(), Engine::ready);
  EXPECT_EQ(engine.version(), "257 (257.9-1)");
  EXPECT_EQ(engine.api(), kSocket);
}

TEST_F(MachinedClientTest, ReadsStateFilesWhereThereIsNoList) {
  Run("files", kOldSocket, {Name("alpha"), Name("beta")});

  Follow();

  const std::vector<Container> known = Known();
  ASSERT_EQ(known.size(), 2);
  EXPECT_NE(known[1].pid(), 0);
  const Engine engine = EngineOf(known[1]);
  EXPECT_EQ(engine.api(), "/run/systemd/machines");
  EXPECT_EQ(engine.api_version(), "files");
}

TEST_F(MachinedClientTest, TellsWhatIsDone) {
  struct Case {
    const char* mode;
    const char* socket;
  };
  for (const Case& test : {Case{"varlink", kSocket}, Case{"files", kOldSocket}}) {
    Run(test.mode, test.socket, {Name("alpha")});
    Follow();

    ASSERT_THAT(machined_->Do(absl::StrCat("start ", Name("gamma"))), IsOk());
    EXPECT_THAT(AwaitChanges(1), ElementsAre("started gamma")) << test.mode;
    ASSERT_THAT(machined_->Do(absl::StrCat("stop ", Name("alpha"))), IsOk());
    EXPECT_THAT(AwaitChanges(1), ElementsAre("exited alpha")) << test.mode;
    subscription_.reset();
    portfolio_.reset();
    machined_.reset();
  }
}

TEST_F(MachinedClientTest, BelievesNoLeaderThatItCannotHave) {
  Run("varlink", kSocket,
      {Name("alpha"), Name("self") + "=1", Name("none") + "=4000000", Name("minus") + "=-1",
       Name("huge") + "=4294967298"});

  Follow();

  for (const Container& container : Known()) {
    const bool is_alpha = container.name() == Name("alpha");
    EXPECT_EQ(container.pid() != 0, is_alpha) << container.DebugString();
    EXPECT_EQ(container.pid_error().empty(), is_alpha) << container.DebugString();
  }
}

TEST_F(MachinedClientTest, HasNoPatienceWithWhoDoesNotAnswer) {
  for (const char* const mode : {"silent", "endless"}) {
    Run(mode, kSocket, {Name("alpha")});
    const absl::Time before = absl::Now();
    Follow();

    EXPECT_LT(absl::Now() - before, absl::Seconds(20)) << mode;
    EXPECT_THAT(Known(), IsEmpty()) << mode;
    const Containers current = portfolio_->Current();
    const bool degraded =
        std::any_of(current.engines().begin(), current.engines().end(),
                    [](const Engine& engine) { return engine.state() == Engine::degraded; });
    EXPECT_TRUE(degraded) << mode;
    subscription_.reset();
    portfolio_.reset();
    machined_.reset();
  }
}

}  // namespace
}  // namespace nsctl::engines::machined
