#include <errno.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/evidence.h"
#include "engines/process_scan.h"
#include "engines/process_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using testing::IsOk;

int BecomeUser() { return setresuid(12321, 12321, 12321) == 0 ? 0 : errno; }

int EnterUserNamespace() { return BecomeUser() == 0 && unshare(CLONE_NEWUSER) == 0 ? 0 : errno; }

// What the container whose initial process is `pid` is known to be: "systemd-nspawn of nspawn".
std::string KnownAs(base::Pid pid) {
  const procfsroot::Procfs procfs = *procfsroot::Procfs::Live();
  ProcessTable table(procfs);
  Evidence evidence(procfs, &table, std::nullopt);
  const auto result =
      evidence.Scan(absl::ZeroDuration(), [](base::Pid, uint64_t) { return false; });
  EXPECT_THAT(result, IsOk());
  if (!result.ok()) return "";
  for (const EvidenceRow& row : result->rows) {
    const Container& container = row.row.container;
    if (container.engine_pid() != pid.value) continue;
    const std::string* const source = FindLabel(container.annotations(), kEvidenceAnnotation);
    const std::string* const engine = FindLabel(container.annotations(), kEngineAnnotation);
    return (source == nullptr ? "?" : *source) + " of " + (engine == nullptr ? "?" : *engine);
  }
  return "";
}

// Anybody may call a process like an engine's helper.
TEST(Evidence, KnowsTheHostsHelpersFromOthers) {
  struct Case {
    std::string name;
    int namespaces;
    std::function<int()> setup;
    std::string known_as;
  };
  const Case cases[] = {
      {"the host's", 0, nullptr, "systemd-nspawn of nspawn"},
      {"a user's", 0, BecomeUser, "systemd-nspawn of ?"},
      {"in a PID namespace", CLONE_NEWPID, nullptr, "systemd-nspawn of ?"},
  };
  for (const Case& test : cases) {
    const testing::ProcessSpec helper = {
        .namespaces = test.namespaces, .name = "systemd-nspawn", .setup = test.setup};
    const testing::ProcessSpec init = {.name = "init", .setup = test.setup};
    NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {helper, init});
    EXPECT_EQ(KnownAs(fixture->last().pid), test.known_as) << test.name;
  }
}

class StatesOfUsersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs CAP_CHOWN";
    for (const char* const user : {"12321", "12322"}) {
      const std::string folder = std::string("/run/user/") + user;
      std::filesystem::create_directories(root_ + folder + "/runc");
      Own(folder, std::stoi(user));
      Own(folder + "/runc", std::stoi(user));
    }
    std::filesystem::create_directories(root_ + "/run/runc");
  }

  void Own(const std::string& path, int uid) {
    ASSERT_EQ(chown((root_ + path).c_str(), uid, uid), 0) << path;
  }

  // Of `name` in the folder, whose owner it gets.
  void AddState(const std::string& folder, const std::string& name, base::Pid pid, int uid) {
    const std::string path = absl::StrCat(folder, "/", name);
    std::filesystem::create_directories(root_ + path);
    const auto process = ScanProcess(procfs_, pid);
    ASSERT_THAT(process, IsOk());
    std::ofstream(absl::StrCat(root_, path, "/state.json"))
        << R"({"id":")" << name << R"(","init_process_pid":)" << pid.value
        << R"(,"init_process_start":)" << process->start_time << R"(,"config":{"labels":["by=)"
        << name << R"("]}})";
    Own(path, uid);
    Own(path + "/state.json", uid);
  }

  // "NAME of UID by LABEL" of the container that begins with `pid`; empty where there is none.
  std::string Known(base::Pid pid) {
    ProcessTable table(procfs_);
    Evidence evidence(procfs_, &table, *procfsroot::Root::OfPath(root_));
    const auto result =
        evidence.Scan(absl::ZeroDuration(), [](base::Pid, uint64_t) { return false; });
    EXPECT_THAT(result, IsOk());
    if (!result.ok()) return "";
    for (const EvidenceRow& row : result->rows) {
      const Container& container = row.row.container;
      if (container.engine_pid() != pid.value) continue;
      const std::string* const by = FindLabel(container.annotations(), "by");
      return absl::StrCat(container.name(), " of ", container.told_by_uid(),
                          container.foreign() ? " foreign" : "", " by ",
                          by == nullptr ? "nobody" : *by);
    }
    return "";
  }

  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  testing::TestDirectory directory_;
  const std::string root_ = directory_.path();
};

TEST_F(StatesOfUsersTest, AreBelievedOfTheirOwnProcesses) {
  const testing::ProcessSpec user = {.setup = BecomeUser};
  const testing::ProcessSpec rootless = {.setup = EnterUserNamespace};
  NSCTL_START_NAMESPACES_OR_SKIP(const auto roots, {{}});
  NSCTL_START_NAMESPACES_OR_SKIP(const auto users, {user, rootless});
  const base::Pid own = users->processes()[0].pid;
  const base::Pid inner = users->last().pid;
  AddState("/run/user/12321/runc", "taken", roots->last().pid, 12321);
  AddState("/run/user/12321/runc", "first", base::Pid{1}, 12321);
  AddState("/run/user/12321/runc", "own", own, 12321);
  AddState("/run/user/12321/runc", "inner", inner, 12321);
  // Another's.
  AddState("/run/user/12322/runc", "stolen", own, 12322);

  EXPECT_EQ(Known(roots->last().pid), "");
  EXPECT_EQ(Known(base::Pid{1}), "");
  EXPECT_EQ(Known(own), "own of 12321 foreign by own");
  EXPECT_EQ(Known(inner), "inner of 12321 foreign by inner");

  // The host's word is before his.
  AddState("/run/runc", "hosts", own, 0);
  EXPECT_EQ(Known(own), "hosts of 0 by hosts");
}

TEST_F(StatesOfUsersTest, AreNotBelievedInOthersFoldersAndBehindLinks) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto users, {{.setup = BecomeUser}});
  const base::Pid pid = users->last().pid;
  // Who may write there is not the one who is meant.
  AddState("/run/user/12322/runc", "mine", pid, 12321);
  AddState("/run/user/12321/runc", "others", pid, 12322);
  EXPECT_EQ(Known(pid), "");

  // Nobody's word about himself is root's, also where root's file is what it leads to.
  AddState("/run/runc/elsewhere", "hosts", pid, 0);
  std::filesystem::create_directory_symlink(root_ + "/run/runc/elsewhere/hosts",
                                            root_ + "/run/user/12321/runc/link");
  EXPECT_EQ(Known(pid), "");

  // A file of root's that is in his folder may be his words.
  AddState("/run/user/12321/runc", "copied", pid, 0);
  EXPECT_EQ(Known(pid), "copied of 12321 foreign by copied");
  // In the host's folder a file of a user's is his as well.
  std::filesystem::remove_all(root_ + "/run/user/12321/runc/copied");
  AddState("/run/runc", "given", pid, 12321);
  EXPECT_EQ(Known(pid), "given of 12321 foreign by given");
}

TEST_F(StatesOfUsersTest, AddNothingToWhatTheHostsHelpersShow) {
  // As a container of the host's that runs as this user.
  const testing::ProcessSpec helper = {.name = "systemd-nspawn"};
  NSCTL_START_NAMESPACES_OR_SKIP(const auto hosts, {helper, {.name = "i", .setup = BecomeUser}});
  AddState("/run/user/12321/runc", "taken", hosts->last().pid, 12321);
  const std::string before = Known(hosts->last().pid);

  EXPECT_THAT(before, ::testing::HasSubstr(" of 0 by nobody"));
  AddState("/run/runc", "hosts", hosts->last().pid, 0);
  EXPECT_THAT(Known(hosts->last().pid), ::testing::HasSubstr(" of 0 by hosts"));
}

// A helper of a user's shows no container that begins with a process of root's.
TEST(Evidence, BelievesNoUsersHelperAboutRootsProcesses) {
  // As a program with the set-user-ID bit that it started.
  const testing::ProcessSpec helper = {.name = "systemd-nspawn", .setup = BecomeUser};
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {helper, {.name = "init"}});

  EXPECT_EQ(KnownAs(fixture->last().pid), "");
}

}  // namespace
}  // namespace nsctl::engines
