#include "base/capget.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>

#include "base/fd.h"
#include "base/test_child.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOkAndHolds;

// What the kernel prints of the thread `tid` of this process.
CapabilityMasks MasksInStatus(pid_t tid) {
  const std::string path = "/proc/self/task/" + std::to_string(tid) + "/status";
  const absl::StatusOr<std::string> text = ReadFileAt(FdRef(AT_FDCWD), path, 1 << 16);
  EXPECT_TRUE(text.ok());
  CapabilityMasks masks;
  const auto number = [&](const char* name) {
    uint64_t value = 0;
    const size_t at = text->find(name);
    EXPECT_NE(at, std::string::npos) << name;
    EXPECT_EQ(sscanf(text->c_str() + at + 8, "%" SCNx64, &value), 1) << name;
    return value;
  };
  masks.effective = number("CapEff:\t");
  masks.permitted = number("CapPrm:\t");
  masks.inheritable = number("CapInh:\t");
  return masks;
}

TEST(CapabilityMasksOf, AreWhatTheKernelPrints) {
  EXPECT_THAT(CapabilityMasksOf({0}), IsOkAndHolds(MasksInStatus(getpid())));
  EXPECT_THAT(CapabilityMasksOf({getpid()}), IsOkAndHolds(MasksInStatus(getpid())));
}

TEST(CapabilityMasksOf, AnswersForThreads) {
  std::thread([] {
    const auto tid = static_cast<pid_t>(syscall(SYS_gettid));
    EXPECT_THAT(CapabilityMasksOf({tid}), IsOkAndHolds(MasksInStatus(tid)));
  }).join();
}

TEST(CapabilityMasksOf, FailsWhereThereIsNoSuchProcess) {
  NSCTL_ASSERT_OK_AND_ASSIGN(TestChild child, TestChild::Start(0));
  const pid_t pid = child.pid().value;
  child.Stop();

  EXPECT_THAT(CapabilityMasksOf({pid}), HasErrno(ESRCH));
}

}  // namespace
}  // namespace nsctl::base
