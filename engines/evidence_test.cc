#include "engines/evidence.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/process_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"
#include "testing/recorded_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;

const std::string kId(64, 'a');
const std::string kOther(64, '7');

class EvidenceTest : public ::testing::Test {
 protected:
  void Unpack(const std::string& text, const std::string& below) {
    ASSERT_THAT(testing::UnpackRecordedTree(text, directory_.path() + below), IsOk());
  }
  // Of root.
  void Add(int pid, int parent, const std::string& name, const std::string& cgroup = "/",
           const std::string& arguments = "") {
    Unpack(absl::StrFormat(
               "f %1$d/stat\n|%1$d (%3$s) S %2$d 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 %1$d 0 0\n"
               "f %1$d/cmdline\n:%5$s\nf %1$d/cgroup\n|0::%4$s\n"
               "f %1$d/status\n|Uid:\\x090\\x090\\x090\\x090\n",
               pid, parent, name, cgroup, arguments),
           "/proc");
  }
  void SetPidNamespace(int pid, int inode) {
    const std::string ns = absl::StrCat(directory_.path(), "/proc/", pid, "/ns");
    std::filesystem::create_directory(ns);
    std::filesystem::create_symlink(absl::StrCat("pid:[", inode, "]"), ns + "/pid");
  }
  void Remove(int pid) {
    std::filesystem::remove_all(absl::StrCat(directory_.path(), "/proc/", pid));
  }
  void AddFile(const std::string& path, absl::string_view content) {
    const std::filesystem::path file = absl::StrCat(directory_.path(), "/root/", path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  // "PID SOURCE NAMESPACE/ID NAME STATE" of each.
  std::vector<std::string> Scan() {
    std::vector<std::string> found;
    const auto result =
        evidence_.Scan(absl::ZeroDuration(), [this](base::Pid pid, uint64_t start_time) {
          EXPECT_EQ(static_cast<uint64_t>(pid.value), start_time);
          return pid.value == known_;
        });
    EXPECT_THAT(result, IsOk());
    if (!result.ok()) return found;
    gaps_.clear();
    for (const EngineGap& gap : result->gaps) {
      gaps_.push_back(absl::StrCat(gap.subject(), " ", gap.error(), " ", gap.consequence()));
    }
    for (const EvidenceRow& evidence : result->rows) {
      const Container& one = evidence.row.container;
      const std::string* const source = FindLabel(one.annotations(), kEvidenceAnnotation);
      found.push_back(absl::StrCat(one.engine_pid(), " ", source == nullptr ? "?" : *source, " ",
                                   one.native_namespace(), "/", one.id(), " ", one.name(), " ",
                                   StateName(one.state())));
      if (!one.pod().empty()) absl::StrAppend(&found.back(), " in ", evidence.row.pod->name());
    }
    return found;
  }

  static procfsroot::Procfs MakeProcfs(const std::string& path) {
    EXPECT_THAT(testing::UnpackRecordedTree("d 1\n", path + "/proc"), IsOk());
    EXPECT_THAT(testing::UnpackRecordedTree("d run\n", path + "/root"), IsOk());
    return *procfsroot::Procfs::At(path + "/proc");
  }

  // Who expects gaps takes them.
  void TearDown() override { EXPECT_THAT(gaps_, IsEmpty()); }

  testing::TestDirectory directory_;
  int known_ = 0;
  std::vector<std::string> gaps_;
  procfsroot::Procfs procfs_ = MakeProcfs(directory_.path());
  ProcessTable table_{procfs_};
  Evidence evidence_{procfs_, &table_, *procfsroot::Root::OfPath(directory_.path() + "/root")};
};

TEST_F(EvidenceTest, KnowsChildrenOfHelpers) {
  Add(10, 1, "containerd-shim", "/", R"(shim\x00-namespace\x00default\x00-id\x00alpha\x00)");
  Add(11, 10, "sleep", "/default/alpha");
  // Added by exec: in the same cgroup.
  Add(12, 10, "sh", "/default/alpha");
  Add(20, 1, "conmon", "/", R"(conmon\x00-c\x00f90b\x00-n\x00web\x00)");
  Add(21, 20, "sleep", "/libpod_parent/libpod-f90b");
  Add(22, 20, "sh");
  Add(30, 1, "lxc-start", "/lxc.monitor.c1", "[lxc monitor] /var/lib/lxc c1");
  Add(31, 30, "init", "/lxc.payload.c1");
  Add(32, 31, "sh", "/lxc.payload.c1");
  Add(40, 1, "systemd-nspawn", "/", R"(systemd-nspawn\x00-M\x00box\x00)");
  Add(41, 40, "(sd-stubinit)", "/payload");

  EXPECT_THAT(Scan(),
              ElementsAre("31 lxc-monitor //var/lib/lxc/c1 c1 running",
                          "41 systemd-nspawn /box box running", "21 conmon /f90b web running",
                          "11 containerd-shim default/alpha alpha running"));
}

TEST_F(EvidenceTest, KnowsWhatDockersDaemonKeepsOnDisk) {
  Add(10, 1, "containerd-shim", "/",
      absl::StrCat(R"(shim\x00-namespace\x00moby\x00-id\x00)", kId, R"(\x00)"));
  Add(11, 10, "sleep", absl::StrCat("/docker/", kId));
  AddFile(absl::StrCat("var/lib/docker/containers/", kId, "/config.v2.json"),
          absl::StrCat(R"({"ID":")", kId, R"(","Name":"/web"})"));

  EXPECT_THAT(Scan(), ElementsAre(absl::StrCat("11 containerd-shim moby/", kId, " web running")));
}

TEST_F(EvidenceTest, KnowsAllContainersOfAPod) {
  const std::string pod = "/kubepods/pod11111111-2222-3333-4444-555555555501/";
  Add(10, 1, "containerd-shim", "/",
      absl::StrCat(R"(shim\x00-namespace\x00k8s.io\x00-id\x00)", kId, R"(\x00)"));
  Add(11, 10, "pause", pod + kId);
  Add(12, 10, "web", pod + kOther);
  Add(13, 10, "sh", pod + kOther);

  EXPECT_THAT(Scan(),
              ElementsAre(absl::StrCat("12 containerd-shim k8s.io/", kOther, " ", kOther,
                                       " running in 11111111-2222-3333-4444-555555555501"),
                          absl::StrCat("11 containerd-shim k8s.io/", kId, " ", kId,
                                       " running in 11111111-2222-3333-4444-555555555501")));
}

TEST_F(EvidenceTest, WaitsForTheStart) {
  Add(20, 1, "conmon", "/", R"(conmon\x00-c\x00f90b\x00-n\x00web\x00)");
  Add(21, 20, "runc");
  Add(22, 20, "runc:[2:INIT]", "/libpod_parent/libpod-" + kId);
  EXPECT_THAT(Scan(), IsEmpty());
  Remove(21);
  Remove(22);
  Add(22, 20, "web", "/libpod_parent/libpod-" + kId);

  EXPECT_THAT(Scan(), ElementsAre("22 conmon /f90b web running"));
}

TEST_F(EvidenceTest, KnowsNamesOfCgroups) {
  Add(10, 1, "sh", "/docker/" + kId);
  Add(11, 10, "sleep", "/docker/" + kId);
  // In a container of its own below.
  Add(12, 11, "sleep", absl::StrCat("/docker/", kId, "/docker/", kOther));
  Add(13, 1, "sshd", "/system.slice/ssh.service");

  EXPECT_THAT(Scan(), ElementsAre(absl::StrCat("12 cgroup /", kOther, " ", kOther, " running"),
                                  absl::StrCat("10 cgroup /", kId, " ", kId, " running")));
}

TEST_F(EvidenceTest, KnowsStatesOfRuntimes) {
  Add(10, 1, "sleep", "/box");
  Add(11, 1, "sleep");
  Add(12, 1, "sleep");
  AddFile("run/runc/box/state.json",
          R"({"id":"box","init_process_pid":10,"init_process_start":10,"config":{"labels":[)"
          R"("io.kubernetes.container.name=web"]}})");
  AddFile("run/crun/small/status", R"({"pid":11,"process-start-time":11})");
  // Of another process that had the number before.
  AddFile("run/crun/old/status", R"({"pid":12,"process-start-time":1})");
  AddFile("run/crun/odd/status", "{");
  AddFile("run/containerd/runc/shop/none/state.json", R"({"id":"none"})");

  // Whose process that is cannot be told here; and nobody's folder.
  AddFile("run/user/12321/crun/small/status", R"({"pid":12,"process-start-time":12})");
  AddFile("run/user/x/crun/small/status", R"({"pid":12,"process-start-time":12})");

  EXPECT_THAT(Scan(), ElementsAre("10 runc /box web running", "11 crun /small small running"));
  // From memory.
  EXPECT_EQ(Scan().size(), 2);
  std::filesystem::remove_all(directory_.path() + "/root/run/runc/box");
  EXPECT_THAT(Scan(), ElementsAre("11 crun /small small running"));
}

TEST_F(EvidenceTest, AddsStatesToWhatIsKnown) {
  Add(10, 1, "containerd-shim", "/", R"(shim\x00-namespace\x00k8s.io\x00-id\x00alpha\x00)");
  Add(11, 10, "pause", "/k8s.io/alpha");
  AddFile("run/containerd/runc/k8s.io/alpha/state.json",
          R"({"id":"alpha","init_process_pid":11,"init_process_start":11,"config":{"labels":[)"
          R"("io.kubernetes.cri.sandbox-id=alpha","io.kubernetes.cri.sandbox-name=shop",)"
          R"("io.kubernetes.cri.container-type=sandbox"]}})");

  EXPECT_THAT(Scan(), ElementsAre("11 containerd-shim k8s.io/alpha shop running in shop"));
}

// Who made the container wrote its annotations; and whose helper it is cannot be read here.
TEST_F(EvidenceTest, TakesNoWordForWhatItIsKnownBy) {
  Add(10, 1, "systemd-nspawn", "/", R"(systemd-nspawn\x00-M\x00box\x00)");
  std::filesystem::remove(directory_.path() + "/proc/10/status");
  Add(11, 10, "sleep", "/box");
  AddFile("run/runc/box/state.json",
          R"({"id":"box","init_process_pid":11,"init_process_start":11,"config":{"labels":[)"
          R"("nsctl.evidence=cgroup","nsctl.evidence.engine=podman","other=x"]}})");

  EXPECT_THAT(Scan(), ElementsAre("11 systemd-nspawn /box box running"));
  const auto result =
      evidence_.Scan(absl::ZeroDuration(), [](base::Pid, uint64_t) { return false; });
  ASSERT_THAT(result, IsOk());
  const Labels& annotations = result->rows.at(0).row.container.annotations();
  EXPECT_EQ(FindLabel(annotations, kEngineAnnotation), nullptr);
  EXPECT_NE(FindLabel(annotations, "other"), nullptr);
}

TEST_F(EvidenceTest, SeesWhatIsFrozen) {
  Add(10, 1, "sh", "/docker/" + kId);
  AddFile("sys/fs/cgroup/docker/" + kId + "/cgroup.events", "populated 1\nfrozen 1\n");

  EXPECT_THAT(Scan(), ElementsAre(absl::StrCat("10 cgroup /", kId, " ", kId, " paused")));
}

TEST_F(EvidenceTest, LeavesOutWhatEnginesTell) {
  Add(10, 1, "sh", "/docker/" + kId);
  Add(11, 1, "sh", "/docker/" + kOther);
  known_ = 10;

  EXPECT_THAT(Scan(), ElementsAre(absl::StrCat("11 cgroup /", kOther, " ", kOther, " running")));
}

TEST_F(EvidenceTest, LetsNoContainerTakeAll) {
  Unpack("l self 1\n", "/proc");
  SetPidNamespace(1, 1);
  Add(10, 1, "conmon", "/", R"(conmon\x00-c\x00host\x00)");
  SetPidNamespace(10, 1);
  Add(11, 10, "sleep");
  // Two that are full of would-be helpers, older than the last of the host's.
  for (int pid = 100; pid < 500; pid += 2) {
    Add(pid, 1, "conmon", "/", absl::StrCat(R"(conmon\x00-c\x00)", pid, R"(\x00)"));
    SetPidNamespace(pid, pid < 300 ? 2 : 3);
    Add(pid + 1, pid, "sleep");
  }
  Add(500, 1, "conmon", "/", R"(conmon\x00-c\x00last\x00)");
  SetPidNamespace(500, 1);
  Add(501, 500, "sleep");

  EXPECT_THAT(Scan(), ::testing::AllOf(::testing::SizeIs(2 + 2 * 64),
                                       ::testing::Contains("11 conmon /host host running"),
                                       ::testing::Contains("501 conmon /last last running")));
  EXPECT_THAT(gaps_, ElementsAre("pid:229 RESOURCE_EXHAUSTED 36 containers are left out",
                                 "pid:429 RESOURCE_EXHAUSTED 36 containers are left out"));
  gaps_.clear();
}

TEST_F(EvidenceTest, KeepsIdsApart) {
  for (const int helper : {10, 20}) {
    Add(helper, 1, "systemd-nspawn", "/", R"(systemd-nspawn\x00-M\x00box\xff\x00)");
    Add(helper + 1, helper, "init");
  }

  EXPECT_THAT(Scan(), ElementsAre(R"(11 systemd-nspawn /box\xff box\xff running)",
                                  R"(21 systemd-nspawn /box\xff@21 box\xff running)"));
}

}  // namespace
}  // namespace nsctl::engines
