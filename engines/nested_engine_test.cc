// A real Docker daemon in a container of another one, both found and followed as on any host.

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/portfolio.h"
#include "engines/test_real_engine.h"
#include "engines/test_sandbox.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr char kOuterSocket[] = "/run/docker.sock";
// In the container; the sandbox has the same socket in its folder.
constexpr char kInnerSocket[] = "/nsctl/docker.sock";

// A root file system of folders alone, for a container that has the programs of the machine.
constexpr char kMakeImage[] = R"(set -e
top=$1/nested
mkdir -p $top/usr $top/etc $top/tmp $top/run $top/root $top/proc $top/sys $top/dev $top/data $top/nsctl
mkdir -p $top/var/run $1/inner
for link in bin sbin lib lib64; do ln -s usr/$link $top/$link; done
tar -C $top --owner=0 --group=0 -cf $1/nested.tar .
echo '{}' >$1/inner/daemon.json
)";

// What makes a daemon of the container. It may write to its cgroups, and with version 2 is in one
// below: a cgroup with processes gives no controllers to others.
constexpr char kInnerDaemon[] = R"(
mount -o remount,bind,rw /sys
for place in $(awk '$5 ~ "^/sys/fs/cgroup" { print $5 }' /proc/self/mountinfo); do
  mount -o remount,bind,rw $place
done
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  echo $$ >/sys/fs/cgroup/init/cgroup.procs
fi
mount -t tmpfs tmpfs /run
dockerd --config-file=/nsctl/daemon.json --data-root=/data --host=unix:///nsctl/docker.sock \
  --bridge=none --iptables=false --ip6tables=false --ip-forward=false >/nsctl/log 2>&1 &
wait
)";

class NestedEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/sbin/dockerd", X_OK), 0) << "tools/test --engines installs it";
    NSCTL_ASSERT_OK_AND_ASSIGN(sandbox_, TestSandbox::Make());
    NSCTL_ASSERT_OK_AND_ASSIGN(tar_, sandbox_->MakeBusyboxTar());
    ASSERT_THAT(sandbox_->Run({"sh", "-c", kMakeImage, "sh", sandbox_->folder()}), IsOk());
    ASSERT_NO_FATAL_FAILURE(StartOuter());
    ASSERT_NO_FATAL_FAILURE(StartInner());
  }

  void TearDown() override {
    portfolio_.reset();
    if (sandbox_ == nullptr) return;
    // The engines take their cgroups away with the containers.
    RemoveAll(InnerSocket());
    RemoveAll(kOuterSocket);
  }

  void StartOuter() {
    ASSERT_THAT(sandbox_->Run({"sh", "-c", "echo '{}' >/run/daemon.json"}), IsOk());
    ASSERT_THAT(
        sandbox_->Start({"dockerd", "--config-file=/run/daemon.json",
                         absl::StrCat("--data-root=", sandbox_->folder(), "/docker"),
                         "--exec-root=/run/docker", "--pidfile=/run/docker.pid",
                         absl::StrCat("--host=unix://", kOuterSocket),
                         absl::StrCat("--cgroup-parent=/", sandbox_->cgroup()), "--bridge=none",
                         "--iptables=false", "--ip6tables=false", "--ip-forward=false"}),
        IsOk());
    ASSERT_TRUE(AwaitMinute([this] { return Docker(kOuterSocket, {"version"}).ok(); }));
    ASSERT_THAT(Docker(kOuterSocket, {"import", tar_, "nsctl/busybox:1"}), IsOk());
  }

  // Its id.
  absl::StatusOr<std::string> RunOuter(const std::vector<std::string>& powers) {
    std::vector<std::string> command = {"run", "-d", "--name=outer", "--network=none"};
    command.insert(command.end(), powers.begin(), powers.end());
    command.insert(command.end(),
                   {"--security-opt=seccomp=unconfined", "--security-opt=systempaths=unconfined",
                    "--security-opt=apparmor=unconfined", "--device-cgroup-rule=a *:* rwm",
                    "--volume=/usr:/usr:ro", "--volume=/etc:/etc:ro",
                    absl::StrCat("--volume=", sandbox_->folder(), "/inner:/nsctl"),
                    "--volume=/data", "nsctl/in:1", "/bin/sh", "-c", kInnerDaemon});
    return Docker(kOuterSocket, command);
  }

  void StartInner() {
    ASSERT_THAT(Docker(kOuterSocket, {"import", sandbox_->folder() + "/nested.tar", "nsctl/in:1"}),
                IsOk());
    // Of a capability that the machine itself lacks, old Docker wants to be told not to give it,
    // and new Docker takes that for a mistake.
    auto id = RunOuter({"--cap-add=ALL"});
    if (!id.ok()) {
      ASSERT_THAT(Docker(kOuterSocket, {"rm", "-f", "outer"}), IsOk());
      id = RunOuter({"--cap-add=ALL", "--cap-drop=SYS_RESOURCE"});
    }
    ASSERT_THAT(id, IsOk());
    outer_id_ = *id;
    ASSERT_TRUE(AwaitMinute([this] { return Docker(InnerSocket(), {"version"}).ok(); }))
        << sandbox_->Run({"tail", sandbox_->folder() + "/inner/log"}).value_or("no log");
    ASSERT_THAT(Docker(InnerSocket(), {"import", tar_, "nsctl/busybox:1"}), IsOk());
  }

  // Until both daemons are known; before, the outer one's containerd is where the inner one is.
  // Others may run engines on the machine.
  void StartPortfolio() {
    PortfolioOptions options;
    options.look_again = absl::Milliseconds(200);
    NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
    ASSERT_TRUE(AwaitMinute([this] {
      const Containers current = portfolio_->Current();
      const Engine* const inner = Inner(current);
      const Engine* const outer = inner == nullptr ? nullptr : ParentOf(current, *inner);
      return outer != nullptr && outer->api() == kOuterSocket && outer->state() == Engine::ready &&
             inner->state() == Engine::ready;
    })) << portfolio_->Current().DebugString();
  }

  std::string InnerSocket() const { return sandbox_->folder() + "/inner/docker.sock"; }

  absl::StatusOr<std::string> Docker(const std::string& socket,
                                     const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"/usr/bin/docker", "-H", "unix://" + socket};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sandbox_->Run(command);
  }
  void RunContainer(const std::string& socket, const std::string& name) {
    ASSERT_THAT(Docker(socket, {"run", "-d", "--network=none", "--name", name, "nsctl/busybox:1",
                                "/bin/sleep", "100000"}),
                IsOk());
  }
  void RemoveAll(const std::string& socket) {
    const auto all = Docker(socket, {"ps", "-aq"});
    if (!all.ok() || all->empty()) return;
    std::vector<std::string> command = {"rm", "-f"};
    for (const std::string& id : SortedLines(*all)) command.push_back(id);
    EXPECT_THAT(Docker(socket, command), IsOk());
  }

  // The daemon in the container, where it is known.
  const Engine* Inner(const Containers& current) const {
    for (const Engine& engine : current.engines()) {
      if (engine.api() == kInnerSocket && engine.parent_container() == outer_id_) return &engine;
    }
    return nullptr;
  }
  static const Engine* ParentOf(const Containers& current, const Engine& engine) {
    for (const Engine& one : current.engines()) {
      if (one.key() == engine.parent()) return &one;
    }
    return nullptr;
  }
  // "NAME ID PAUSED" of the containers of an engine, in order.
  static std::vector<std::string> Known(const Containers& current, const Engine& engine) {
    std::vector<std::string> known;
    for (const Container& container : current.containers()) {
      if (container.engine() != engine.key()) continue;
      EXPECT_EQ(container.pid_error(), "") << container.name();
      known.push_back(absl::StrCat(container.name(), " ", container.id(), " ",
                                   container.state() == Container::paused ? "true" : "false"));
    }
    std::sort(known.begin(), known.end());
    return known;
  }
  std::vector<std::string> KnownTo(const std::string& socket) {
    std::vector<std::string> known;
    const auto ids = Docker(socket, {"ps", "-q"});
    EXPECT_THAT(ids, IsOk());
    for (const std::string& id : SortedLines(ids.value_or(""))) {
      const auto text =
          Docker(socket, {"inspect", "-f", "{{slice .Name 1}} {{.Id}} {{.State.Paused}}", id});
      EXPECT_THAT(text, IsOk());
      known.push_back(text.value_or(""));
    }
    std::sort(known.begin(), known.end());
    return known;
  }

  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  std::unique_ptr<TestSandbox> sandbox_;
  std::string tar_;
  std::string outer_id_;
  std::unique_ptr<Portfolio> portfolio_;
};

TEST_F(NestedEngineTest, KnowsBothAndWhichIsInWhich) {
  RunContainer(kOuterSocket, "alpha");
  // The same names inside, which are others'.
  RunContainer(InnerSocket(), "alpha");
  RunContainer(InnerSocket(), "beta");
  ASSERT_THAT(Docker(InnerSocket(), {"pause", "beta"}), IsOk());
  ASSERT_NO_FATAL_FAILURE(StartPortfolio());

  const Containers current = portfolio_->Current();

  const Engine* const inner = Inner(current);
  ASSERT_NE(inner, nullptr) << current.DebugString();
  EXPECT_EQ(inner->type(), Engine::docker);
  EXPECT_EQ(inner->state(), Engine::ready);
  EXPECT_EQ(Known(current, *inner), KnownTo(InnerSocket()));
  EXPECT_EQ(Known(current, *inner).size(), 2);
  const Engine* const outer = ParentOf(current, *inner);
  ASSERT_NE(outer, nullptr);
  EXPECT_EQ(outer->api(), kOuterSocket);
  EXPECT_EQ(outer->parent(), "");
  EXPECT_EQ(Known(current, *outer), KnownTo(kOuterSocket));

  // PIDs are as the test counts them, whatever the daemon inside calls them.
  for (const Container& container : current.containers()) {
    if (container.engine() != inner->key()) continue;
    NSCTL_ASSERT_OK_AND_ASSIGN(const auto process, procfs_.OpenProcess(base::Pid{container.pid()}));
    NSCTL_ASSERT_OK_AND_ASSIGN(const std::string text, process.Read("cgroup", 1 << 16));
    EXPECT_TRUE(absl::StrContains(text, container.id())) << container.name() << "\n" << text;
  }
}

TEST_F(NestedEngineTest, TellsWhatIsDoneInside) {
  ASSERT_NO_FATAL_FAILURE(StartPortfolio());
  const std::string key = Inner(portfolio_->Current())->key();

  const auto subscription = portfolio_->Subscribe();
  RunContainer(InnerSocket(), "web");
  ASSERT_THAT(Docker(InnerSocket(), {"rm", "-f", "web"}), IsOk());

  std::vector<std::string> changes;
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (changes.size() < 2) {
    const auto batch = subscription->Next(deadline);
    ASSERT_THAT(batch, IsOk());
    for (const Change& change : batch->changes) {
      if (!change.has_container() || change.container().engine() != key) continue;
      changes.push_back(
          absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name()));
    }
  }
  EXPECT_THAT(changes, ElementsAre("started web", "exited web"));

  // With its container the daemon ends, and nothing is known of it.
  ASSERT_THAT(Docker(kOuterSocket, {"rm", "-f", "outer"}), IsOk());
  EXPECT_TRUE(AwaitMinute([this] { return Inner(portfolio_->Current()) == nullptr; }))
      << portfolio_->Current().DebugString();
  EXPECT_THAT(KnownTo(kOuterSocket), IsEmpty());
}

}  // namespace
}  // namespace nsctl::engines
