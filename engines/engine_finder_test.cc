#include "engines/engine_finder.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/process_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/recorded_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

struct Recorded {
  int pid = 0;
  std::string name;
  std::string arguments = "";
  std::string executable = "/usr/bin/other";
  // Where it listens; empty: nowhere.
  std::string socket = "";
  int pid_namespace = 1;
  int start_time = 0;
  // PF_KTHREAD
  bool kernel_thread = false;
};

std::string TreeOf(const Recorded& process) {
  const int start = process.start_time != 0 ? process.start_time : process.pid;
  std::string text = absl::StrFormat(
      "f %1$d/stat\n|%1$d (%2$s) S 1 0 0 0 0 %3$d 0 0 0 0 0 0 0 0 20 0 1 0 %4$d 0 0\n"
      "f %1$d/cmdline\n:%5$s\n"
      "l %1$d/ns/pid pid:[%6$d]\nd %1$d/fd\n",
      process.pid, process.name, process.kernel_thread ? 0x200000 : 0, start,
      process.arguments.empty() ? process.name : process.arguments, process.pid_namespace);
  if (!process.kernel_thread)
    absl::StrAppend(&text, "l ", process.pid, "/exe ", process.executable, "\n");
  if (process.socket.empty()) return text;
  absl::StrAppendFormat(&text,
                        "f %1$d/net/unix\n|0: 00000002 00000000 00010000 0001 01 %1$d %2$s\n"
                        "l %1$d/fd/3 socket:[%1$d]\n",
                        process.pid, process.socket);
  return text;
}

class EngineFinderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(testing::UnpackRecordedTree("l self 1\n", directory_.path()), IsOk());
    Add({.pid = 1, .name = "init"});
  }
  void Add(const Recorded& process) {
    ASSERT_THAT(testing::UnpackRecordedTree(TreeOf(process), directory_.path()), IsOk());
  }
  void Remove(int pid) { std::filesystem::remove_all(absl::StrCat(directory_.path(), "/", pid)); }
  // "PID TYPE..." of what is new.
  std::vector<std::string> Look() {
    const auto processes = table_.Look(absl::ZeroDuration());
    EXPECT_THAT(processes, IsOk());
    std::vector<std::string> found;
    if (!processes.ok()) return found;
    const EngineFinder::Result result = finder_.Look(**processes);
    for (const FoundEngine& engine : result.engines) {
      std::string text = absl::StrCat(engine.process.pid.value);
      for (const EngineKind* kind : engine.kinds) absl::StrAppend(&text, " ", TypeName(kind->type));
      found.push_back(std::move(text));
    }
    gaps_.clear();
    for (const EngineGap& gap : result.gaps) {
      gaps_.push_back(absl::StrCat(gap.subject(), " ", gap.error(), " ", gap.consequence()));
    }
    return found;
  }

  testing::TestDirectory directory_;
  std::vector<std::string> gaps_;
  procfsroot::Procfs procfs_ = *procfsroot::Procfs::At(directory_.path());
  FinderOptions options_ = {.max_engines = 5, .max_engines_inside = 4, .max_engines_beside = 2};
  TableOptions table_options_;
  ProcessTable table_{procfs_};
  EngineFinder finder_{procfs_, options_};
};

TEST_F(EngineFinderTest, TellsWhereEnginesAreLikelyToAnswer) {
  Add({.pid = 10, .name = "dockerd", .socket = "/tmp/docker.sock"});
  Add({.pid = 11, .name = "dockerd", .socket = "relative.sock"});
  const auto processes = table_.Look(absl::ZeroDuration());
  ASSERT_THAT(processes, IsOk());

  const EngineFinder::Result result = finder_.Look(**processes);

  ASSERT_EQ(result.engines.size(), 2);
  EXPECT_EQ(result.engines[0].socket, "/tmp/docker.sock");
  EXPECT_EQ(result.engines[1].socket, "");
}

TEST_F(EngineFinderTest, TellsEnginesByNameAndSocket) {
  Add({.pid = 10, .name = "dockerd", .socket = "/run/docker.sock"});
  Add({.pid = 11, .name = "dockerd"});
  Add({.pid = 12, .name = "renamed", .executable = "/opt/dockerd", .socket = "/x"});
  Add({.pid = 13, .name = "renamed", .executable = "/opt/dockerd\\x20(deleted)", .socket = "/x"});
  Add({.pid = 14, .name = "balena-engine-d", .socket = "/run/balena-engine.sock"});
  Add({.pid = 15,
       .name = "podman",
       .arguments = R"(podman\x00system\x00service\x00)",
       .socket = "/run/podman/podman.sock"});
  Add({.pid = 16, .name = "podman", .arguments = R"(podman\x00run\x00)", .socket = "/x"});
  Add({.pid = 17, .name = "dockerd", .socket = "/x", .kernel_thread = true});
  Add({.pid = 18, .name = "docker", .socket = "/run/docker.sock"});
  Add({.pid = 19, .name = "sshd", .socket = "/run/docker.sock"});

  EXPECT_THAT(Look(), ElementsAre("10 docker", "12 docker", "13 docker", "14 docker", "15 podman"));
  EXPECT_THAT(gaps_, IsEmpty());
  // Told once.
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(EngineFinderTest, TellsServicesFromTheirHelpers) {
  Add({.pid = 10,
       .name = "lxd",
       .arguments = R"(lxd\x00--group\x00lxd\x00)",
       .socket = "/var/lib/lxd/unix.socket"});
  Add({.pid = 11, .name = "incusd", .socket = "/run/incus/unix.socket"});
  // All have sockets, of whatever kind.
  Add({.pid = 12,
       .name = "lxd",
       .arguments = R"([lxc monitor] /var/lib/lxd/containers web\x00)",
       .socket = "/a"});
  Add({.pid = 13,
       .name = "incusd",
       .arguments = R"(incusd\x00forkproxy\x00--\x00)",
       .socket = "/b"});
  Add({.pid = 14, .name = "incus", .socket = "/c"});

  EXPECT_THAT(Look(), ElementsAre("10 lxd", "11 incus"));
  EXPECT_THAT(gaps_, IsEmpty());
}

TEST_F(EngineFinderTest, TakesChildrenOfAnEngineForNone) {
  Add({.pid = 10, .name = "dockerd", .socket = "/run/docker.sock"});
  Add({.pid = 11, .name = "dockerd", .socket = "/run/docker.sock"});
  std::filesystem::remove(directory_.path() + "/11/fd/3");
  std::filesystem::create_symlink("socket:[10]", directory_.path() + "/11/fd/3");
  std::filesystem::remove(directory_.path() + "/11/net/unix");
  std::filesystem::copy(directory_.path() + "/10/net/unix", directory_.path() + "/11/net/unix");

  EXPECT_THAT(Look(), ElementsAre("10 docker"));
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_THAT(gaps_, IsEmpty());
  // It goes on alone.
  Remove(10);
  EXPECT_THAT(Look(), ElementsAre("11 docker"));
}

TEST_F(EngineFinderTest, FindsWhatListensLater) {
  Add({.pid = 10, .name = "dockerd"});
  EXPECT_THAT(Look(), IsEmpty());
  for (int i = 0; i < 10; ++i) Look();
  Remove(10);
  Add({.pid = 10, .name = "dockerd", .socket = "/run/docker.sock"});

  EXPECT_THAT(Look(), ElementsAre("10 docker"));
}

TEST_F(EngineFinderTest, TellsAnotherProcessOfTheSameNumber) {
  Add({.pid = 10, .name = "dockerd", .socket = "/run/docker.sock"});
  EXPECT_THAT(Look(), ElementsAre("10 docker"));
  Remove(10);
  Add({.pid = 10, .name = "dockerd", .socket = "/run/docker.sock", .start_time = 77});

  std::vector<std::string> found;
  for (int i = 0; i < table_options_.all_again_after && found.empty(); ++i) found = Look();

  EXPECT_THAT(found, ElementsAre("10 docker"));
}

TEST_F(EngineFinderTest, FindsWhatAnOldProcessBecame) {
  Add({.pid = 10, .name = "sh"});
  for (int i = 0; i < table_options_.settled_after; ++i) EXPECT_THAT(Look(), IsEmpty());
  Remove(10);
  Add({.pid = 10, .name = "dockerd", .socket = "/run/docker.sock"});

  std::vector<std::string> found;
  for (int i = 0; i < table_options_.all_again_after && found.empty(); ++i) found = Look();

  EXPECT_THAT(found, ElementsAre("10 docker"));
}

TEST_F(EngineFinderTest, SaysWhatItCouldNotRead) {
  Add({.pid = 10, .name = "dockerd", .socket = "/run/docker.sock"});
  std::filesystem::remove_all(directory_.path() + "/10/fd");
  std::ofstream(directory_.path() + "/10/fd") << "no directory";

  EXPECT_THAT(Look(), IsEmpty());

  EXPECT_THAT(gaps_, ElementsAre("pid:10 ENOTDIR may be an engine (dockerd) whose containers are "
                                 "not known"));
}

TEST_F(EngineFinderTest, FollowsSoManyAndNoContainerHidesAnother) {
  // A container that is full of them, older than all others.
  for (int pid = 100; pid < 120; ++pid) {
    Add({.pid = pid, .name = "dockerd", .socket = "/run/docker.sock", .pid_namespace = 2});
  }
  Add({.pid = 200, .name = "dockerd", .socket = "/run/docker.sock", .pid_namespace = 3});
  for (int pid = 201; pid < 207; ++pid) {
    Add({.pid = pid, .name = "dockerd", .socket = "/run/docker.sock"});
  }

  EXPECT_THAT(Look(), ElementsAre("100 docker", "101 docker", "200 docker", "201 docker",
                                  "202 docker", "203 docker", "204 docker", "205 docker"));
  EXPECT_THAT(gaps_,
              ElementsAre("pid:206 RESOURCE_EXHAUSTED 1 is not asked, as too many of the host look "
                          "like engines: 206",
                          "pid:102 RESOURCE_EXHAUSTED 18 are not asked, as too many in containers "
                          "look like engines: 102, 103, 104, 105, 106, 107, 108, 109, ..."));

  // There is room for one more container, whose turn is before others' second.
  Add({.pid = 300, .name = "dockerd", .socket = "/run/docker.sock", .pid_namespace = 4});
  Add({.pid = 301, .name = "dockerd", .socket = "/run/docker.sock", .pid_namespace = 5});
  EXPECT_THAT(Look(), ElementsAre("300 docker"));
  EXPECT_THAT(gaps_, SizeIs(3));
  // One of the host's ends, another takes its place, and no container's does.
  Remove(201);
  EXPECT_THAT(Look(), ElementsAre("206 docker"));
}

}  // namespace
}  // namespace nsctl::engines
