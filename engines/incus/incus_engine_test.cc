// A real LXD daemon, from the distribution's packages, compared with its own command line.

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/http_client.h"
#include "engines/incus/incus_client.h"
#include "engines/json_text.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::incus {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

class IncusEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/bin/lxd", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    // Users of unprivileged containers have to come through.
    ASSERT_EQ(chmod(sandbox_->folder().c_str(), 0711), 0);
    ASSERT_THAT(Shell("mkdir -m 711 $LXD_DIR"), IsOk());
    ASSERT_THAT(StartDaemon(), IsOk());
    ASSERT_THAT(Initialize(), IsOk());
    ASSERT_THAT(ImportImage(), IsOk());
  }

  void TearDown() override {
    watcher_.reset();
    if (sandbox_ == nullptr) return;
    // The engine takes away its mounts and cgroups with them.
    for (const char* project : {"default", "shop"}) {
      const auto all = Lxc({"--project", project, "list", "-c", "n", "-f", "csv"});
      if (!all.ok()) continue;
      for (const std::string& name : SortedLines(*all)) {
        EXPECT_THAT(Lxc({"--project", project, "delete", "-f", name}), IsOk());
      }
    }
  }

  std::string Directory() const { return sandbox_->folder() + "/dir"; }
  std::string Socket() const { return Directory() + "/unix.socket"; }

  std::vector<std::string> Entered(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {"env", absl::StrCat("HOME=", sandbox_->folder()),
                                        absl::StrCat("LXD_DIR=", Directory()),
                                        absl::StrCat("LXD_CONF=", sandbox_->folder(), "/conf")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  absl::StatusOr<std::string> Shell(const std::string& script) {
    return sandbox_->Run(Entered({"sh", "-ec", script}));
  }
  absl::StatusOr<std::string> Lxc(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"lxc", "-q"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sandbox_->Run(Entered(command));
  }

  absl::Status StartDaemon() {
    NSCTL_ASSIGN_OR_RETURN(
        daemon_,
        sandbox_->Start(Entered(
            {"lxd", "--group=root", absl::StrCat("--logfile=", sandbox_->folder(), "/lxd.log")})));
    return Shell("lxd waitready --timeout=50").status();
  }

  // A pool of folders, cgroups that are the sandbox's, and the project "shop".
  absl::Status Initialize() {
    return Shell(absl::StrCat("lxd init --preseed <<.\n"
                              "storage_pools: [{name: default, driver: dir}]\n"
                              "projects: [{name: shop, config: {features.images: 'false', "
                              "features.profiles: 'false'}}]\n"
                              "profiles: [{name: default, config: {raw.lxc: 'lxc.cgroup.dir = ",
                              sandbox_->cgroup(),
                              "'}, devices: {root: {path: /, pool: default, type: disk}}}]\n.\n"))
        .status();
  }

  absl::Status ImportImage() {
    NSCTL_RETURN_IF_ERROR(sandbox_->MakeBusyboxTar().status());
    return Shell(
               absl::StrCat("cd ", sandbox_->folder(), "; mkdir image; mv busybox image/rootfs\n",
                            "mkdir image/rootfs/sbin; ln -s ../bin/busybox image/rootfs/sbin/init\n"
                            "echo '::respawn:/bin/sleep 100000' >image/rootfs/etc/inittab\n"
                            "echo '{architecture: x86_64, creation_date: 1700000000, "
                            "properties: {description: nsctl busybox}}' >image/metadata.yaml\n"
                            "tar -C image --owner=0 --group=0 -czf image.tgz metadata.yaml rootfs\n"
                            "lxc -q image import image.tgz --alias busybox\n"))
        .status();
  }

  void Launch(const std::string& project, const std::string& name,
              const std::vector<std::string>& options = {}) {
    std::vector<std::string> command = {"--project", project, "launch", "busybox", name};
    command.insert(command.end(), options.begin(), options.end());
    ASSERT_THAT(Lxc(command), IsOk());
  }

  void Watch() {
    RealEngineTest::Watch(Socket(), Engine::lxd,
                          [](Connector connect) { return MakeIncusClient(std::move(connect)); });
  }

  // "PROJECT/NAME UUID PID STATE" of each container; PIDs as the daemon counts.
  std::vector<std::string> KnownToUs() {
    return Known([this](const Container& container) {
      return absl::StrCat(container.native_namespace(), "/", container.name(), " ", container.id(),
                          " ", InSandbox(container.pid()), " ",
                          container.state() == Container::paused ? "Frozen" : "Running");
    });
  }
  std::vector<std::string> KnownToLxd() {
    const auto text = Lxc({"list", "-f", "json", "--all-projects"});
    EXPECT_THAT(text, IsOk());
    const auto json = ParseJson(text.ok() ? *text : "");
    EXPECT_THAT(json, IsOk());
    std::vector<std::string> known;
    if (!json.ok() || !json->is_array()) return known;
    for (const Json& instance : *json) {
      const Json& state = Member(instance, "state");
      if (TextMember(state, "status") == "Stopped") continue;
      known.push_back(
          absl::StrCat(TextMember(instance, "project"), "/", TextMember(instance, "name"), " ",
                       TextMember(Member(instance, "config"), "volatile.uuid"), " ",
                       IntMember(state, "pid").value_or(-1), " ", TextMember(state, "status")));
    }
    return SortedLines(absl::StrJoin(known, "\n"));
  }

  base::Pid daemon_;
};

TEST_F(IncusEngineTest, KnowsWhatLxdKnows) {
  Launch("default", "alpha", {"-c", "user.role=web"});
  Launch("default", "beta");
  Launch("shop", "gamma");
  Launch("shop", "alpha", {"-c", "security.privileged=true"});
  ASSERT_THAT(Lxc({"pause", "beta"}), IsOk());
  // Listed by none.
  ASSERT_THAT(Lxc({"init", "busybox", "delta"}), IsOk());

  Watch();

  EXPECT_EQ(KnownToUs(), KnownToLxd());
  EXPECT_EQ(KnownToUs().size(), 4);
  const Containers current = hub_.Current();
  EXPECT_EQ(current.engines(0).type(), Engine::lxd);
  EXPECT_EQ(current.engines(0).id().size(), 64);
  EXPECT_EQ(current.engines(0).version(), *Shell("lxd --version"));
  for (const Container& container : current.containers()) {
    const bool is_privileged =
        container.native_namespace() == "shop" && container.name() == "alpha";
    EXPECT_EQ(container.privileged(), is_privileged) << container.name();
    EXPECT_EQ(container.image(), "nsctl busybox");
    EXPECT_EQ(container.labels_size(),
              container.native_namespace() == "default" && container.name() == "alpha" ? 1 : 0);
  }
}

TEST_F(IncusEngineTest, TellsWhatIsDone) {
  Watch();
  Launch("default", "alpha");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started alpha"));
  ASSERT_THAT(Lxc({"pause", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("paused alpha"));
  ASSERT_THAT(Lxc({"start", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("unpaused alpha"));
  // No change of the container.
  ASSERT_THAT(Lxc({"exec", "alpha", "/bin/true"}), IsOk());
  ASSERT_THAT(Lxc({"config", "set", "alpha", "user.role=web"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("updated alpha"));
  ASSERT_THAT(Lxc({"restart", "-f", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(2), ElementsAre("exited alpha", "started alpha"));
  EXPECT_EQ(KnownToUs(), KnownToLxd());
  ASSERT_THAT(Lxc({"stop", "-f", "alpha"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited alpha"));
  ASSERT_THAT(Lxc({"rename", "alpha", "omega"}), IsOk());
  ASSERT_THAT(Lxc({"start", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started omega"));
  ASSERT_THAT(Lxc({"delete", "-f", "omega"}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited omega"));
  // Another one of the name.
  Launch("shop", "omega");
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started omega"));
  EXPECT_EQ(KnownToUs(), KnownToLxd());
}

TEST_F(IncusEngineTest, LivesThroughARestartOfTheDaemon) {
  // It would be started again, as it ran when the daemon ended.
  Launch("default", "db", {"-c", "boot.autostart=false"});
  Launch("default", "web");
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
  Launch("default", "new");

  // Of the one that lived on, nothing is told.
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started new"));
  EXPECT_EQ(KnownToUs(), KnownToLxd());
}

}  // namespace
}  // namespace nsctl::engines::incus
