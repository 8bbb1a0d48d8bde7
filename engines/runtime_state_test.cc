#include "engines/runtime_state.h"

#include <string>

#include "absl/status/status.h"
#include "engines/container.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using testing::IsOk;

// Of runc 1.1.5, shortened.
constexpr char kRunc[] =
    R"({"id":"f4d8","init_process_pid":15055,"init_process_start":1401766,)"
    R"("created":"2026-11-26T07:37:56.336770439Z","config":{"rootfs":"/x","cgroups":)"
    R"({"path":"/docker/f4d8"},"labels":["io.kubernetes.cri.sandbox-id=9","bundle=/b","odd"]},)"
    R"("rootless":false})";
// Of crun 1.8.
constexpr char kCrun[] =
    R"({"pid":7,"process-start-time":99,"cgroup-path":"/x/y","scope":null,"rootfs":"/r",)"
    R"("systemd-cgroup":false,"bundle":"/b","created":"2026-11-26T07:37:56.3Z","owner":"root"})";

TEST(ParseRuntimeState, ReadsRunc) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const RuntimeState state, ParseRuntimeState(kRunc));

  EXPECT_EQ(state.id, "f4d8");
  EXPECT_EQ(state.pid, 15055);
  EXPECT_EQ(state.start_time, 1401766);
  EXPECT_EQ(state.created, "2026-11-26T07:37:56.336770439Z");
  ASSERT_EQ(state.annotations.size(), 1);
  EXPECT_EQ(*FindLabel(state.annotations, "io.kubernetes.cri.sandbox-id"), "9");
}

TEST(ParseRuntimeState, ReadsCrun) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const RuntimeState state, ParseRuntimeState(kCrun));

  EXPECT_EQ(state.id, "");
  EXPECT_EQ(state.pid, 7);
  EXPECT_EQ(state.start_time, 99);
}

TEST(ParseRuntimeState, RefusesWhatIsNone) {
  for (const char* text :
       {"", "{", "[]", "null", "{}", R"({"id":""})", R"({"id":7,"init_process_pid":"x"})",
        R"({"id":"a","init_process_pid":-1})", R"({"pid":-7})",
        R"({"pid":7,"process-start-time":-1})"}) {
    EXPECT_FALSE(ParseRuntimeState(text).ok()) << text;
  }
  // Created and not started: no process.
  EXPECT_THAT(ParseRuntimeState(R"({"id":"a","config":{"labels":7}})"), IsOk());
}

}  // namespace
}  // namespace nsctl::engines
