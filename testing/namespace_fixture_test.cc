#include "testing/namespace_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/test_directory.h"

namespace nsctl::testing {
namespace {

using base::NamespaceType;
using procfsroot::NamespaceLinks;
using ::testing::ElementsAre;
using ::testing::EndsWith;

constexpr int kAllTypes = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                          CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

uint32_t Inode(const NamespaceLinks& links, NamespaceType type) {
  return links.in[static_cast<size_t>(type)].inode;
}

NamespaceLinks::Entry ForChildren(const NamespaceLinks& links, NamespaceType type) {
  return links.for_children[static_cast<size_t>(type)];
}

// As this process sees it, through stat(2) and not through the text of a link; 0 where it is
// refused.
uint32_t InodeByStat(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? static_cast<uint32_t>(info.st_ino) : 0;
}

// The links that differ from this process's own.
std::vector<std::string> NewTypes(const NamespaceLinks& links) {
  std::vector<std::string> types;
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const uint32_t own = InodeByStat(absl::StrCat("/proc/self/ns/", info.name));
    if (Inode(links, info.type) != own) types.push_back(info.name);
  }
  return types;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string ProcPath(const RealProcess& process, absl::string_view name) {
  return absl::StrCat("/proc/", process.pid.value, "/", name);
}

// The value of a line "KEY:\tVALUE" of /proc/PID/status.
std::string StatusValue(const RealProcess& process, const std::string& key) {
  std::ifstream file(ProcPath(process, "status"));
  for (std::string line; std::getline(file, line);) {
    if (line.substr(0, key.size() + 2) == key + ":\t") return line.substr(key.size() + 2);
  }
  return "";
}

TEST(NamespaceFixture, MakesAllEightTypes) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = kAllTypes}});

  const RealProcess& process = fixture->last();
  EXPECT_THAT(NewTypes(process.namespaces),
              ElementsAre("mnt", "cgroup", "uts", "ipc", "user", "pid", "net", "time"));
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    EXPECT_EQ(Inode(process.namespaces, info.type),
              InodeByStat(ProcPath(process, absl::StrCat("ns/", info.name))))
        << info.name;
  }
}

TEST(NamespaceFixture, MakesEachTypeAlone) {
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                   {{.namespaces = static_cast<int>(info.clone_flag)}});

    EXPECT_THAT(NewTypes(fixture->last().namespaces), ElementsAre(info.name));
  }
}

TEST(NamespaceFixture, NestsUserAndPidNamespaces) {
  const ProcessSpec level = {.namespaces = CLONE_NEWUSER | CLONE_NEWPID};
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {level, level, level});

  const std::vector<RealProcess>& processes = fixture->processes();
  ASSERT_EQ(processes.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(NewTypes(processes[i].namespaces), ElementsAre("user", "pid"));
    EXPECT_THAT(StatusValue(processes[i], "NSpid"), EndsWith("\t1"));
  }
  EXPECT_NE(Inode(processes[0].namespaces, NamespaceType::kUser),
            Inode(processes[1].namespaces, NamespaceType::kUser));
  EXPECT_EQ(StatusValue(processes[2], "PPid"), absl::StrCat(processes[1].pid.value));
}

TEST(NamespaceFixture, WritesMapsAsSeenByTheProcessBefore) {
  if (geteuid() != 0) GTEST_SKIP() << "maps of many ids need CAP_SETUID and CAP_SETGID";
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWUSER,
                                                       .uid_map = "0 100000 1000\n5000 200000 1",
                                                       .gid_map = "0 300000 1000"},
                                                      {.namespaces = CLONE_NEWUSER,
                                                       .uid_map = "0 500 10",
                                                       .gid_map = "0 600 10",
                                                       .setgroups = "deny"}});

  const RealProcess& outer = fixture->processes()[0];
  const RealProcess& inner = fixture->processes()[1];
  EXPECT_EQ(StatusValue(outer, "Uid"), "100000\t100000\t100000\t100000");
  EXPECT_EQ(StatusValue(inner, "Uid"), "100500\t100500\t100500\t100500");
  EXPECT_EQ(StatusValue(inner, "Gid"), "300600\t300600\t300600\t300600");
  EXPECT_EQ(ReadFile(ProcPath(outer, "setgroups")), "allow\n");
  EXPECT_EQ(ReadFile(ProcPath(inner, "setgroups")), "deny\n");
  EXPECT_EQ(ReadFile(ProcPath(outer, "uid_map")),
            "         0     100000       1000\n      5000     200000          1\n");
}

TEST(NamespaceFixture, SetsClockOffsets) {
  NSCTL_START_NAMESPACES_OR_SKIP(
      const auto fixture,
      {{.namespaces = CLONE_NEWTIME, .clock_offsets = "monotonic 86400 0\nboottime -7 5"}});

  EXPECT_EQ(ReadFile(ProcPath(fixture->last(), "timens_offsets")),
            "monotonic       86400         0\nboottime           -7         5\n");
}

TEST(NamespaceFixture, GivesProcessesAnyName) {
  const std::string name = "a) R\n\x1b\xff\\";
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto fixture, NamespaceFixture::Start({{.name = name}}));

  EXPECT_EQ(ReadFile(ProcPath(fixture->last(), "comm")), name + "\n");
}

TEST(NamespaceFixture, PutsThreadsIntoNamespacesOfTheirOwn) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.threads = {CLONE_NEWNET | CLONE_NEWUTS, CLONE_NEWNS, 0}}});

  const RealProcess& process = fixture->last();
  EXPECT_THAT(NewTypes(process.namespaces), ElementsAre());
  ASSERT_EQ(process.threads.size(), 3u);
  EXPECT_THAT(NewTypes(process.threads[0].namespaces), ElementsAre("uts", "net"));
  EXPECT_THAT(NewTypes(process.threads[1].namespaces), ElementsAre("mnt"));
  EXPECT_THAT(NewTypes(process.threads[2].namespaces), ElementsAre());
  const std::string first = absl::StrCat("task/", process.threads[0].tid.value, "/ns/net");
  EXPECT_EQ(Inode(process.threads[0].namespaces, NamespaceType::kNet),
            InodeByStat(ProcPath(process, first)));
}

TEST(NamespaceFixture, OrdersNamespacesForChildren) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.for_children = CLONE_NEWPID | CLONE_NEWTIME}});

  const NamespaceLinks& links = fixture->last().namespaces;
  EXPECT_THAT(NewTypes(links), ElementsAre());
  // Before Linux 7 its first process has to be there.
  const NamespaceLinks::Entry pid = ForChildren(links, NamespaceType::kPid);
  EXPECT_EQ(pid.error, pid.inode == 0 ? ENOENT : 0);
  EXPECT_NE(pid.inode, Inode(links, NamespaceType::kPid));
  EXPECT_NE(ForChildren(links, NamespaceType::kTime).inode, Inode(links, NamespaceType::kTime));
  EXPECT_EQ(ForChildren(links, NamespaceType::kTime).error, 0);
}

TEST(NamespaceFixture, PutsTheNextProcessIntoNamespacesForChildren) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.for_children = CLONE_NEWPID | CLONE_NEWTIME}, {}});

  const NamespaceLinks& parent = fixture->processes()[0].namespaces;
  const NamespaceLinks& child = fixture->processes()[1].namespaces;
  EXPECT_THAT(NewTypes(child), ElementsAre("pid", "time"));
  EXPECT_EQ(ForChildren(parent, NamespaceType::kPid).inode, Inode(child, NamespaceType::kPid));
  EXPECT_EQ(ForChildren(parent, NamespaceType::kTime).inode, Inode(child, NamespaceType::kTime));
}

TEST(NamespaceFixture, MakesAZombieLeader) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.threads = {CLONE_NEWNET}, .zombie_leader = true}});

  const RealProcess& process = fixture->last();
  EXPECT_EQ(StatusValue(process, "State"), "Z (zombie)");
  EXPECT_THAT(NewTypes(process.threads[0].namespaces), ElementsAre("net"));
  EXPECT_EQ(ReadFile(absl::StrCat("/proc/", process.threads[0].tid.value, "/comm")),
            ReadFile("/proc/self/comm"));
}

TEST(NamespaceFixture, ChangesRootAndRunsSetup) {
  const TestDirectory directory;
  NSCTL_START_NAMESPACES_OR_SKIP(
      const auto fixture, {{.namespaces = CLONE_NEWUTS, .root = directory.path(), .setup = [] {
                              return sethostname("inside", 6) == 0 ? 0 : errno;
                            }}});

  char root[4096] = {};
  ASSERT_GT(readlink(ProcPath(fixture->last(), "root").c_str(), root, sizeof(root) - 1), 0);
  EXPECT_EQ(std::string(root), directory.path());
}

TEST(NamespaceFixture, LeavesNoProcessBehind) {
  std::vector<RealProcess> processes;
  {
    const ProcessSpec level = {.namespaces = CLONE_NEWUSER, .threads = {0}};
    NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {level, level});
    processes = fixture->processes();
  }

  for (const RealProcess& process : processes) {
    EXPECT_EQ(kill(process.pid.value, 0), -1);
    EXPECT_EQ(errno, ESRCH);
  }
}

TEST(NamespaceFixture, LeavesDescriptorsOfTheTestToTheTest) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto one, NamespaceFixture::Start({{}, {}}));
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto other, NamespaceFixture::Start({{}}));

  for (const RealProcess& process : {one->processes()[0], one->processes()[1], other->last()}) {
    EXPECT_EQ(access(ProcPath(process, "fd/3").c_str(), F_OK), -1);
  }
}

TEST(NamespaceFixture, NamesTheCallThatFailed) {
  const ProcessSpec failing = {.setup = [] { return EIO; }};
  const std::string message = "setup: Input/output error (EIO)";

  EXPECT_THAT(NamespaceFixture::Start({failing}), StatusIs(absl::StatusCode::kUnknown, message));
  EXPECT_THAT(NamespaceFixture::Start({{}, {}, failing}),
              StatusIs(absl::StatusCode::kUnknown, message));
  EXPECT_THAT(NamespaceFixture::Start({{}, failing, {}}),
              StatusIs(absl::StatusCode::kUnknown, message));
  EXPECT_THAT(NamespaceFixture::Start({{.setup = [] { return raise(SIGKILL); }}}), HasErrno(EPIPE));
}

TEST(NamespaceFixture, RefusesSpecsThatMakeNoSense) {
  EXPECT_THAT(NamespaceFixture::Start({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(NamespaceFixture::Start({{.zombie_leader = true}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "only the last process can be a zombie, with threads"));
}

TEST(CannotMakeNamespaces, TellsTheMachineFromTheTest) {
  EXPECT_TRUE(CannotMakeNamespaces(absl::PermissionDeniedError("")));
  EXPECT_TRUE(CannotMakeNamespaces(absl::UnimplementedError("")));
  EXPECT_TRUE(CannotMakeNamespaces(base::ErrnoStatus(ENOSPC, "clone")));
  EXPECT_FALSE(CannotMakeNamespaces(base::ErrnoStatus(EINVAL, "clone")));
  EXPECT_FALSE(CannotMakeNamespaces(base::ErrnoStatus(EXDEV, "setup")));
  EXPECT_FALSE(CannotMakeNamespaces(absl::OkStatus()));
}

}  // namespace
}  // namespace nsctl::testing
