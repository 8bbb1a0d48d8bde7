// A real Docker daemon, from the distribution's packages, compared with its own command line.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/docker/docker_client.h"
#include "engines/engine_client.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::docker {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

constexpr char kSocket[] = "/run/docker.sock";

class DockerEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/sbin/dockerd", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    ASSERT_THAT(StartDaemon(), IsOk());
    NSCTL_ASSERT_OK_AND_ASSIGN(const std::string tar, sandbox_->MakeBusyboxTar());
    ASSERT_THAT(Docker({"import", tar, "nsctl/busybox:1"}), IsOk());
  }

  void TearDown() override {
    watcher_.reset();
    if (sandbox_ == nullptr) return;
    // The engine takes its cgroups away with the containers.
    const auto all = Docker({"ps", "-aq"});
    if (!all.ok() || all->empty()) return;
    std::vector<std::string> command = {"rm", "-f"};
    for (const std::string& id : SortedLines(*all)) command.push_back(id);
    EXPECT_THAT(Docker(command), IsOk());
  }

  absl::Status StartDaemon() {
    NSCTL_RETURN_IF_ERROR(
        sandbox_->Run({"sh", "-c", "echo \"$1\" >/run/daemon.json", "sh", config_}).status());
    NSCTL_ASSIGN_OR_RETURN(
        daemon_,
        sandbox_->Start(
            {"dockerd", "--config-file=/run/daemon.json",
             absl::StrCat("--data-root=", sandbox_->folder(), "/data"), "--exec-root=/run/docker",
             "--pidfile=/run/docker.pid", absl::StrCat("--host=unix://", kSocket),
             absl::StrCat("--cgroup-parent=/", sandbox_->cgroup()), "--bridge=none",
             "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--live-restore"}));
    if (AwaitMinute([this] { return Docker({"version"}).ok(); })) return absl::OkStatus();
    return absl::DeadlineExceededError("dockerd does not answer");
  }

  absl::StatusOr<std::string> Docker(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"/usr/bin/docker", "-H", absl::StrCat("unix://", kSocket)};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sandbox_->Run(command);
  }

  void RunContainer(const std::string& name, const std::vector<std::string>& options = {}) {
    std::vector<std::string> command = {"run", "-d", "--network=none", "--name", name};
    command.insert(command.end(), options.begin(), options.end());
    for (const char* word : {"nsctl/busybox:1", "/bin/sleep", "100000"}) command.push_back(word);
    ASSERT_THAT(Docker(command), IsOk());
  }

  void Watch() { RealEngineTest::Watch(kSocket, Engine::docker, MakeDockerClient); }

  // "/NAME ID PID PAUSED PROJECT" of each container; PIDs as the daemon counts.
  std::vector<std::string> KnownToUs() {
    return Known([this](const Container& container) {
      const bool paused = container.state() == Container::paused;
      return absl::StrCat("/", container.name(), " ", container.id(), " ",
                          InSandbox(container.pid()), paused ? " true" : " false",
                          container.has_project() ? " " : "", container.project().project());
    });
  }
  std::vector<std::string> KnownToDocker() {
    const auto ids = Docker({"ps", "-q"});
    EXPECT_THAT(ids, IsOk());
    if (!ids.ok() || ids->empty()) return {};
    std::vector<std::string> command = {
        "inspect", "-f",
        R"({{.Name}} {{.Id}} {{.State.Pid}} {{.State.Paused}} )"
        R"({{with index .Config.Labels "com.docker.compose.project"}}{{.}}{{end}})"};
    for (const std::string& id : SortedLines(*ids)) command.push_back(id);
    const auto text = Docker(command);
    EXPECT_THAT(text, IsOk());
    return SortedLines(text.ok() ? *text : "");
  }

  std::string config_ = "{}";
  base::Pid daemon_;
};

TEST_F(DockerEngineTest, KnowsWhatDockerKnows) {
  RunContainer("alpha");
  RunContainer("beta");
  RunContainer("gamma", {"--label=com.docker.compose.project=shop",
                         "--label=com.docker.compose.service=web", "--restart=always"});
  ASSERT_THAT(Docker({"pause", "beta"}), IsOk());
  // Listed by none.
  ASSERT_THAT(Docker({"create", "--name=delta", "nsctl/busybox:1", "/bin/true"}), IsOk());

  Watch();

  EXPECT_EQ(KnownToUs(), KnownToDocker());
  EXPECT_EQ(KnownToUs().size(), 3);
  const Containers current = hub_.Current();
  EXPECT_EQ(current.engines(0).id(), *Docker({"info", "-f", "{{.ID}}"}));
  EXPECT_EQ(current.engines(0).version(), *Docker({"info", "-f", "{{.ServerVersion}}"}));
  for (const Container& container : current.containers()) {
    EXPECT_EQ(container.image(), "nsctl/busybox:1");
  }
}

TEST_F(DockerEngineTest, TellsWhatIsDone) {
  Watch();
  RunContainer("alpha");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started alpha"));
  ASSERT_THAT(Docker({"pause", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("paused alpha"));
  ASSERT_THAT(Docker({"unpause", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("unpaused alpha"));
  // No change of the container.
  ASSERT_THAT(Docker({"exec", "alpha", "/bin/true"}), IsOk());
  ASSERT_THAT(Docker({"rename", "alpha", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("updated omega"));
  ASSERT_THAT(Docker({"restart", "-t", "0", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(2), ElementsAre("exited omega 137", "started omega"));
  EXPECT_EQ(KnownToUs(), KnownToDocker());
  // It does not end of that.
  ASSERT_THAT(Docker({"kill", "-s", "TERM", "omega"}), IsOk());
  ASSERT_THAT(Docker({"kill", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited omega 137"));
  ASSERT_THAT(Docker({"rm", "omega"}), IsOk());
  RunContainer("last");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started last"));
  ASSERT_THAT(Docker({"rm", "-f", "last"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited last 137"));
}

TEST_F(DockerEngineTest, TellsOfLivesThatAreTooShortToBeSeen) {
  Watch();
  std::vector<std::string> wanted;
  for (int i = 0; i < 5; ++i) {
    const std::string name = absl::StrCat("job", i);
    ASSERT_THAT(
        Docker({"run", "--rm", "--network=none", "--name", name, "nsctl/busybox:1", "/bin/true"}),
        IsOk());
    wanted.push_back(absl::StrCat("started ", name));
    wanted.push_back(absl::StrCat("exited ", name, " 0"));
  }

  EXPECT_EQ(AwaitChanges(wanted.size()), wanted);
}

TEST_F(DockerEngineTest, ListsWhatDoesNotRunAsDockerDoes) {
  RunContainer("alpha");
  ASSERT_THAT(Docker({"create", "--name=delta", "nsctl/busybox:1", "/bin/true"}), IsOk());
  // Its status is the container's.
  (void)Docker({"run", "--network=none", "--name=job", "nsctl/busybox:1", "sh", "-c", "exit 3"});
  Watch();

  const std::vector<std::string> stopped = Stopped(MakeDockerClient, [](const Container& one) {
    EXPECT_EQ(one.has_finished_at(), one.name() == "job");
    EXPECT_EQ(one.exit_code(), one.name() == "job" ? 3 : 0);
    return absl::StrCat(one.name(), " ", one.id(), " ", StateName(one.state()));
  });

  const auto told =
      Docker({"ps", "-a", "--no-trunc", "--filter=status=exited", "--filter=status=created",
              "--format", "{{.Names}} {{.ID}} {{.State}}"});
  ASSERT_THAT(told, IsOk());
  EXPECT_EQ(stopped, SortedLines(*told));
  EXPECT_EQ(stopped.size(), 2);
}

TEST_F(DockerEngineTest, LivesThroughARestartOfTheDaemon) {
  RunContainer("db");
  RunContainer("web");
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
  RunContainer("new");

  // Of the one that lived on, nothing is told.
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started new"));
  EXPECT_EQ(KnownToUs(), KnownToDocker());
}

// Newer Docker can leave images and what containers write to containerd.
class ContainerdImagesTest : public DockerEngineTest {
 protected:
  ContainerdImagesTest() { config_ = R"({"features":{"containerd-snapshotter":true}})"; }
};

TEST_F(ContainerdImagesTest, KnowsWhatDockerKnows) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::string driver, Docker({"info", "-f", "{{.DriverStatus}}"}));
  if (!absl::StrContains(driver, "io.containerd.snapshotter")) {
    GTEST_SKIP() << "Docker before 23 keeps no images in containerd";
  }
  Watch();
  RunContainer("alpha");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started alpha"));
  RunContainer("beta");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started beta"));
  ASSERT_THAT(Docker({"pause", "beta"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("paused beta"));

  EXPECT_EQ(KnownToUs(), KnownToDocker());
  const Containers current = hub_.Current();
  for (const Container& container : current.containers()) {
    EXPECT_EQ(container.image(), "nsctl/busybox:1");
  }
}

}  // namespace
}  // namespace nsctl::engines::docker
