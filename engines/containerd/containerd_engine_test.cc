// A real containerd, from the distribution's packages, compared with its own command line.

#include <signal.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/containerd/containerd_client.h"
#include "engines/docker/docker_client.h"
#include "engines/engine_link.h"
#include "engines/engine_watcher.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::containerd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;

constexpr char kSocket[] = "/run/containerd/containerd.sock";

class ContainerdEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/bin/containerd", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    ASSERT_THAT(sandbox_->MakeBusyboxTar(), IsOk());
    ASSERT_THAT(StartDaemon(), IsOk());
  }

  void TearDown() override {
    watcher_.reset();
    if (sandbox_ == nullptr) return;
    const auto namespaces = Ctr("default", {"namespaces", "ls", "-q"});
    if (!namespaces.ok()) return;
    for (const std::string& name : SortedLines(*namespaces)) {
      for (const std::string& id : SortedLines(*Ctr(name, {"tasks", "ls", "-q"}))) {
        EXPECT_THAT(Ctr(name, {"tasks", "rm", "-f", id}), IsOk());
      }
    }
  }

  absl::Status StartDaemon() {
    const std::string config =
        absl::StrCat("version = 2\nroot = \"", sandbox_->folder(),
                     "/data\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n");
    NSCTL_RETURN_IF_ERROR(
        sandbox_->Run({"sh", "-c", "printf %s \"$1\" >/run/containerd.toml", "sh", config})
            .status());
    NSCTL_ASSIGN_OR_RETURN(daemon_,
                           sandbox_->Start({"containerd", "--config=/run/containerd.toml"}));
    if (AwaitMinute([this] { return Ctr("default", {"version"}).ok(); })) return absl::OkStatus();
    return absl::DeadlineExceededError("containerd does not answer");
  }

  absl::StatusOr<std::string> Ctr(const std::string& name,
                                  const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"ctr", "--namespace", name};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sandbox_->Run(command);
  }

  void RunContainer(const std::string& name, const std::string& id,
                    const std::vector<std::string>& options = {}) {
    std::vector<std::string> command = {
        "run", "--detach", "--rootfs",
        absl::StrCat("--cgroup=/", sandbox_->cgroup(), "/", name, "-", id)};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {sandbox_->folder() + "/busybox", id, "/bin/sleep", "100000"});
    ASSERT_THAT(Ctr(name, command), IsOk());
  }

  void Watch() { RealEngineTest::Watch(kSocket, Engine::containerd, MakeContainerdClient); }

  // "NAMESPACE ID PID STATUS" of each container; PIDs as the daemon counts.
  std::vector<std::string> KnownToUs() {
    return Known([this](const Container& container) {
      return absl::StrCat(container.native_namespace(), " ", container.id(), " ",
                          InSandbox(container.pid()),
                          container.state() == Container::paused ? " PAUSED" : " RUNNING");
    });
  }
  std::vector<std::string> KnownToCtr() {
    std::string known;
    const auto namespaces = Ctr("default", {"namespaces", "ls", "-q"});
    EXPECT_THAT(namespaces, IsOk());
    for (const std::string& name : SortedLines(namespaces.ok() ? *namespaces : "")) {
      const auto tasks = Ctr(name, {"tasks", "ls"});
      EXPECT_THAT(tasks, IsOk());
      for (const absl::string_view line : absl::StrSplit(tasks.ok() ? *tasks : "", '\n')) {
        const std::vector<absl::string_view> words =
            absl::StrSplit(line, ' ', absl::SkipWhitespace());
        if (words.size() != 3 || words[0] == "TASK" || words[2] == "STOPPED") continue;
        absl::StrAppend(&known, name, " ", words[0], " ", words[1], " ", words[2], "\n");
      }
    }
    return SortedLines(known);
  }

  base::Pid daemon_;
};

TEST_F(ContainerdEngineTest, KnowsWhatContainerdKnows) {
  RunContainer("default", "alpha");
  RunContainer("default", "beta");
  RunContainer("shop", "alpha");
  RunContainer("shop", "gamma",
               {"--label=nerdctl/name=shop-gamma-1", "--label=com.docker.compose.project=shop"});
  ASSERT_THAT(Ctr("default", {"tasks", "pause", "beta"}), IsOk());
  // Without a task, and with one that ended: listed by none.
  ASSERT_THAT(Ctr("shop", {"containers", "create", "--rootfs", sandbox_->folder() + "/busybox",
                           "delta", "/bin/true"}),
              IsOk());
  RunContainer("shop", "ended");
  ASSERT_THAT(Ctr("shop", {"tasks", "kill", "-s", "KILL", "ended"}), IsOk());

  Watch();

  EXPECT_TRUE(AwaitMinute([this] { return KnownToUs() == KnownToCtr(); }));
  EXPECT_EQ(KnownToUs().size(), 4);
  const Containers current = hub_.Current();
  EXPECT_NE(current.engines(0).id(), "");
  EXPECT_THAT(*Ctr("default", {"version"}), HasSubstr(current.engines(0).version()));
  for (const Container& container : current.containers()) {
    EXPECT_EQ(container.runtime(), "io.containerd.runc.v2");
    EXPECT_EQ(container.cgroup(), absl::StrCat("/", sandbox_->cgroup(), "/",
                                               container.native_namespace(), "-", container.id()));
    if (container.id() != "gamma") continue;
    EXPECT_EQ(container.name(), "shop-gamma-1");
    EXPECT_EQ(container.project().project(), "shop");
  }
}

TEST_F(ContainerdEngineTest, ListsWhatDoesNotRun) {
  RunContainer("default", "alpha");
  ASSERT_THAT(Ctr("shop", {"containers", "create", "--rootfs", sandbox_->folder() + "/busybox",
                           "delta", "/bin/true"}),
              IsOk());
  RunContainer("shop", "ended");
  ASSERT_THAT(Ctr("shop", {"tasks", "kill", "-s", "KILL", "ended"}), IsOk());
  ASSERT_TRUE(AwaitMinute([this] {
    const auto tasks = Ctr("shop", {"tasks", "ls"});
    return tasks.ok() && absl::StrContains(*tasks, "STOPPED");
  }));
  Watch();

  const auto describe = [](const Container& one) {
    return absl::StrCat(one.native_namespace(), " ", one.id(), " ", StateName(one.state()),
                        one.has_exit_code() ? absl::StrCat(" ", one.exit_code()) : "",
                        one.has_finished_at() ? " finished" : "");
  };
  EXPECT_THAT(Stopped(MakeContainerdClient, describe),
              ElementsAre("shop delta created", "shop ended exited 137 finished"));
}

TEST_F(ContainerdEngineTest, TellsWhatIsDone) {
  Watch();
  RunContainer("default", "alpha");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started alpha"));
  ASSERT_THAT(Ctr("default", {"tasks", "pause", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("paused alpha"));
  ASSERT_THAT(Ctr("default", {"tasks", "resume", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("unpaused alpha"));
  // No change of the container.
  ASSERT_THAT(Ctr("default", {"tasks", "exec", "--exec-id=e1", "alpha", "/bin/true"}), IsOk());
  ASSERT_THAT(Ctr("default", {"containers", "label", "alpha", "nerdctl/name=omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("updated omega"));
  // The same container, another life.
  ASSERT_THAT(Ctr("default", {"tasks", "kill", "-s", "KILL", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited omega 137"));
  ASSERT_THAT(Ctr("default", {"tasks", "rm", "-f", "alpha"}), IsOk());
  ASSERT_THAT(Ctr("default", {"tasks", "start", "--detach", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started omega"));
  EXPECT_EQ(KnownToUs(), KnownToCtr());
  ASSERT_THAT(Ctr("default", {"tasks", "rm", "-f", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited omega 137"));
  ASSERT_THAT(Ctr("default", {"containers", "rm", "alpha"}), IsOk());
  // A namespace that is new.
  RunContainer("late", "last");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started last"));
}

TEST_F(ContainerdEngineTest, LivesThroughARestartOfTheDaemon) {
  RunContainer("default", "db");
  RunContainer("default", "web");
  Watch();
  EXPECT_EQ(AwaitChanges(2).size(), 2);

  ASSERT_THAT(sandbox_->Stop(daemon_), IsOk());
  ASSERT_TRUE(AwaitMinute([this] { return !IsReady(); }));
  // Containers run on, and one ends meanwhile; the kernel says so.
  const Containers before = hub_.Current();
  ASSERT_EQ(before.containers_size(), 2);
  for (const Container& container : before.containers()) {
    if (container.name() != "db") continue;
    ASSERT_EQ(kill(container.pid(), SIGKILL), 0);
  }
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited db"));
  ASSERT_THAT(StartDaemon(), IsOk());
  ASSERT_TRUE(AwaitMinute([this] { return IsReady(); }));
  RunContainer("default", "new");

  // Of the one that lived on, nothing is told.
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started new"));
  EXPECT_EQ(KnownToUs(), KnownToCtr());
}

TEST_F(ContainerdEngineTest, SaysThatAShimDoesNotAnswer) {
  RunContainer("default", "alpha");
  RunContainer("default", "beta");
  const std::vector<std::string> known = KnownToCtr();
  ASSERT_EQ(known.size(), 2);
  const std::vector<std::string> words = absl::StrSplit(known[0], ' ');
  ASSERT_EQ(words[1], "alpha");
  const auto signal_shim = [&](const std::string& signal) {
    // The parent of the container's process.
    return sandbox_->Run({"sh", "-c",
                          "read -r stat </proc/$1/stat && set -- $2 ${stat##*) } && kill -$1 $3",
                          "sh", words[2], signal});
  };
  ASSERT_THAT(signal_shim("STOP"), IsOk());
  Watch();

  const Containers current = hub_.Current();
  ASSERT_EQ(current.containers_size(), 1) << current.DebugString();
  EXPECT_EQ(current.containers(0).id(), "beta");
  ASSERT_EQ(current.gaps_size(), 1) << current.DebugString();
  EXPECT_EQ(current.gaps(0).operation(), "inspect containers");
  ASSERT_THAT(signal_shim("CONT"), IsOk());
  ASSERT_THAT(Ctr("default", {"containers", "label", "alpha", "a=b"}), IsOk());
  EXPECT_THAT(AwaitChanges(2), ElementsAre("started beta", "started alpha"));
  EXPECT_EQ(KnownToUs(), KnownToCtr());
}

// Docker's own containerd.
class DockersContainerdTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/sbin/dockerd", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    NSCTL_ASSERT_OK_AND_ASSIGN(const std::string tar, sandbox_->MakeBusyboxTar());
    ASSERT_THAT(sandbox_->Run({"sh", "-c", "echo '{}' >/run/daemon.json"}), IsOk());
    ASSERT_THAT(
        sandbox_->Start({"dockerd", "--config-file=/run/daemon.json",
                         absl::StrCat("--data-root=", sandbox_->folder(), "/data"),
                         "--exec-root=/run/docker", "--pidfile=/run/docker.pid",
                         "--host=unix:///run/docker.sock",
                         absl::StrCat("--cgroup-parent=/", sandbox_->cgroup()), "--bridge=none",
                         "--iptables=false", "--ip6tables=false", "--ip-forward=false"}),
        IsOk());
    ASSERT_TRUE(AwaitMinute([this] { return Docker({"version"}).ok(); }));
    ASSERT_THAT(Docker({"import", tar, "nsctl/busybox:1"}), IsOk());
  }
  void TearDown() override {
    dockers_.reset();
    watcher_.reset();
    if (sandbox_ == nullptr) return;
    EXPECT_THAT(Docker({"rm", "-f", "web"}), IsOk());
  }

  absl::StatusOr<std::string> Docker(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"/usr/bin/docker", "-H", "unix:///run/docker.sock"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sandbox_->Run(command);
  }

  std::unique_ptr<EngineLink> dockers_link_;
  std::unique_ptr<EngineWatcher> dockers_;
};

TEST_F(DockersContainerdTest, IsAnotherViewOfDockersContainers) {
  ASSERT_THAT(Docker({"run", "-d", "--network=none", "--name=web", "nsctl/busybox:1", "/bin/sleep",
                      "100000"}),
              IsOk());
  Watch("/run/docker/containerd/containerd.sock", Engine::containerd, MakeContainerdClient);
  EXPECT_THAT(AwaitChanges(1),
              ElementsAre(absl::StrCat("started ", *Docker({"ps", "-q", "--no-trunc"}))));
  NSCTL_ASSERT_OK_AND_ASSIGN(procfsroot::Root root,
                             procfsroot::Root::OfProcess(procfs_, sandbox_->init()));
  dockers_link_ = std::make_unique<EngineLink>(procfs_, std::move(root), "/run/docker.sock");
  Engine engine;
  engine.set_key("docker:1@1");
  engine.set_type(Engine::docker);
  dockers_ = std::make_unique<EngineWatcher>(
      engine, docker::MakeDockerClient([this] { return dockers_link_->Connect(); }),
      dockers_link_->MakeFinder(), nullptr, &hub_, WatcherOptions());
  ASSERT_TRUE(dockers_->AwaitFirstResult(absl::Now() + absl::Minutes(1)));

  const Containers current = hub_.Current();

  ASSERT_EQ(current.containers_size(), 1) << current.DebugString();
  const Container& container = current.containers(0);
  EXPECT_EQ(container.name(), "web");
  ASSERT_EQ(container.views_size(), 2);
  EXPECT_EQ(container.views(0).type(), Engine::docker);
  EXPECT_EQ(container.views(1).type(), Engine::containerd);
  EXPECT_EQ(container.views(1).native_namespace(), "moby");
}

}  // namespace
}  // namespace nsctl::engines::containerd
