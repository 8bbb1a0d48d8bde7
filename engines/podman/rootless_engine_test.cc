// A real Podman service of a user who is not root, compared with that user's own command line.

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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

constexpr char kImage[] = "localhost/nsctl/busybox:1";
constexpr int kUser = 12345;

// A user whom the sandbox alone knows, and what Podman would read from /etc and from the user. It
// may not raise limits without CAP_SYS_RESOURCE. A user gets cgroups of version 2 alone; without
// them containers have none, and so no limits.
constexpr char kSetUp[] = R"(set -e
chmod 0755 FOLDER
mkdir -p HOME/.config/containers HOME/run HOME/tmp
for file in passwd group subuid subgid; do
  touch /etc/$file
  cp /etc/$file /run/$file
done
echo 'nsctl:x:USER:USER::HOME:/bin/sh' >>/run/passwd
echo 'nsctl:x:USER:' >>/run/group
echo 'nsctl:200000:65536' >>/run/subuid
echo 'nsctl:200000:65536' >>/run/subgid
for file in passwd group subuid subgid; do mount --bind /run/$file /etc/$file; done
limit=2048
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  limit=0
  top=/sys/fs/cgroup/CGROUP
  mkdir -p $top/init
  chown USER:USER $top $top/init $top/cgroup.* $top/init/cgroup.procs
fi
cat >HOME/.config/containers/containers.conf <<END
[containers]
apparmor_profile=""
pids_limit=$limit
default_ulimits=["nofile=1024:1024","nproc=4096:4096"]
[engine]
cgroup_manager="cgroupfs"
events_logger="file"
runtime="runc"
END
printf '[storage]\ndriver="overlay"\n' >HOME/.config/containers/storage.conf
: >HOME/.config/containers/registries.conf
chown -R USER:USER HOME
chmod 0700 HOME/run
)";

class RootlessEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    for (const char* program : {"/usr/bin/podman", "/usr/bin/newuidmap"}) {
      ASSERT_EQ(access(program, X_OK), 0) << program << ": tools/test --engines installs it";
    }
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    home_ = sandbox_->folder() + "/home";
    socket_ = home_ + "/podman.sock";
    NSCTL_ASSERT_OK_AND_ASSIGN(const std::string tar, sandbox_->MakeBusyboxTar());
    ASSERT_THAT(sandbox_->Run({"sh", "-c",
                               absl::StrReplaceAll(kSetUp, {{"FOLDER", sandbox_->folder()},
                                                            {"HOME", home_},
                                                            {"CGROUP", sandbox_->cgroup()},
                                                            {"USER", absl::StrCat(kUser)}})}),
                IsOk());
    ASSERT_THAT(sandbox_->Run({"chmod", "0644", tar}), IsOk());
    ASSERT_THAT(Podman({"import", tar, kImage}), IsOk());
    ASSERT_THAT(sandbox_->Start(
                    Command({"system", "service", "--time=0", absl::StrCat("unix://", socket_)})),
                IsOk());
    ASSERT_TRUE(AwaitMinute([this] { return access(socket_.c_str(), F_OK) == 0; }));
  }

  void TearDown() override {
    watcher_.reset();
    if (sandbox_ == nullptr) return;
    EXPECT_THAT(Podman({"pod", "rm", "--force", "--all", "--time=0"}), IsOk());
    EXPECT_THAT(Podman({"rm", "--force", "--all", "--time=0"}), IsOk());
  }

  // In the user's own cgroup, where there is one.
  std::vector<std::string> Command(const std::vector<std::string>& arguments) {
    const std::string user = absl::StrCat(kUser);
    std::vector<std::string> command = {
        "sh",
        "-c",
        ("own=/sys/fs/cgroup/$1/init; shift; [ ! -d $own ] || echo $$ >$own/cgroup.procs; cd /; "
         "exec \"$@\""),
        "sh",
        sandbox_->cgroup(),
        "setpriv",
        "--reuid=" + user,
        "--regid=" + user,
        "--init-groups",
        "env",
        "PODMAN_IGNORE_CGROUPSV1_WARNING=1",
        "HOME=" + home_,
        "USER=nsctl",
        "XDG_RUNTIME_DIR=" + home_ + "/run",
        "TMPDIR=" + home_ + "/tmp",
        "podman"};
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
  // What freezes containers.
  bool HasCgroups() {
    return sandbox_->Run({"test", "-e", "/sys/fs/cgroup/cgroup.controllers"}).ok();
  }

  void Watch() { RealEngineTest::Watch(socket_, Engine::podman, MakePodmanClient); }

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
  std::vector<std::string> IdMapOf(int pid) {
    const auto text = sandbox_->Run({"cat", absl::StrCat("/proc/", InSandbox(pid), "/uid_map")});
    EXPECT_THAT(text, IsOk());
    return SortedLines(text.ok() ? *text : "");
  }

  std::string home_;
  std::string socket_;
};

TEST_F(RootlessEngineTest, KnowsWhatThatPodmanKnows) {
  RunContainer("alpha", {"--network=none"});
  RunContainer("beta", {"--network=none"});
  if (HasCgroups()) {
    ASSERT_THAT(Podman({"pause", "beta"}), IsOk());
  }
  ASSERT_THAT(Podman({"pod", "create", "--name=shop", "--network=none", "--share=ipc,net,uts",
                      "--share-parent=false"}),
              IsOk());
  RunContainer("gamma", {"--pod=shop", "--label=com.docker.compose.project=shop"});

  Watch();

  EXPECT_EQ(KnownToUs(), KnownToPodman());
  EXPECT_EQ(KnownToUs().size(), 4);
  const Containers current = hub_.Current();
  ASSERT_EQ(current.pods_size(), 1);
  EXPECT_EQ(current.pods(0).name(), "shop");
  for (const Container& container : current.containers()) {
    // The container's root is the user, who has no other power over it.
    EXPECT_THAT(IdMapOf(container.pid()),
                ElementsAre(::testing::ContainsRegex("^0 +12345 +1$"),
                            ::testing::ContainsRegex("^1 +200000 +65536$")))
        << container.name();
    const bool paused = container.name() == "beta" && HasCgroups();
    EXPECT_EQ(container.state(), paused ? Container::paused : Container::running);
    if (container.name() == "gamma") {
      EXPECT_EQ(container.project().project(), "shop");
    }
  }
}

TEST_F(RootlessEngineTest, TellsWhatIsDone) {
  Watch();
  RunContainer("alpha", {"--network=none"});
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started alpha"));
  if (HasCgroups()) {
    ASSERT_THAT(Podman({"pause", "alpha"}), IsOk());
    EXPECT_THAT(AwaitChanges(1), ElementsAre("paused alpha"));
    ASSERT_THAT(Podman({"unpause", "alpha"}), IsOk());
    EXPECT_THAT(AwaitChanges(1), ElementsAre("unpaused alpha"));
  }
  // No change of the container.
  ASSERT_THAT(Podman({"exec", "alpha", "/bin/true"}), IsOk());
  ASSERT_THAT(Podman({"rename", "alpha", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("updated omega"));
  ASSERT_THAT(Podman({"kill", "omega"}), IsOk());
  EXPECT_THAT(AwaitChangesButStopping(1), ElementsAre("exited omega 137"));
  ASSERT_THAT(Podman({"start", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started omega"));
  EXPECT_EQ(KnownToUs(), KnownToPodman());
  ASSERT_THAT(Podman({"rm", "--force", "--time=0", "omega"}), IsOk());
  EXPECT_THAT(AwaitChangesButStopping(1), ElementsAre("exited omega 137"));
}

}  // namespace
}  // namespace nsctl::engines::podman
