// Real containers of LXC's, from the distribution's packages, compared with its own command line.

#include <unistd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/portfolio.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::lxc {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

// A root file system for each, since one may be of other users.
constexpr char kSetUp[] = R"(
chmod a+rx FOLDER
mkdir -p FOLDER/lxc
for name in alpha beta mapped; do
  root=FOLDER/root-$name
  mkdir -p $root/bin $root/dev $root/etc $root/proc $root/sys FOLDER/lxc/$name
  cp /bin/busybox $root/bin
  for applet in sh sleep reboot; do ln -s busybox $root/bin/$applet; done
  # It is told by SIGINT that it is to reboot.
  printf '#!/bin/sh\ntrap "/bin/reboot -f" INT\nwhile :; do /bin/sleep 1 & wait $!; done\n' \
    >$root/bin/init
  chmod a+x $root/bin/init
  cat >FOLDER/lxc/$name/config <<END
lxc.uts.name = $name
lxc.rootfs.path = dir:$root
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
lxc.mount.auto = proc:mixed sys:ro
lxc.init.cmd = /bin/init
lxc.cgroup.dir = CGROUP
END
done
printf 'lxc.idmap = u 0 300000 65536\nlxc.idmap = g 0 300000 65536\n' >>FOLDER/lxc/mapped/config
echo 'lxc.group = shop' >>FOLDER/lxc/alpha/config
chown -hR 300000:300000 FOLDER/root-mapped
echo root:300000:65536 >/run/ids
mount --bind /run/ids /etc/subuid
mount --bind /run/ids /etc/subgid
)";

class LxcEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/bin/lxc-start", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    ASSERT_THAT(sandbox_->Run({"sh", "-ec",
                               absl::StrReplaceAll(kSetUp, {{"FOLDER", sandbox_->folder()},
                                                            {"CGROUP", sandbox_->cgroup()}})}),
                IsOk());
  }

  void TearDown() override {
    changes_.reset();
    portfolio_.reset();
    if (sandbox_ == nullptr) return;
    for (const char* const name : {"alpha", "beta", "mapped"}) {
      (void)Lxc("unfreeze", name);
      (void)Lxc("stop", name, {"--kill"});
    }
  }

  std::string Folder() { return absl::StrCat(sandbox_->folder(), "/lxc"); }
  absl::StatusOr<std::string> Lxc(const std::string& command, const std::string& name,
                                  const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {absl::StrCat("lxc-", command), "-P", Folder(), "-n", name};
    words.insert(words.end(), more.begin(), more.end());
    return sandbox_->Run(words);
  }
  void StartContainer(const std::string& name) {
    ASSERT_THAT(Lxc("start", name, {"--daemon"}), IsOk());
  }

  void Follow() {
    PortfolioOptions options;
    options.types = {Engine::lxc};
    NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));
    EXPECT_TRUE(portfolio_->AwaitFirstResults(absl::Now() + absl::Minutes(1)));
    changes_ = portfolio_->Subscribe();
  }

  // Others' may run on the machine.
  std::string EngineKey() {
    const Containers current = portfolio_->Current();
    for (const Engine& engine : current.engines()) {
      if (engine.id() == Folder()) return engine.key();
    }
    return "";
  }
  std::vector<Container> Ours() {
    std::vector<Container> ours;
    const std::string key = EngineKey();
    const Containers current = portfolio_->Current();
    for (const Container& container : current.containers()) {
      if (container.engine() == key) ours.push_back(container);
    }
    return ours;
  }
  // "NAME STATE PID UNPRIVILEGED", as lxc-ls has it.
  std::vector<std::string> KnownToUs() {
    std::vector<std::string> known;
    for (const Container& container : Ours()) {
      known.push_back(absl::StrCat(
          container.name(), " ", container.state() == Container::paused ? "FROZEN" : "RUNNING", " ",
          InSandbox(container.pid()), container.privileged() ? " false" : " true"));
    }
    return known;
  }
  std::vector<std::string> KnownToLxc() {
    const auto text = sandbox_->Run({"sh", "-c",
                                     absl::StrCat("lxc-ls -P ", Folder(),
                                                  " --active --fancy -F "
                                                  "name,state,pid,unprivileged | tail -n +2 | "
                                                  "awk '{print $1, $2, $3, $4}'")});
    EXPECT_THAT(text, IsOk());
    return SortedLines(text.ok() ? *text : "");
  }

  // The next changes of our containers but for details: "started alpha".
  std::vector<std::string> Next(size_t count) {
    std::vector<std::string> changes;
    const absl::Time deadline = absl::Now() + absl::Minutes(1);
    while (changes.size() < count) {
      const auto batch = changes_->Next(deadline);
      if (!batch.ok()) break;
      for (const Change& change : batch->changes) {
        const Container& container = change.container();
        const std::string* const root = FindLabel(container.annotations(), "lxc.rootfs.path");
        if (root == nullptr || !absl::StrContains(*root, sandbox_->folder()) ||
            change.kind() == Change::updated) {
          continue;
        }
        changes.push_back(absl::StrCat(Change::Kind_Name(change.kind()), " ", container.name()));
      }
    }
    return changes;
  }

  std::unique_ptr<Portfolio> portfolio_;
  std::unique_ptr<ContainerHub::Subscription> changes_;
};

TEST_F(LxcEngineTest, KnowsWhatLxcKnows) {
  StartContainer("alpha");
  StartContainer("beta");
  StartContainer("mapped");
  ASSERT_THAT(Lxc("freeze", "beta"), IsOk());

  Follow();

  EXPECT_EQ(KnownToUs(), KnownToLxc());
  const std::vector<Container> ours = Ours();
  ASSERT_EQ(ours.size(), 3);
  const std::string* const group = FindLabel(ours[0].annotations(), "lxc.group");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(*group, "shop");
  EXPECT_EQ(ours[0].cgroup(), absl::StrCat("/", sandbox_->cgroup(), "/lxc.payload.alpha"));
}

TEST_F(LxcEngineTest, TellsWhatIsDone) {
  StartContainer("beta");
  Follow();

  StartContainer("alpha");
  EXPECT_THAT(Next(1), ElementsAre("started alpha"));
  ASSERT_THAT(Lxc("freeze", "alpha"), IsOk());
  EXPECT_THAT(Next(1), ElementsAre("paused alpha"));
  ASSERT_THAT(Lxc("unfreeze", "alpha"), IsOk());
  EXPECT_THAT(Next(1), ElementsAre("unpaused alpha"));
  ASSERT_THAT(Lxc("stop", "alpha", {"--kill"}), IsOk());
  EXPECT_THAT(Next(1), ElementsAre("exited alpha"));
  StartContainer("alpha");
  EXPECT_THAT(Next(1), ElementsAre("started alpha"));
  EXPECT_EQ(KnownToUs(), KnownToLxc());
  // The engine ends with its last container.
  ASSERT_THAT(Lxc("stop", "alpha", {"--kill"}), IsOk());
  ASSERT_THAT(Lxc("stop", "beta", {"--kill"}), IsOk());
  EXPECT_THAT(Next(2), ElementsAre("exited alpha", "exited beta"));
  EXPECT_TRUE(AwaitMinute([this] { return EngineKey().empty(); }));
}

TEST_F(LxcEngineTest, FollowsAReboot) {
  StartContainer("alpha");
  Follow();
  const int before = Ours().at(0).pid();

  ASSERT_THAT(Lxc("stop", "alpha", {"--reboot", "--nowait"}), IsOk());

  EXPECT_TRUE(AwaitMinute([&] {
    const std::vector<Container> ours = Ours();
    return ours.size() == 1 && ours[0].pid() != 0 && ours[0].pid() != before;
  }));
  EXPECT_THAT(Next(2), ElementsAre("exited alpha", "started alpha"));
}

}  // namespace
}  // namespace nsctl::engines::lxc
