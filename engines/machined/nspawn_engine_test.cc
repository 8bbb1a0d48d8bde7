// Real machines of systemd-nspawn, from the distribution's packages, without systemd-machined:
// known by their helper processes, and by the names that nspawn gives them.

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/evidence.h"
#include "engines/portfolio.h"
#include "engines/process_scan.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::machined {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;

constexpr char kSetUp[] = R"(
for name in alpha beta; do
  root=FOLDER/$name
  mkdir -p $root/bin $root/dev $root/etc $root/proc $root/sys $root/run $root/tmp $root/usr
  cp /bin/busybox $root/bin
  for applet in sh sleep; do ln -s busybox $root/bin/$applet; done
done
)";

class NspawnEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/bin/systemd-nspawn", X_OK), 0) << "tools/test --engines installs it";
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    ASSERT_THAT(
        sandbox_->Run({"sh", "-ec", absl::StrReplaceAll(kSetUp, {{"FOLDER", sandbox_->folder()}})}),
        IsOk());
  }

  // The supervisor's PID.
  base::Pid Run(const std::vector<std::string>& options) {
    std::vector<std::string> command = {"systemd-nspawn", "--register=no", "--keep-unit",
                                        "--as-pid2",      "--quiet",       "--private-network"};
    command.insert(command.end(), options.begin(), options.end());
    for (const char* const word : {"/bin/sleep", "100000"}) command.emplace_back(word);
    const auto supervisor = sandbox_->Start(command);
    EXPECT_THAT(supervisor, IsOk());
    return supervisor.ok() ? *supervisor : base::Pid{};
  }

  // "NAME" of those that are children of a supervisor of ours, by name.
  std::vector<std::string> Known(const std::vector<base::Pid>& supervisors) {
    std::vector<std::string> known;
    const Containers current = portfolio_->Current();
    for (const Container& container : current.containers()) {
      const auto process = ScanProcess(procfs_, base::Pid{container.pid()});
      if (!process.ok()) continue;
      if (std::find(supervisors.begin(), supervisors.end(), process->parent) == supervisors.end()) {
        continue;
      }
      const std::string* const source = FindLabel(container.annotations(), kEvidenceAnnotation);
      EXPECT_NE(source, nullptr);
      if (source != nullptr) {
        EXPECT_EQ(*source, "systemd-nspawn");
      }
      known.push_back(container.name());
    }
    std::sort(known.begin(), known.end());
    return known;
  }

  std::unique_ptr<Portfolio> portfolio_;
};

TEST_F(NspawnEngineTest, KnowsMachinesByTheirNames) {
  const base::Pid named = Run({"-D", absl::StrCat(sandbox_->folder(), "/alpha"), "-M", "web"});
  const base::Pid mapped = Run({absl::StrCat("-D", sandbox_->folder(), "/beta"),
                                "--private-users=524288:65536", "--private-users-ownership=chown"});
  PortfolioOptions options;
  options.types = {Engine::evidence};
  options.look_again = absl::Milliseconds(300);
  NSCTL_ASSERT_OK_AND_ASSIGN(portfolio_, Portfolio::Start(procfs_, options));

  EXPECT_TRUE(AwaitMinute([&] { return Known({named, mapped}).size() == 2; }));
  EXPECT_THAT(Known({named, mapped}), ElementsAre("beta", "web"));

  ASSERT_THAT(sandbox_->Stop(named), IsOk());
  EXPECT_TRUE(AwaitMinute([&] { return Known({named, mapped}).size() == 1; }));
  ASSERT_THAT(sandbox_->Stop(mapped), IsOk());
  EXPECT_TRUE(AwaitMinute([&] { return Known({named, mapped}).empty(); }));
}

}  // namespace
}  // namespace nsctl::engines::machined
