// A real Podman service, from the distribution's packages, compared with its own command line.

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/fd.h"
#include "engines/container.h"
#include "engines/podman/podman_client.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::podman {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

constexpr char kSocket[] = "/run/podman.sock";
constexpr char kImage[] = "localhost/nsctl/busybox:1";

// All that Podman would read from /etc and from the user. It may not raise limits without
// CAP_SYS_RESOURCE.
constexpr char kSetUp[] = R"(
cat >/run/containers.conf <<'END'
[containers]
apparmor_profile=""
default_ulimits=["nofile=1024:1024","nproc=4096:4096"]
[engine]
END
printf '[storage]\ndriver="overlay"\nrunroot="/run/podman-run"\ngraphroot="FOLDER/root"\n' \
  >/run/storage.conf
: >/run/registries.conf
mkdir -p /run/podman-net FOLDER/tmp
)";

class PodmanEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/bin/podman", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    ASSERT_THAT(
        sandbox_->Run({"sh", "-c", absl::StrReplaceAll(kSetUp, {{"FOLDER", sandbox_->folder()}})}),
        IsOk());
    NSCTL_ASSERT_OK_AND_ASSIGN(const std::string tar, sandbox_->MakeBusyboxTar());
    ASSERT_THAT(Podman({"import", tar, kImage}), IsOk());
    ASSERT_THAT(sandbox_->Start(
                    Command({"system", "service", "--time=0", absl::StrCat("unix://", kSocket)})),
                IsOk());
    const std::string outside = absl::StrCat("/proc/", sandbox_->init().value, "/root", kSocket);
    ASSERT_TRUE(AwaitMinute([&outside] { return access(outside.c_str(), F_OK) == 0; }));
  }

  void TearDown() override {
    watcher_.reset();
    if (sandbox_ == nullptr) return;
    // The engine takes its cgroups away with the containers.
    EXPECT_THAT(Podman({"pod", "rm", "--force", "--all", "--time=0"}), IsOk());
    EXPECT_THAT(Podman({"rm", "--force", "--all", "--time=0"}), IsOk());
  }

  std::vector<std::string> Command(const std::vector<std::string>& arguments) {
    const std::string& folder = sandbox_->folder();
    std::vector<std::string> command = {"env",
                                        "PODMAN_IGNORE_CGROUPSV1_WARNING=1",
                                        "CONTAINERS_CONF=/run/containers.conf",
                                        "CONTAINERS_STORAGE_CONF=/run/storage.conf",
                                        "CONTAINERS_REGISTRIES_CONF=/run/registries.conf",
                                        absl::StrCat("TMPDIR=", folder, "/tmp"),
                                        absl::StrCat("HOME=", folder),
                                        "podman",
                                        absl::StrCat("--root=", folder, "/root"),
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
    return sandbox_->Run(Command(arguments));
  }

  void RunContainer(const std::string& name, const std::vector<std::string>& options) {
    std::vector<std::string> command = {"run", "-d", "--name", name};
    command.insert(command.end(), options.begin(), options.end());
    for (const char* word : {kImage, "/bin/sleep", "100000"}) command.push_back(word);
    ASSERT_THAT(Podman(command), IsOk());
  }
  std::string CgroupParent() { return absl::StrCat("--cgroup-parent=/", sandbox_->cgroup()); }

  void Watch() { RealEngineTest::Watch(kSocket, Engine::podman, MakePodmanClient); }

  // "NAME ID PID POD" of each container; PIDs as the service counts.
  std::vector<std::string> KnownToUs() {
    return Known([this](const Container& container) {
      return absl::StrCat(container.name(), " ", container.id(), " ", InSandbox(container.pid()),
                          container.pod().empty() ? "" : " ", container.pod());
    });
  }
  std::vector<std::string> KnownToPodman() {
    const auto text =
        Podman({"ps", "--all", "--no-trunc", "--filter=status=running", "--filter=status=paused",
                "--format={{.Names}} {{.ID}} {{.Pid}} {{.Pod}}"});
    EXPECT_THAT(text, IsOk());
    return SortedLines(text.ok() ? *text : "");
  }
};

TEST_F(PodmanEngineTest, KnowsWhatPodmanKnows) {
  RunContainer("alpha", {"--network=none", CgroupParent()});
  RunContainer("beta", {"--network=none", CgroupParent()});
  ASSERT_THAT(Podman({"pause", "beta"}), IsOk());
  ASSERT_THAT(Podman({"pod", "create", "--name=shop", "--network=none", CgroupParent()}), IsOk());
  RunContainer("gamma", {"--pod=shop", "--label=com.docker.compose.project=shop"});

  Watch();

  EXPECT_EQ(KnownToUs(), KnownToPodman());
  // The pod's own container is one of them.
  EXPECT_EQ(KnownToUs().size(), 4);
  const Containers current = hub_.Current();
  ASSERT_EQ(current.pods_size(), 1);
  EXPECT_EQ(current.pods(0).name(), "shop");
  int sandboxes = 0;
  for (const Container& container : current.containers()) {
    if (container.sandbox()) ++sandboxes;
    if (container.name() == "beta") {
      EXPECT_EQ(container.state(), Container::paused);
    }
    if (container.name() == "gamma") {
      EXPECT_EQ(container.project().project(), "shop");
    }
  }
  EXPECT_EQ(sandboxes, 1);
}

TEST_F(PodmanEngineTest, TellsWhatIsDone) {
  Watch();
  RunContainer("alpha", {"--network=none", CgroupParent()});
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started alpha"));
  ASSERT_THAT(Podman({"pause", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("paused alpha"));
  ASSERT_THAT(Podman({"unpause", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("unpaused alpha"));
  // No change of the container.
  ASSERT_THAT(Podman({"exec", "alpha", "/bin/true"}), IsOk());
  ASSERT_THAT(Podman({"rename", "alpha", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("updated omega"));
  EXPECT_EQ(KnownToUs(), KnownToPodman());
  ASSERT_THAT(Podman({"kill", "omega"}), IsOk());
  EXPECT_THAT(AwaitChangesButStopping(1), ElementsAre("exited omega 137"));
  ASSERT_THAT(Podman({"start", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started omega"));
  ASSERT_THAT(Podman({"rm", "--force", "--time=0", "omega"}), IsOk());
  EXPECT_THAT(AwaitChangesButStopping(1), ElementsAre("exited omega 137"));
}

TEST_F(PodmanEngineTest, ListsWhatDoesNotRunAsPodmanDoes) {
  RunContainer("alpha", {"--network=none", CgroupParent()});
  ASSERT_THAT(Podman({"create", "--name=delta", "--network=none", kImage, "/bin/true"}), IsOk());
  // Its status is the container's.
  (void)Podman(
      {"run", "--network=none", CgroupParent(), "--name=job", kImage, "sh", "-c", "exit 3"});
  Watch();

  const std::vector<std::string> stopped = Stopped(MakePodmanClient, [](const Container& one) {
    EXPECT_EQ(one.has_finished_at(), one.name() == "job");
    EXPECT_EQ(one.exit_code(), one.name() == "job" ? 3 : 0);
    return absl::StrCat(one.name(), " ", one.id(), " ", StateName(one.state()));
  });

  // Its word for a state is a sentence.
  std::string told;
  for (const char* const state : {"created", "exited"}) {
    const auto lines = Podman({"ps", "--all", "--no-trunc", absl::StrCat("--filter=status=", state),
                               absl::StrCat("--format={{.Names}} {{.ID}} ", state)});
    ASSERT_THAT(lines, IsOk());
    absl::StrAppend(&told, *lines, "\n");
  }
  EXPECT_EQ(stopped, SortedLines(told));
  EXPECT_EQ(stopped.size(), 2);
}

TEST_F(PodmanEngineTest, TellsEachOfManyQuickRestarts) {
  constexpr int kRestarts = 12;
  Watch();
  RunContainer("alpha", {"--network=none", CgroupParent()});
  std::vector<std::string> wanted = {"started alpha"};
  for (int i = 0; i < kRestarts; ++i) {
    ASSERT_THAT(Podman({"restart", "--time=0", "alpha"}), IsOk());
    wanted.insert(wanted.end(), {"exited alpha 137", "started alpha"});
  }
  ASSERT_THAT(Podman({"rm", "--force", "--time=0", "alpha"}), IsOk());
  wanted.push_back("exited alpha 137");

  EXPECT_EQ(AwaitChangesButStopping(wanted.size()), wanted);
}

}  // namespace
}  // namespace nsctl::engines::podman
