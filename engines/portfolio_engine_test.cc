// Real engines at once, in namespaces of their own, found and followed as on any host.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/portfolio.h"
#include "engines/process_scan.h"
#include "engines/test_real_engine.h"
#include "engines/test_sandbox.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::IsEmpty;
using testing::IsOk;

constexpr char kDockerSocket[] = "/run/docker.sock";
constexpr char kPodmanSocket[] = "/run/podman.sock";
constexpr char kPodmanImage[] = "localhost/nsctl/busybox:1";

// All that Podman would read from /etc and from the user. It may not raise limits without
// CAP_SYS_RESOURCE.
constexpr char kPodmanSetUp[] = R"(
cat >/run/containers.conf <<'END'
[containers]
apparmor_profile=""
default_ulimits=["nofile=1024:1024","nproc=4096:4096"]
END
printf '[storage]\ndriver="overlay"\nrunroot="/run/podman-run"\ngraphroot="FOLDER/podman"\n' \
  >/run/storage.conf
: >/run/registries.conf
mkdir -p /run/podman-net FOLDER/tmp
)";

class PortfolioEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/sbin/dockerd", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_EQ(access("/usr/bin/podman", X_OK), 0) << "tools/test --engines installs it";
    NSCTL_ASSERT_OK_AND_ASSIGN(sandbox_, TestSandbox::Make());
    NSCTL_ASSERT_OK_AND_ASSIGN(pids_, InodeOf(sandbox_->init()));
    NSCTL_ASSERT_OK_AND_ASSIGN(tar_, sandbox_->MakeBusyboxTar());
    StartDocker();
    StartPodman();
  }

  void TearDown() override {
    portfolio_.reset();
    if (sandbox_ == nullptr) return;
    // The engines take their cgroups away with the containers.
    const auto all = Docker({"ps", "-aq"});
    if (all.ok() && !all->empty()) {
      std::vector<std::string> command = {"rm", "-f"};
      for (const std::string& id : SortedLines(*all)) command.push_back(id);
      EXPECT_THAT(Docker(command), IsOk());
    }
    EXPECT_THAT(Podman({"rm", "--force", "--all", "--time=0"}), IsOk());
  }

  // With it, containers run on where a daemon finds them at its start.
  void StartDocker(bool live_restore = true) {
    ASSERT_THAT(sandbox_->Run({"sh", "-c", "echo '{}' >/run/daemon.json"}), IsOk());
    NSCTL_ASSERT_OK_AND_ASSIGN(
        dockerd_,
        sandbox_->Start({"dockerd", "--config-file=/run/daemon.json",
                         absl::StrCat("--data-root=", sandbox_->folder(), "/docker"),
                         "--exec-root=/run/docker", "--pidfile=/run/docker.pid",
                         absl::StrCat("--host=unix://", kDockerSocket),
                         absl::StrCat("--cgroup-parent=/", sandbox_->cgroup()), "--bridge=none",
                         "--iptables=false", "--ip6tables=false", "--ip-forward=false",
                         absl::StrCat("--live-restore=", live_restore ? "true" : "false")}));
    ASSERT_TRUE(AwaitMinute([this] { return Docker({"version"}).ok(); }));
    ASSERT_THAT(Docker({"import", tar_, "nsctl/busybox:1"}), IsOk());
  }

  void StartPodman() {
    ASSERT_THAT(
        sandbox_->Run(
            {"sh", "-c", absl::StrReplaceAll(kPodmanSetUp, {{"FOLDER", sandbox_->folder()}})}),
        IsOk());
    ASSERT_THAT(Podman({"import", tar_, kPodmanImage}), IsOk());
    ASSERT_THAT(sandbox_->Start(PodmanCommand(
                    {"system", "service", "--time=0", absl::StrCat("unix://", kPodmanSocket)})),
                IsOk());
    ASSERT_TRUE(AwaitMinute([this] { return sandbox_->Run({"test", "-S", kPodmanSocket}).ok(); }));
  }

  absl::StatusOr<std::string> Docker(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"/usr/bin/docker", "-H",
                                        absl::StrCat("unix://", kDockerSocket)};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sandbox_->Run(command);
  }

  std::vector<std::string> PodmanCommand(const std::vector<std::string>& arguments) {
    const std::string& folder = sandbox_->folder();
    std::vector<std::string> command = {"env",
                                        "PODMAN_IGNORE_CGROUPSV1_WARNING=1",
                                        absl::StrCat("TMPDIR=", folder, "/tmp"),
                                        "CONTAINERS_CONF=/run/containers.conf",
                                        "CONTAINERS_STORAGE_CONF=/run/storage.conf",
                                        "CONTAINERS_REGISTRIES_CONF=/run/registries.conf",
                                        absl::StrCat("HOME=", folder),
                                        "podman",
                                        absl::StrCat("--root=", folder, "/podman"),
                                        "--runroot=/run/podman-run",
                                        "--tmpdir=/run/libpod",
                                        "--cgroup-manager=cgroupfs",
                                        "--events-backend=file",
                                        "--storage-driver=overlay",
                                        "--network-config-dir=/run/podman-net",
                                        "--runtime=runc"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  absl::StatusOr<std::string> Podman(const std::vector<std::string>& arguments) {
    return sandbox_->Run(PodmanCommand(arguments));
  }

  void RunContainers() {
    for (const char* name : {"web", "db"}) {
      ASSERT_THAT(Docker({"run", "-d", "--network=none", "--name", name, "nsctl/busybox:1",
                          "/bin/sleep", "100000"}),
                  IsOk());
    }
    ASSERT_THAT(Podman({"run", "-d", "--network=none", "--name=cache",
                        absl::StrCat("--cgroup-parent=/", sandbox_->cgroup()), kPodmanImage,
                        "/bin/sleep", "100000"}),
                IsOk());
  }

  absl::StatusOr<uint64_t> InodeOf(base::Pid pid) {
    const auto process = procfs_.OpenProcess(pid);
    if (!process.ok()) return process.status();
    return ReadNamespaceInode(*process, "pid");
  }

  // Others may run engines on the machine.
  bool IsOurs(const Engine& engine) {
    const auto inode = InodeOf(base::Pid{engine.pid()});
    return inode.ok() && *inode == pids_;
  }
  std::vector<std::string> Engines(const Containers& current) {
    std::vector<std::string> known;
    for (const Engine& engine : current.engines()) {
      if (!IsOurs(engine)) continue;
      known.push_back(
          absl::StrCat(TypeName(engine.type()), " ", engine.api(), " ", StateName(engine.state())));
    }
    std::sort(known.begin(), known.end());
    return known;
  }
  // "NAME ID" of those of the engines of one type.
  std::vector<std::string> Known(const Containers& current, Engine::Type type) {
    std::vector<std::string> known;
    for (const Container& container : current.containers()) {
      const auto engine =
          std::find_if(current.engines().begin(), current.engines().end(),
                       [&](const Engine& one) { return one.key() == container.engine(); });
      if (engine == current.engines().end() || engine->type() != type) continue;
      if (type != Engine::evidence && !IsOurs(*engine)) continue;
      if (type == Engine::evidence && !absl::StrContains(container.cgroup(), sandbox_->cgroup())) {
        continue;
      }
      known.push_back(absl::StrCat(container.name(), " ", container.id()));
    }
    std::sort(known.begin(), known.end());
    return known;
  }
  std::vector<std::string> Lines(const absl::StatusOr<std::string>& text) {
    EXPECT_THAT(text, IsOk());
    return SortedLines(text.ok() ? *text : "");
  }

  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  std::unique_ptr<TestSandbox> sandbox_;
  uint64_t pids_ = 0;
  std::string tar_;
  base::Pid dockerd_;
  std::unique_ptr<Portfolio> portfolio_;
};

TEST_F(PortfolioEngineTest, KnowsAllThatEnginesKnow) {
  ASSERT_NO_FATAL_FAILURE(RunContainers());
  PortfolioOptions options;
  options.look_again = absl::Milliseconds(200);
  NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
  ASSERT_TRUE(portfolio_->AwaitFirstResults(absl::Now() + absl::Minutes(1)));

  const Containers current = portfolio_->Current();

  const std::vector<std::string> engines = Engines(current);
  EXPECT_THAT(engines, ::testing::IsSupersetOf({absl::StrCat("docker ", kDockerSocket, " ready"),
                                                absl::StrCat("podman ", kPodmanSocket, " ready")}));
  EXPECT_EQ(Known(current, Engine::docker),
            Lines(Docker({"ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}"})));
  EXPECT_EQ(Known(current, Engine::podman),
            Lines(Podman({"ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}"})));
  EXPECT_THAT(Known(current, Engine::evidence), IsEmpty());

  // Where the daemon ends its containers run on, and their helpers tell of them.
  const auto docker = Lines(Docker({"ps", "--no-trunc", "--format", "{{.ID}} {{.ID}}"}));
  ASSERT_THAT(sandbox_->Stop(dockerd_), IsOk());
  EXPECT_TRUE(AwaitMinute([&] { return Known(portfolio_->Current(), Engine::evidence) == docker; }))
      << portfolio_->Current().DebugString();
  EXPECT_THAT(Known(portfolio_->Current(), Engine::docker), IsEmpty());
  // It comes back, and takes them over again.
  ASSERT_NO_FATAL_FAILURE(StartDocker());
  EXPECT_TRUE(AwaitMinute([&] {
    return Known(portfolio_->Current(), Engine::docker).size() == 2 &&
           Known(portfolio_->Current(), Engine::evidence).empty();
  })) << portfolio_->Current().DebugString();
}

TEST_F(PortfolioEngineTest, TellsTheEndOfWhatOutlivesItsEngineOnce) {
  ASSERT_NO_FATAL_FAILURE(RunContainers());
  PortfolioOptions options;
  options.look_again = absl::Milliseconds(500);
  NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
  const auto subscription = portfolio_->Subscribe();
  ASSERT_TRUE(portfolio_->AwaitFirstResults(absl::Now() + absl::Minutes(1)));
  const Containers before = portfolio_->Current();
  const auto pid_of = [&before](const std::string& name) {
    for (const Container& container : before.containers()) {
      if (container.name() == name) return container.pid();
    }
    return 0;
  };
  const int web = pid_of("web");
  const int db = pid_of("db");
  ASSERT_GT(web, 0);
  ASSERT_GT(db, 0);
  std::vector<std::string> exits;
  const auto await_exits = [&](size_t count, absl::Duration time) {
    const absl::Time deadline = absl::Now() + time;
    while (exits.size() < count) {
      const auto batch = subscription->Next(deadline);
      if (!batch.ok()) return;
      for (const Change& change : batch->changes) {
        const int pid = change.container().pid();
        if (change.kind() != Change::exited || (pid != web && pid != db)) continue;
        exits.push_back(change.container().name());
      }
    }
  };

  // The engine ends; then a container at once, and another when others tell of it.
  ASSERT_EQ(kill(dockerd_.value, SIGKILL), 0);
  ASSERT_EQ(kill(web, SIGKILL), 0);
  await_exits(1, absl::Minutes(1));
  EXPECT_THAT(exits, ::testing::ElementsAre("web"));
  ASSERT_TRUE(AwaitMinute([&] {
    const Containers current = portfolio_->Current();
    return std::any_of(current.containers().begin(), current.containers().end(),
                       [&](const Container& one) { return one.pid() == db; });
  }));
  ASSERT_EQ(kill(db, SIGKILL), 0);
  await_exits(2, absl::Minutes(1));
  EXPECT_THAT(exits, ::testing::ElementsAre("web", "db"));
  await_exits(3, absl::Seconds(3));
  EXPECT_THAT(exits, ::testing::ElementsAre("web", "db"));
  // For the test's end.
  ASSERT_THAT(sandbox_->Run({"rm", "-f", "/run/docker.pid"}), IsOk());
  ASSERT_NO_FATAL_FAILURE(StartDocker());
}

TEST_F(PortfolioEngineTest, TellsTheEndOfWhatTheNextDaemonKillsOnce) {
  ASSERT_NO_FATAL_FAILURE(RunContainers());
  ASSERT_THAT(Docker({"pause", "db"}), IsOk());
  PortfolioOptions options;
  options.look_again = absl::Milliseconds(500);
  NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
  ASSERT_TRUE(portfolio_->AwaitFirstResults(absl::Now() + absl::Minutes(1)));
  const auto subscription = portfolio_->Subscribe();
  // Names, for containers are told by their ids alone where no daemon is.
  std::map<std::string, std::string> names;
  const Containers before = portfolio_->Current();
  for (const std::string& known : Known(before, Engine::docker)) {
    const std::pair<std::string, std::string> name_and_id = absl::StrSplit(known, ' ');
    names[name_and_id.second] = name_and_id.first;
  }
  ASSERT_EQ(names.size(), 2);
  std::vector<std::string> heard;
  const auto await = [&](size_t count, absl::Duration time) {
    const absl::Time deadline = absl::Now() + time;
    while (heard.size() < count) {
      const auto batch = subscription->Next(deadline);
      if (!batch.ok()) return;
      for (const Change& change : batch->changes) {
        const auto name = names.find(change.container().id());
        if (name == names.end()) continue;
        if (change.kind() != Change::started && change.kind() != Change::exited) continue;
        heard.push_back(absl::StrCat(Change::Kind_Name(change.kind()), " ", name->second));
      }
    }
  };

  ASSERT_EQ(kill(dockerd_.value, SIGKILL), 0);
  ASSERT_TRUE(
      AwaitMinute([this] { return Known(portfolio_->Current(), Engine::evidence).size() >= 2; }));
  ASSERT_THAT(sandbox_->Run({"rm", "-f", "/run/docker.pid"}), IsOk());
  ASSERT_NO_FATAL_FAILURE(StartDocker(false));
  await(2, absl::Minutes(1));
  EXPECT_THAT(heard, ::testing::UnorderedElementsAre("exited web", "exited db"));
  await(3, absl::Seconds(3));
  EXPECT_EQ(heard.size(), 2);

  // What starts now is another one.
  ASSERT_TRUE(AwaitMinute([this] {
    const std::vector<std::string> engines = Engines(portfolio_->Current());
    return std::count(engines.begin(), engines.end(),
                      absl::StrCat("docker ", kDockerSocket, " ready")) == 1;
  }));
  ASSERT_THAT(Docker({"start", "web"}), IsOk());
  EXPECT_TRUE(
      AwaitMinute([&] { return Known(portfolio_->Current(), Engine::docker).size() == 1; }));
  ASSERT_THAT(Docker({"kill", "web"}), IsOk());
  await(4, absl::Minutes(1));
  ASSERT_EQ(heard.size(), 4);
  EXPECT_EQ(heard[2], "started web");
  EXPECT_EQ(heard[3], "exited web");
}

}  // namespace
}  // namespace nsctl::engines
