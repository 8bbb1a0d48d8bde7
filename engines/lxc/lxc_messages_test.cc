#include "engines/lxc/lxc_messages.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::lxc {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

TEST(RequestOf, IsWhatLiblxcSends) {
  // As lxc-info 5.0.2 sends it on x86-64, seen by strace(1).
  EXPECT_EQ(RequestOf(Command::kGetConfigItem, absl::string_view("lxc.idmap\0", 10)),
            std::string("\x07\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0\0lxc.idmap\0", 26));
}

TEST(ParseReplyHead, ReadsWhatLiblxcAnswers) {
  // GET_STATE, GET_INIT_PID and GET_CONFIG_ITEM of what is not set, of 5.0.2.
  NSCTL_ASSERT_OK_AND_ASSIGN(const ReplyHead state,
                             ParseReplyHead(std::string("\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16)));
  EXPECT_EQ(state.value, 2);
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const ReplyHead pid, ParseReplyHead(std::string("\0\0\0\0\0\0\0\0\xb5\x76\0\0\0\0\0\0", 16)));
  EXPECT_EQ(pid.value, 30389);
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const ReplyHead unset,
      ParseReplyHead(std::string("\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0", 16)));
  EXPECT_EQ(unset.result, -1);
}

TEST(ParseReplyHead, RefusesWhatNoMonitorSays) {
  struct Case {
    const char* name;
    std::string bytes;
  };
  const Case cases[] = {
      {"nothing", ""},
      {"cut", std::string(15, '\0')},
      {"a negative size", std::string("\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 16)},
      {"a huge size", std::string("\0\0\0\0\xff\xff\xff\x7f\0\0\0\0\0\0\0\0", 16)},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(ParseReplyHead(test.bytes), StatusIs(absl::StatusCode::kDataLoss)) << test.name;
  }
}

TEST(SocketName, IsHashedWhereItIsLong) {
  EXPECT_EQ(SocketName("/var/lib/lxc", "web"), "/var/lib/lxc/web/command");
  const std::string longest(107 - 1 - absl::string_view("/var/lib/lxc//command").size(), 'x');
  EXPECT_EQ(SocketName("/var/lib/lxc", longest).size(), 106);
  EXPECT_THAT(SocketName("/var/lib/lxc", longest + "x"), HasSubstr("lxc/"));
  EXPECT_EQ(SocketName("/var/lib/lxc", longest + "x").size(), 4 + 16 + 8);
}

TEST(RowOf, SaysWhatIsConfigured) {
  const EngineRow row = RowOf({.name = "web",
                               .state = 6,
                               .init_pid = 7,
                               .config = {{"lxc.group", "shop\nall\n"},
                                          {"lxc.idmap", "u 0 100000 65536\n"},
                                          {"lxc.rootfs.path", "dir:/srv/web"}}});

  EXPECT_EQ(row.container.ShortDebugString(),
            "id: \"web\" name: \"web\" "
            "annotations { name: \"lxc.group\" value: \"shop,all\" } "
            "annotations { name: \"lxc.idmap\" value: \"u 0 100000 65536\" } "
            "annotations { name: \"lxc.rootfs.path\" value: \"dir:/srv/web\" } "
            "state: paused engine_pid: 7 runtime: \"lxc\" privileged: false");
  EXPECT_FALSE(row.partial);
}

TEST(RowOf, TakesHostileText) {
  const EngineRow row =
      RowOf({.name = "\xff\n", .state = 77, .init_pid = -1, .config = {{"lxc.group", "\x1b[2J"}}});

  EXPECT_EQ(row.container.id(), "\\xff\n");
  EXPECT_EQ(row.container.state(), Container::unknown);
  EXPECT_TRUE(row.container.privileged());
  Container again;
  EXPECT_TRUE(again.ParseFromString(row.container.SerializeAsString()));
}

}  // namespace
}  // namespace nsctl::engines::lxc
