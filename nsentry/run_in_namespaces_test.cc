#include "nsentry/run_in_namespaces.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsentry/enter.h"
#include "nsentry/entry.pb.h"
#include "nsentry/entry_plan.h"
#include "nsentry/namespace_reference.h"
#include "nsentry/test_scene.h"
#include "procfsroot/run_in_child.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsentry {
namespace {

using base::NamespaceType;
using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr int kAll = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
                     CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME;

// Each of the namespaces that the calling thread is in, one step each, by a procfs that was open
// before it went there.
EntryPlanMessage WhereIAm(base::FdRef procfs) {
  EntryPlanMessage message;
  const procfsroot::ProcessDir self(*base::OpenAt(procfs, "thread-self", O_PATH | O_DIRECTORY));
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    EntryPlanMessage::Step* const step = message.add_steps();
    step->set_type(info.name);
    const absl::StatusOr<base::OwnedFd> fd = self.OpenNamespace(info.name);
    if (fd.ok()) step->set_inode(base::NamespaceIdOf(*fd)->inode);
  }
  return message;
}

// As WhereIAm would tell it, of a process: types in `flags` from `there`, others from `here`.
std::string Expected(const procfsroot::NamespaceLinks& here,
                     const procfsroot::NamespaceLinks& there, uint32_t flags) {
  EntryPlanMessage message;
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const procfsroot::NamespaceLinks& source = (flags & info.clone_flag) != 0 ? there : here;
    EntryPlanMessage::Step* const step = message.add_steps();
    step->set_type(info.name);
    step->set_inode(source.in[static_cast<size_t>(info.type)].inode);
  }
  return message.ShortDebugString();
}

procfsroot::NamespaceLinks OwnLinks() {
  return procfsroot::Procfs::Live()->OpenSelf()->ReadNamespaceLinks();
}

absl::StatusOr<EntryPlanMessage> RunThere(const EntryPlan& plan, EntryMethod method) {
  RunOptions options;
  options.method = method;
  return RunInNamespaces<EntryPlanMessage>(
      plan, [&]() -> absl::StatusOr<EntryPlanMessage> { return WhereIAm(plan.procfs()); }, options);
}

struct Case {
  std::string name;
  int namespaces;
  EntryMethod method;
};

class EachType : public ::testing::TestWithParam<Case> {};

TEST_P(EachType, RunsThereAndNowhereElse) {
  const Case& test = GetParam();
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = kAll}});
  const testing::RealProcess& there = fixture->last();
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(there.pid));
  const procfsroot::NamespaceLinks before = OwnLinks();
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan,
                             target.Plan(static_cast<uint32_t>(test.namespaces)));

  const absl::StatusOr<EntryPlanMessage> result = RunThere(plan, test.method);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->ShortDebugString(),
            Expected(before, there.namespaces, static_cast<uint32_t>(test.namespaces)));
  EXPECT_EQ(OwnLinks(), before);
}

std::vector<Case> EveryTypeBothWays() {
  std::vector<Case> cases;
  for (const auto& [suffix, method] :
       {std::pair{"AtOnce", EntryMethod::kAtOnce}, std::pair{"ByType", EntryMethod::kByType}}) {
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      cases.push_back({absl::StrCat(info.name, suffix), static_cast<int>(info.clone_flag), method});
    }
    cases.push_back({absl::StrCat("all", suffix), kAll, method});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, EachType, ::testing::ValuesIn(EveryTypeBothWays()),
                         [](const auto& info) { return info.param.name; });

TEST(RunInNamespaces, EntersWhatTheUserNamespaceDoesNotOwn) {
  NSCTL_START_NAMESPACES_OR_SKIP(
      const auto fixture,
      {{.namespaces = CLONE_NEWNET}, {.namespaces = CLONE_NEWUSER | CLONE_NEWUTS}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());

  for (const EntryMethod method : {EntryMethod::kAuto, EntryMethod::kByType}) {
    const absl::StatusOr<EntryPlanMessage> result = RunThere(plan, method);
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->ShortDebugString(), Expected(OwnLinks(), fixture->last().namespaces,
                                                   CLONE_NEWNET | CLONE_NEWUSER | CLONE_NEWUTS));
  }
}

TEST(RunInNamespaces, EntersABindMountThatNoProcessIsIn) {
  const testing::TestDirectory directory;
  const std::string file = directory.path() + "/uts";
  ASSERT_TRUE(base::OpenAt(base::FdRef(AT_FDCWD), file, O_CREAT | O_WRONLY, 0600).ok());
  const std::string failure = procfsroot::RunInChild(CLONE_NEWNS, [&]() -> std::string {
    absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWUTS);
    NSCTL_CHILD_EXPECT(child.ok());
    const std::string link = LinkOf(child->pid(), NamespaceType::kUts);
    const std::string source = absl::StrCat("/proc/", child->pid().value, "/ns/uts");
    NSCTL_CHILD_EXPECT(mount(source.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) == 0);
    child->Stop();
    absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::Live();
    absl::StatusOr<NamespaceReference> reference = OpenNamespaceAt(file, NamespaceType::kUts);
    NSCTL_CHILD_EXPECT(procfs.ok() && reference.ok());
    EntryRequest request;
    request.references.push_back(*std::move(reference));
    absl::StatusOr<EntryPlan> plan = EntryPlan::Make(*procfs, std::move(request));
    NSCTL_CHILD_EXPECT(plan.ok());
    const absl::StatusOr<EntryPlanMessage> result = RunThere(*plan, EntryMethod::kAuto);
    if (!result.ok()) return result.status().ToString();
    const EntryPlanMessage::Step& uts = result->steps(static_cast<int>(NamespaceType::kUts));
    const std::string found = base::NamespaceLinkText(NamespaceType::kUts, uts.inode());
    return found == link ? "" : absl::StrCat(found, ", not ", link);
  });
  if (failure == "unshare: EPERM") GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  EXPECT_EQ(failure, "");
}

TEST(RunInNamespaces, NeedsNoRootWhereTheUserMadeTheUserNamespace) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  const std::string failure = procfsroot::RunInChild(0, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(BecomeNobody());
    absl::StatusOr<base::TestChild> child =
        base::TestChild::Start(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID);
    if (!child.ok()) return child.status().ToString();
    absl::StatusOr<Target> target = Target::Open(child->pid());
    if (!target.ok()) return target.status().ToString();
    const absl::StatusOr<EntryPlan> plan = target->Plan();
    if (!plan.ok()) return plan.status().ToString();
    for (const EntryMethod method : {EntryMethod::kAtOnce, EntryMethod::kByType}) {
      const absl::StatusOr<EntryPlanMessage> result = RunThere(*plan, method);
      if (!result.ok()) return result.status().ToString();
      const uint32_t inode = result->steps(static_cast<int>(NamespaceType::kNet)).inode();
      std::string found = base::NamespaceLinkText(NamespaceType::kNet, inode);
      if (found != LinkOf(child->pid(), NamespaceType::kNet)) return found;
    }
    return "";
  });
  if (failure == "INVALID_ARGUMENT: clone: Operation not permitted (EPERM)")
    GTEST_SKIP() << failure;
  EXPECT_EQ(failure, "");
}

// A plan that enters nothing: the function runs in a child all the same.
EntryPlan Nowhere() { return *EntryPlan::Make(*procfsroot::Procfs::Live(), EntryRequest()); }

using Function = std::function<absl::StatusOr<EntryOutcome>()>;

absl::StatusOr<EntryOutcome> RunNowhere(const Function& function, const RunOptions& options = {}) {
  return RunInNamespaces<EntryOutcome>(Nowhere(), function, options);
}

TEST(RunInNamespaces, BringsAStatusBackWithItsErrno) {
  const absl::StatusOr<EntryOutcome> result =
      RunNowhere([] { return base::ErrnoStatus(ENOTDIR, "open", "/a\nb"); });

  EXPECT_EQ(result.status().message(), "open /a\\x0ab: Not a directory (ENOTDIR)");
  EXPECT_THAT(result, HasErrno(ENOTDIR));
}

TEST(RunInNamespaces, BringsAMebibyteBack) {
  const std::string text(1 << 20, 'x');
  const absl::StatusOr<EntryOutcome> result = RunNowhere([&] {
    EntryOutcome outcome;
    outcome.set_reason(text);
    return outcome;
  });
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->reason(), text);

  RunOptions options;
  options.max_result = 1000;
  EXPECT_THAT(RunNowhere(
                  [&] {
                    EntryOutcome outcome;
                    outcome.set_reason(text);
                    return outcome;
                  },
                  options),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(RunInNamespaces, KeepsStderrApart) {
  std::string text;
  RunOptions options;
  options.error_text = &text;
  options.max_error_text = 10;

  const absl::StatusOr<EntryOutcome> result = RunNowhere(
      [] {
        EXPECT_EQ(write(STDERR_FILENO, "0123456789abcdef", 16), 16);
        EntryOutcome outcome;
        outcome.set_type("net");
        return outcome;
      },
      options);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->type(), "net");
  EXPECT_EQ(text, "0123456789");
}

TEST(RunInNamespaces, KillsPastTheDeadline) {
  RunOptions options;
  options.timeout = absl::Milliseconds(100);
  const absl::Time start = absl::Now();

  const absl::StatusOr<EntryOutcome> result = RunNowhere(
      []() -> absl::StatusOr<EntryOutcome> {
        while (true) pause();
      },
      options);

  EXPECT_THAT(result, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

TEST(RunInNamespaces, SaysThatTheChildDied) {
  EXPECT_THAT(
      RunNowhere([]() -> absl::StatusOr<EntryOutcome> {
        raise(SIGKILL);
        return EntryOutcome();
      }),
      StatusIs(absl::StatusCode::kAborted, "the child has ended without a result: signal 9"));
  EXPECT_THAT(RunNowhere([]() -> absl::StatusOr<EntryOutcome> { _exit(0); }),
              StatusIs(absl::StatusCode::kAborted, "the child has ended without a result"));
}

TEST(RunInNamespaces, SaysThatTheTargetHasEndedSinceItWasPlanned) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const base::Pid pid = child->pid();
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());
  child->Stop();

  const absl::StatusOr<EntryPlanMessage> result = RunThere(plan, EntryMethod::kAuto);

  EXPECT_THAT(result, HasErrno(ESRCH));
  EXPECT_THAT(std::string(result.status().message()),
              absl::StrCat("enter process ", pid.value, ": No such process (ESRCH)"));
}

// A process with the number `pid`, which is free; 0 where the kernel does not let it be chosen or
// somebody else was faster.
pid_t ForkAs(pid_t pid) {
  const base::FdRef cwd(AT_FDCWD);
  const absl::StatusOr<base::OwnedFd> last =
      base::OpenAt(cwd, "/proc/sys/kernel/ns_last_pid", O_WRONLY);
  if (!last.ok() || !base::WriteAll(*last, absl::StrCat(pid - 1)).ok()) return 0;
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  if (child == pid) return child;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return 0;
}

TEST(RunInNamespaces, IsNotFooledByANumberThatIsDealtAgain) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const base::Pid pid = child->pid();
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());
  child->Stop();
  pid_t second = 0;
  for (int i = 0; i < 100 && second == 0; ++i) second = ForkAs(pid.value);
  if (second == 0) GTEST_SKIP() << "needs ns_last_pid";

  const absl::StatusOr<EntryPlanMessage> planned_before = RunThere(plan, EntryMethod::kAuto);
  const absl::Status planned_now = target.Plan().status();
  kill(second, SIGKILL);
  waitpid(second, nullptr, 0);

  EXPECT_THAT(planned_before, HasErrno(ESRCH));
  EXPECT_TRUE(base::IsGone(planned_now)) << planned_now;
}

TEST(RunInNamespaces, NoticesThatTheTargetWentElsewhereMeanwhile) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto possible, {{.namespaces = CLONE_NEWUTS}});
  // Changes its namespace when it is told to, after the plan was made.
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  base::OwnedFd go_read(ends[0]);
  base::OwnedFd go(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    char sign;
    if (unshare(CLONE_NEWUTS) != 0 || read(ends[0], &sign, 1) != 1) _exit(1);
    if (unshare(CLONE_NEWUTS) != 0) _exit(1);
    while (true) pause();
  }
  const std::string own = OwnLink(NamespaceType::kUts);
  while (LinkOf({pid}, NamespaceType::kUts) == own) sched_yield();
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open({pid}));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());
  const std::string planned = LinkOf({pid}, NamespaceType::kUts);
  ASSERT_EQ(write(go.get(), "g", 1), 1);
  while (LinkOf({pid}, NamespaceType::kUts) == planned) sched_yield();

  const absl::StatusOr<EntryPlanMessage> at_once = RunThere(plan, EntryMethod::kAtOnce);
  const absl::StatusOr<EntryPlanMessage> by_type = RunThere(plan, EntryMethod::kByType);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);

  EXPECT_THAT(at_once, StatusIs(absl::StatusCode::kAborted, HasSubstr("entered another uts")));
  ASSERT_THAT(by_type, IsOk());
  EXPECT_EQ(base::NamespaceLinkText(NamespaceType::kUts,
                                    by_type->steps(static_cast<int>(NamespaceType::kUts)).inode()),
            planned);
}

TEST(RunInNamespaces, OpensALatePathInTheMountNamespaceThatWasEntered) {
  const testing::TestDirectory directory;
  const std::string file = directory.path() + "/uts";
  ASSERT_TRUE(base::OpenAt(base::FdRef(AT_FDCWD), file, O_CREAT | O_WRONLY, 0600).ok());
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWNS | CLONE_NEWUTS, [&] {
    const int result = mount("/proc/self/ns/uts", file.c_str(), nullptr, MS_BIND, nullptr);
    return result == 0 ? 0 : errno;
  });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  EntryRequest request;
  request.as_given = true;
  NSCTL_ASSERT_OK_AND_ASSIGN(
      NamespaceReference mnt,
      OpenNamespaceAt(absl::StrCat("/proc/", child->pid().value, "/ns/mnt"), NamespaceType::kMnt));
  request.references.push_back(std::move(mnt));
  request.late.push_back({1, NamespaceType::kUts, file});
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, EntryPlan::Make(procfs, std::move(request)));

  const absl::StatusOr<EntryPlanMessage> result = RunThere(plan, EntryMethod::kAuto);

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(base::NamespaceLinkText(NamespaceType::kUts,
                                    result->steps(static_cast<int>(NamespaceType::kUts)).inode()),
            LinkOf(child->pid(), NamespaceType::kUts));
}

TEST(RunInNamespaces, SaysThatAPidNamespaceHasEnded) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  const std::string path = absl::StrCat("/proc/", child->pid().value, "/ns/pid");
  EntryRequest request;
  NSCTL_ASSERT_OK_AND_ASSIGN(NamespaceReference pid, OpenNamespaceAt(path, NamespaceType::kPid));
  request.references.push_back(std::move(pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan,
                             EntryPlan::Make(*procfsroot::Procfs::Live(), std::move(request)));
  child->Stop();

  const absl::StatusOr<EntryPlanMessage> result = RunThere(plan, EntryMethod::kAuto);

  EXPECT_EQ(result.status().message(),
            absl::StrCat("fork into the PID namespace whose process 1 has ended ", path,
                         ": Cannot allocate memory (ENOMEM)"));
}

}  // namespace
}  // namespace nsctl::nsentry
