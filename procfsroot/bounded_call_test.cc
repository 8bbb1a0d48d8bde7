#include "procfsroot/bounded_call.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/resolve_options.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr absl::Duration kShort = absl::Milliseconds(20);
constexpr absl::Duration kLong = absl::Seconds(30);
const dev_t kDevice = makedev(250, 1);
const dev_t kOther = makedev(250, 2);

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + kLong;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

// A file system that answers when it is told to, like a read of a pipe.
class SilentServer {
 public:
  SilentServer() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_ = std::make_shared<base::OwnedFd>(ends[0]);
    write_end_ = base::OwnedFd(ends[1]);
  }
  // Everybody who is stuck goes on, and the test waits for it.
  ~SilentServer() {
    EXPECT_THAT(write_end_.Close(), IsOk());
    EXPECT_TRUE(Await([] { return StuckCalls() == 0; }));
  }

  std::function<absl::StatusOr<int>(const DeviceGate&)> Call(dev_t device) const {
    return [device, fd = read_end_](const DeviceGate& gate) -> absl::StatusOr<int> {
      if (absl::Status admitted = gate(device); !admitted.ok()) return admitted;
      char byte;
      return static_cast<int>(read(fd->get(), &byte, 1));
    };
  }

 private:
  std::shared_ptr<base::OwnedFd> read_end_;
  base::OwnedFd write_end_;
};

TEST(BoundedCaller, ReturnsWhatTheCallReturns) {
  BoundedCaller caller;

  EXPECT_THAT(caller.Run<std::string>("read x", kLong,
                                      [](const DeviceGate&) { return std::string("text"); }),
              IsOkAndHolds("text"));
  EXPECT_THAT(caller.Run<std::string>("read x", kLong,
                                      [](const DeviceGate&) -> absl::StatusOr<std::string> {
                                        return absl::NotFoundError("as it is");
                                      }),
              StatusIs(absl::StatusCode::kNotFound, "as it is"));
}

TEST(BoundedCaller, UsesOneWorkerForOneCallAfterTheOther) {
  BoundedCaller caller;
  const auto thread = [](const DeviceGate&) -> absl::StatusOr<pid_t> { return gettid(); };
  NSCTL_ASSERT_OK_AND_ASSIGN(const pid_t first, caller.Run<pid_t>("", kLong, thread));

  EXPECT_THAT(caller.Run<pid_t>("", kLong, thread), IsOkAndHolds(first));
  EXPECT_NE(first, gettid());
}

TEST(BoundedCaller, EndsAWorkerThatIsUsedOnce) {
  BoundedCaller caller;
  const testing::Resources before = testing::CurrentResources();

  EXPECT_THAT(caller.Run<int>(
                  "", kLong, [](const DeviceGate&) { return 1; }, BoundedCaller::Worker::kUsedOnce),
              IsOkAndHolds(1));

  EXPECT_EQ(testing::AwaitNoLeaks(before, kLong), "");
}

TEST(BoundedCaller, GoesOnWithoutACallThatDoesNotEnd) {
  const SilentServer server;
  BoundedCaller caller;

  EXPECT_THAT(caller.Run<int>("read /mnt/x", kShort, server.Call(kDevice)),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       "read /mnt/x: no answer from device 250:1 within 20ms"));
  EXPECT_EQ(StuckCalls(), 1);
  EXPECT_EQ(StuckCallsOn(kDevice), 1);
  EXPECT_EQ(StuckCallsOn(kOther), 0);
  EXPECT_THAT(caller.Run<int>("", kLong, [](const DeviceGate&) { return 1; }), IsOkAndHolds(1));
}

TEST(BoundedCaller, DoesNotTryADeviceThatHoldsTooMany) {
  const SilentServer server;
  BoundedCaller caller;
  for (int i = 0; i < kMaxStuckCallsOnDevice; ++i) {
    EXPECT_THAT(caller.Run<int>("", kShort, server.Call(kDevice)),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
  }

  EXPECT_THAT(caller.Run<int>("", kLong, server.Call(kDevice)),
              StatusIs(absl::StatusCode::kUnavailable,
                       "not tried: 4 earlier calls still wait for device 250:1"));
  EXPECT_THAT(caller.Run<int>("", kShort, server.Call(kOther)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(BoundedCaller, RefusesAllWhenTooManyAreStuck) {
  const SilentServer server;
  BoundedCaller caller;
  // A call that was given up before it began to wait does not count, which shows a moment later.
  unsigned int device = 0;
  while (StuckCalls() < kMaxStuckCalls) {
    while (StuckCalls() < kMaxStuckCalls) {
      EXPECT_THAT(caller.Run<int>("", absl::Milliseconds(1), server.Call(makedev(251, device++))),
                  StatusIs(absl::StatusCode::kDeadlineExceeded));
    }
    absl::SleepFor(absl::Milliseconds(100));
  }

  EXPECT_THAT(caller.Run<int>("read x", kLong, [](const DeviceGate&) { return 1; }),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("read x: not tried: 64")));
}

// Of 10 silent servers, each of which may take half a second: not five seconds in all.
TEST(BoundedCaller, LosesPatienceWithManySilentServers) {
  const SilentServer server;
  BoundedCaller caller;
  const absl::Time start = absl::Now();

  for (unsigned int i = 0; i < 10; ++i) {
    EXPECT_THAT(
        caller.Run<int>("", absl::Milliseconds(500), server.Call(makedev(252, i))),
        StatusIs(absl::StatusCode::kDeadlineExceeded,
                 HasSubstr(static_cast<int>(i) < kPatientCalls ? "within 500ms" : "within 100ms")));
  }

  EXPECT_LT(absl::Now() - start, absl::Seconds(4));
}

TEST(BoundedCaller, DropsALateResult) {
  const auto value = std::make_shared<int>(7);
  {
    const SilentServer server;
    BoundedCaller caller;
    auto late = [value, call = server.Call(kDevice)](const DeviceGate& gate) {
      (void)call(gate);
      return absl::StatusOr<std::shared_ptr<int>>(value);
    };
    EXPECT_THAT(caller.Run<std::shared_ptr<int>>("", kShort, std::move(late)),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
    EXPECT_GT(value.use_count(), 1);
  }

  EXPECT_TRUE(Await([&value] { return value.use_count() == 1; }));
}

TEST(BoundedCaller, ServesManyThreads) {
  BoundedCaller caller;
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&caller, &sum, i] {
      for (int n = 0; n < 100; ++n) {
        const absl::StatusOr<int> result =
            caller.Run<int>("", kLong, [i](const DeviceGate& gate) -> absl::StatusOr<int> {
              if (absl::Status admitted = gate(kDevice); !admitted.ok()) return admitted;
              return i;
            });
        sum += result.value_or(1000000);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(sum, 100 * (0 + 1 + 2 + 3 + 4 + 5 + 6 + 7));
}

}  // namespace
}  // namespace nsctl::procfsroot
