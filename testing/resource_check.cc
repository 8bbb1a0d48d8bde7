#include "testing/resource_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace nsctl::testing {
namespace {

// The entries of `directory` that are numbers, the descriptor that reads them left out.
std::vector<int> NumberedEntries(const std::string& directory) {
  std::vector<int> numbers;
  DIR* const stream = opendir(directory.c_str());
  if (stream == nullptr) return numbers;
  const absl::Cleanup close_stream = [stream] { closedir(stream); };
  const bool lists_fds = absl::EndsWith(directory, "/fd");
  while (const dirent* const entry = readdir(stream)) {
    int number = 0;
    if (!absl::SimpleAtoi(static_cast<const char*>(entry->d_name), &number)) continue;
    if (lists_fds && number == dirfd(stream)) continue;
    numbers.push_back(number);
  }
  return numbers;
}

std::string ReadLink(const std::string& path) {
  char target[4096];
  const ssize_t length = readlink(path.c_str(), target, sizeof(target));
  return length < 0 ? "?" : std::string(target, static_cast<size_t>(length));
}

std::multiset<std::string> OwnMounts() {
  const char* const directory = std::getenv("TEST_TMPDIR");
  if (directory == nullptr) return {};
  std::multiset<std::string> mounts;
  std::ifstream mountinfo("/proc/self/mountinfo");
  for (std::string line; std::getline(mountinfo, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, mount_point;
    fields >> id >> parent >> device >> root >> mount_point;
    if (absl::StartsWith(mount_point, directory)) mounts.insert(mount_point);
  }
  return mounts;
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool IsKeeper(pid_t child) {
  return FirstLine(absl::StrCat("/proc/", child, "/comm")) == "nsctl-keeper" &&
         syscall(SYS_kcmp, getpid(), child, KCMP_FILES, 0, 0) == 0;
}

// A file that a keeper has to keep, or its pidfd of this process.
bool MayBeKept(int fd) {
  std::ifstream info(absl::StrCat("/proc/self/fdinfo/", fd));
  const std::string own = absl::StrCat("Pid:\t", getpid());
  for (std::string line; std::getline(info, line);) {
    if (line == own) return true;
  }
  struct statx file;
  constexpr int kFlags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  // No server of a file system is asked.
  return statx(fd, "", kFlags, STATX_TYPE, &file) == 0 && S_ISREG(file.stx_mode) &&
         file.stx_dev_major == 0;
}

template <typename Set>
void DescribeNew(const Set& before, const Set& after, absl::string_view kind, std::string* out) {
  std::vector<typename Set::value_type> added;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(added));
  for (const auto& item : added) absl::StrAppend(out, kind, " ", item, "\n");
}

class LeakListener : public ::testing::EmptyTestEventListener {
 public:
  void OnTestProgramStart(const ::testing::UnitTest&) override {
    // ThreadSanitizer starts a thread of its own together with the first one.
    std::thread([] {}).join();
  }

  void OnTestStart(const ::testing::TestInfo&) override { before_ = CurrentResources(); }

  void OnTestEnd(const ::testing::TestInfo&) override {
    const std::string leaks = AwaitNoLeaks(before_, absl::Seconds(2));
    EXPECT_EQ(leaks, "") << "the test leaves these behind";
  }

 private:
  Resources before_;
};

[[maybe_unused]] const bool kListenerAdded = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new LeakListener);
  return true;
}();

}  // namespace

Resources CurrentResources() {
  Resources resources;
  for (const int fd : NumberedEntries("/proc/self/fd")) {
    resources.fds.emplace(fd, ReadLink(absl::StrCat("/proc/self/fd/", fd)));
  }
  for (const pid_t tid : NumberedEntries("/proc/self/task")) {
    resources.threads.insert(tid);
    // A child belongs to the thread that made it.
    std::ifstream children(absl::StrCat("/proc/self/task/", tid, "/children"));
    for (pid_t child = 0; children >> child;) resources.children.insert(child);
  }
  if (std::erase_if(resources.children, IsKeeper) > 0) {
    std::erase_if(resources.fds, [](const auto& fd) { return MayBeKept(fd.first); });
  }
  resources.mounts = OwnMounts();
  return resources;
}

std::string DescribeLeaks(const Resources& before, const Resources& after) {
  std::string leaks;
  for (const auto& [fd, target] : after.fds) {
    const auto known = before.fds.find(fd);
    if (known == before.fds.end() || known->second != target) {
      absl::StrAppend(&leaks, "fd ", fd, " -> ", target, "\n");
    }
  }
  DescribeNew(before.threads, after.threads, "thread", &leaks);
  DescribeNew(before.children, after.children, "child process", &leaks);
  DescribeNew(before.mounts, after.mounts, "mount", &leaks);
  return leaks;
}

std::string AwaitNoLeaks(const Resources& before, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    std::string leaks = DescribeLeaks(before, CurrentResources());
    if (leaks.empty() || absl::Now() >= deadline) return leaks;
    absl::SleepFor(absl::Milliseconds(1));
  }
}

}  // namespace nsctl::testing
