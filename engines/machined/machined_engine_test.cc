// A real systemd-machined, from the distribution's packages, on a bus of its own, compared with
// machinectl(1). It runs without systemd as process 1: machines are registered by hand.

#include <unistd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/portfolio.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::machined {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

// Machined demands that a leader is in the cgroup of a unit.
constexpr char kUnit[] = R"(
cgroup=/sys/fs/cgroup
[ ! -d $cgroup/unified ] || cgroup=$cgroup/unified
)";
constexpr char kRegister[] = R"(
mkdir -p $cgroup/UNIT
echo PID >$cgroup/UNIT/cgroup.procs
exec busctl call org.freedesktop.machine1 /org/freedesktop/machine1 \
  org.freedesktop.machine1.Manager RegisterMachine sayssus NAME 0 nsctl container PID /srv/NAME
)";

class MachinedEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/lib/systemd/systemd-machined", X_OK), 0)
        << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    // What systemd would have made.
    ASSERT_THAT(sandbox_->Run({"sh", "-ec",
                               "mkdir -p /run/dbus /run/systemd/system /run/systemd/userdb "
                               "/run/systemd/machine"}),
                IsOk());
    ASSERT_THAT(sandbox_->Start({"dbus-daemon", "--system", "--nofork", "--nopidfile"}), IsOk());
    ASSERT_TRUE(AwaitMinute([this] {
      return sandbox_->Run({"test", "-S", "/run/dbus/system_bus_socket"}).ok();
    }));
    NSCTL_ASSERT_OK_AND_ASSIGN(machined_, sandbox_->Start({"/usr/lib/systemd/systemd-machined"}));
    ASSERT_TRUE(AwaitMinute([this] { return Machines().ok(); }));
  }

  void TearDown() override {
    changes_.reset();
    portfolio_.reset();
    if (sandbox_ == nullptr) return;
    for (const base::Pid leader : leaders_) EXPECT_THAT(sandbox_->Stop(leader), IsOk());
    EXPECT_THAT(sandbox_->Run({"sh", "-c", absl::StrCat(kUnit, "rmdir $cgroup/", Unit())}), IsOk());
  }

  std::string Unit() { return absl::StrCat(sandbox_->cgroup(), ".service"); }

  void Register(const std::string& name) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const base::Pid leader, sandbox_->Start({"sleep", "100000"}));
    leaders_.push_back(leader);
    const std::string pid = absl::StrCat(InSandbox(leader.value));
    ASSERT_THAT(
        sandbox_->Run({"sh", "-ec",
                       absl::StrCat(kUnit, absl::StrReplaceAll(
                                               kRegister,
                                               {{"UNIT", Unit()}, {"NAME", name}, {"PID", pid}}))}),
        IsOk());
  }
  void Unregister(const std::string& name) {
    ASSERT_THAT(
        sandbox_->Run({"busctl", "call", "org.freedesktop.machine1", "/org/freedesktop/machine1",
                       "org.freedesktop.machine1.Manager", "UnregisterMachine", "s", name}),
        IsOk());
  }

  // "NAME CLASS SERVICE"
  absl::StatusOr<std::string> Machines() {
    return sandbox_->Run(
        {"sh", "-c", "machinectl list --no-legend --no-pager | awk '{print $1, $2, $3}'"});
  }

  void Follow() {
    PortfolioOptions options;
    options.types = {Engine::nspawn};
    options.evidence = false;
    NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
    EXPECT_TRUE(portfolio_->AwaitFirstResults(absl::Now() + absl::Minutes(1)));
    changes_ = portfolio_->Subscribe();
  }
  // Of our machined alone.
  std::vector<Container> Ours() {
    std::vector<Container> ours;
    const Containers current = portfolio_->Current();
    for (const Container& container : current.containers()) {
      for (const Engine& engine : current.engines()) {
        if (engine.key() == container.engine() && engine.pid() == machined_.value) {
          ours.push_back(container);
        }
      }
    }
    return ours;
  }

  // The next changes, but for details.
  std::vector<std::string> Next(size_t count) {
    std::vector<std::string> changes;
    const absl::Time deadline = absl::Now() + absl::Minutes(1);
    while (changes.size() < count) {
      const auto batch = changes_->Next(deadline);
      if (!batch.ok()) break;
      for (const Change& change : batch->changes) {
        if (!change.has_container() || change.kind() == Change::updated) continue;
        changes.push_back(
            absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name()));
      }
    }
    return changes;
  }

  base::Pid machined_;
  std::vector<base::Pid> leaders_;
  std::unique_ptr<Portfolio> portfolio_;
  std::unique_ptr<ContainerHub::Subscription> changes_;
};

TEST_F(MachinedEngineTest, KnowsWhatMachinectlKnows) {
  Register("alpha");
  Register("beta");

  Follow();

  std::vector<std::string> known;
  for (const Container& container : Ours()) {
    known.push_back(absl::StrCat(container.name(), " container ", container.runtime()));
    EXPECT_EQ(container.cgroup(), absl::StrCat("/", Unit()));
  }
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::string machines, Machines());
  EXPECT_EQ(known, SortedLines(machines));
  ASSERT_EQ(known.size(), 2) << portfolio_->Current().DebugString();
  EXPECT_EQ(Ours()[0].pid(), leaders_[0].value);
  EXPECT_EQ(Ours()[1].pid(), leaders_[1].value);
}

TEST_F(MachinedEngineTest, TellsWhatIsDone) {
  Register("alpha");
  Follow();
  ASSERT_EQ(Ours().size(), 1);

  Register("beta");
  EXPECT_TRUE(AwaitMinute([this] { return Ours().size() == 2; }));
  Unregister("beta");
  EXPECT_TRUE(AwaitMinute([this] { return Ours().size() == 1; }));
  // Its process lives, so that it is another word for the end that nobody but machined knows.
  EXPECT_THAT(Next(2), ElementsAre("started beta", "exited beta"));
}

}  // namespace
}  // namespace nsctl::engines::machined
