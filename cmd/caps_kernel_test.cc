// Compares verdicts with what the kernel lets processes do.
//
// Three system calls on another process need a capability in that process's user namespace and
// nothing else, where the two have no uid in common: kill(2) with signal 0 needs CAP_KILL,
// setpriority(2) to the priority that it has CAP_SYS_NICE, prlimit(2) CAP_SYS_RESOURCE.

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cmd/caps.pb.h"
#include "cmd/caps_result.h"
#include "gtest/gtest.h"
#include "nsdisc/discover.h"
#include "nsdisc/lineage.h"
#include "nsdisc/snapshot_index.h"
#include "procfsroot/procfs.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

constexpr int kTried[] = {CAP_KILL, CAP_SYS_NICE, CAP_SYS_RESOURCE};

uint64_t Bit(int capability) { return uint64_t{1} << capability; }

bool SetCapabilities(uint64_t set) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int i = 0; i < 2; ++i) {
    data[i].effective = data[i].permitted = static_cast<uint32_t>(set >> (32 * i));
  }
  return syscall(SYS_capset, &header, data) == 0;
}

uint64_t OwnCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  syscall(SYS_capget, &header, data);
  return uint64_t{data[1].effective} << 32 | data[0].effective;
}

// The capabilities of kTried that the kernel grants over process `other`.
uint64_t Try(pid_t other) {
  uint64_t granted = 0;
  if (kill(other, 0) == 0) granted |= Bit(CAP_KILL);
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(other), 0) == 0) granted |= Bit(CAP_SYS_NICE);
  struct rlimit limit;
  if (prlimit(other, RLIMIT_NOFILE, nullptr, &limit) == 0) granted |= Bit(CAP_SYS_RESOURCE);
  return granted;
}

bool BecomeUid(uid_t uid) { return syscall(SYS_setresuid, uid, uid, uid) == 0; }

// Waits for the byte that says that its maps are written.
using Pause = std::function<bool()>;

// What a process makes of itself; false where something fails.
using Preparation = std::function<bool(const Pause& pause_for_maps)>;

// A child that tries things when it is asked to.
class Actor {
 public:
  // `first_id`: what 0 and 1 become outside of the user namespace that `prepare` makes, if it
  // pauses.
  Actor(uid_t first_id, const Preparation& prepare) {
    int down[2];
    int up[2];
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) return;
    to_ = down[1];
    from_ = up[0];
    pid_ = fork();
    if (pid_ == 0) Live(down[0], up[1], prepare);
    close(down[0]);
    close(up[1]);
    char word = 0;
    while (read(from_, &word, 1) == 1 && word == 'm') {
      WriteMap("uid_map", first_id);
      WriteMap("gid_map", first_id);
      if (write(to_, "g", 1) != 1) return;
    }
    ready_ = word == 'r';
  }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  ~Actor() {
    close(to_);
    close(from_);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  bool ready() const { return ready_; }
  pid_t pid() const { return pid_; }

  uint64_t TryOn(const Actor& other) const {
    const pid_t pid = other.pid();
    uint64_t granted = ~uint64_t{0};
    if (write(to_, &pid, sizeof(pid)) != sizeof(pid)) return granted;
    if (read(from_, &granted, sizeof(granted)) != sizeof(granted)) return ~uint64_t{0};
    return granted;
  }

 private:
  [[noreturn]] static void Live(int in, int out, const Preparation& prepare) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto pause_for_maps = [&] {
      char word = 0;
      return write(out, "m", 1) == 1 && read(in, &word, 1) == 1;
    };
    if (!prepare(pause_for_maps) || write(out, "r", 1) != 1) _exit(1);
    pid_t other = 0;
    while (read(in, &other, sizeof(other)) == sizeof(other)) {
      const uint64_t granted = Try(other);
      if (write(out, &granted, sizeof(granted)) != sizeof(granted)) break;
    }
    _exit(0);
  }

  void WriteMap(const char* name, uid_t first_id) const {
    const std::string path = absl::StrCat("/", "proc/", pid_, "/", name);
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const std::string map = absl::StrCat("0 ", first_id, " 2");
    EXPECT_EQ(write(fd, map.data(), map.size()), static_cast<ssize_t>(map.size())) << path;
    close(fd);
  }

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  bool ready_ = false;
};

// In a new user namespace that `creator` makes. Who has no mapping in it may not make another one.
Preparation InNamespaceOf(uid_t creator) {
  return [creator](const Pause& pause_for_maps) {
    return BecomeUid(creator) && unshare(CLONE_NEWUSER) == 0 && pause_for_maps() &&
           syscall(SYS_setresgid, 0, 0, 0) == 0 && BecomeUid(0);
  };
}

// In one more, below that.
Preparation InNestedNamespaceOf(uid_t creator) {
  return [creator](const Pause& pause_for_maps) {
    return InNamespaceOf(creator)(pause_for_maps) && unshare(CLONE_NEWUSER) == 0;
  };
}

struct Cast {
  std::string name;
  std::unique_ptr<Actor> actor;
};

class CapsKernelTest : public ::testing::Test {
 protected:
  void Add(std::vector<Cast>* list, const std::string& name, uid_t first_id,
           const Preparation& prepare) {
    list->push_back({name, std::make_unique<Actor>(first_id, prepare)});
    ASSERT_TRUE(list->back().actor->ready()) << name;
  }

  void AddSubjects() {
    const uint64_t own = OwnCapabilities();
    Add(&subjects_, "root", 0, [](const Pause&) { return true; });
    Add(&subjects_, "root with few", 0,
        [](const Pause&) { return SetCapabilities(Bit(CAP_SYS_NICE) | Bit(CAP_SYS_PTRACE)); });
    Add(&subjects_, "root with none", 0, [](const Pause&) { return SetCapabilities(0); });
    Add(&subjects_, "user", 0, [](const Pause&) { return BecomeUid(kUser); });
    Add(&subjects_, "user with one", 0, [](const Pause&) {
      return prctl(PR_SET_KEEPCAPS, 1) == 0 && BecomeUid(kUser) && SetCapabilities(Bit(CAP_KILL));
    });
    Add(&subjects_, "user without a bounding set", 0, [own](const Pause&) {
      for (int i = 0; i <= CAP_LAST_CAP; ++i) {
        if ((own & Bit(i)) != 0 && prctl(PR_CAPBSET_DROP, i) != 0) return false;
      }
      return BecomeUid(kUser);
    });
    Add(&subjects_, "other user", 0, [](const Pause&) { return BecomeUid(kOther); });
    Add(&subjects_, "root of a namespace", 200000, InNamespaceOf(kUser));
    Add(&subjects_, "root of a namespace with few", 210000, [](const Pause& pause_for_maps) {
      return InNamespaceOf(kUser)(pause_for_maps) && SetCapabilities(Bit(CAP_SYS_RESOURCE));
    });
    Add(&subjects_, "root of a nested namespace", 220000, InNestedNamespaceOf(0));
  }

  void AddObjects() {
    Add(&objects_, "in the initial one", 0, [](const Pause&) { return BecomeUid(kBystander); });
    Add(&objects_, "in one of user", 300000, InNamespaceOf(kUser));
    Add(&objects_, "in one of root", 310000, InNamespaceOf(0));
    Add(&objects_, "nested in one of user", 320000, InNestedNamespaceOf(kUser));
    Add(&objects_, "nested in one of root", 330000, InNestedNamespaceOf(0));
    // Others where the subjects with namespaces are.
    for (const Cast& subject : subjects_) {
      if (!absl::StrContains(subject.name, "of a namespace")) continue;
      const std::string path = absl::StrCat("/", "proc/", subject.actor->pid(), "/ns/user");
      Add(&objects_, absl::StrCat("with ", subject.name), 0, [path](const Pause&) {
        const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        return setns(fd, CLONE_NEWUSER) == 0 && BecomeUid(1);
      });
    }
  }

  static constexpr uid_t kUser = 12345;
  static constexpr uid_t kOther = 23456;
  static constexpr uid_t kBystander = 34567;

  std::vector<Cast> subjects_;
  std::vector<Cast> objects_;
};

class CapsOfSetsKernelTest : public CapsKernelTest,
                             public ::testing::WithParamInterface<nsdisc::CapabilitySets> {};

TEST_P(CapsOfSetsKernelTest, AgreesWithWhatTheKernelGrants) {
  if ((OwnCapabilities() & Bit(CAP_SETUID)) == 0) GTEST_SKIP() << "needs CAP_SETUID";
  if ((OwnCapabilities() & Bit(CAP_SYS_ADMIN)) == 0) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  ASSERT_NO_FATAL_FAILURE(AddSubjects());
  ASSERT_NO_FATAL_FAILURE(AddObjects());
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  nsdisc::KernelLineage lineage;
  nsdisc::DiscoverOptions options;
  options.capabilities = GetParam();
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                             nsdisc::Discover(procfs, lineage, options));
  const nsdisc::SnapshotIndex index(*snapshot);

  std::vector<CapabilityReport::Rule> seen;
  for (const Cast& subject : subjects_) {
    for (const Cast& object : objects_) {
      SCOPED_TRACE(absl::StrCat(subject.name, " on one ", object.name));
      const nsdisc::Process* const process = index.FindProcess(subject.actor->pid());
      const nsdisc::Process* const other = index.FindProcess(object.actor->pid());
      ASSERT_NE(process, nullptr);
      ASSERT_NE(other, nullptr);
      const nsdisc::Namespace* const target =
          index.FindNamespace(base::NamespaceType::kUser, other->namespaces().user());
      ASSERT_NE(target, nullptr);

      const CapabilityReport report =
          BuildCapabilityReport(index, {.process = process, .target = target});

      const uint64_t granted = subject.actor->TryOn(*object.actor);
      seen.push_back(report.verdict().rule());
      ASSERT_TRUE(report.verdict().has_effective()) << report.verdict().reason();
      const uint64_t said = std::stoull(report.verdict().effective().mask(), nullptr, 16);
      for (const int capability : kTried) {
        EXPECT_EQ((said & Bit(capability)) != 0, (granted & Bit(capability)) != 0)
            << "capability " << capability << ": " << report.verdict().reason();
      }
    }
  }
  for (const CapabilityReport::Rule rule :
       {CapabilityReport::own, CapabilityReport::descendant, CapabilityReport::creator,
        CapabilityReport::ancestor, CapabilityReport::unrelated}) {
    EXPECT_NE(std::find(seen.begin(), seen.end(), rule), seen.end()) << rule;
  }
}

// Whatever a snapshot was taken with gives the same verdicts.
INSTANTIATE_TEST_SUITE_P(Scans, CapsOfSetsKernelTest,
                         ::testing::Values(nsdisc::CapabilitySets::kAll,
                                           nsdisc::CapabilitySets::kEffective));

}  // namespace
}  // namespace nsctl::cmd
