#include "engines/machined/varlink.h"

#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/http_client.h"
#include "engines/json_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::machined {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

constexpr absl::string_view kNul("\0", 1);

TEST(VarlinkFramer, CutsAtNuls) {
  VarlinkFramer framer;
  std::vector<std::string> messages;
  const auto take = [&messages](absl::string_view message) {
    messages.emplace_back(message);
    return absl::OkStatus();
  };

  for (const absl::string_view piece :
       {absl::string_view("{\"a\""), absl::string_view(":1}\0{}\0\0{", 8)}) {
    ASSERT_THAT(framer.Feed(piece, take), IsOk());
  }

  EXPECT_THAT(messages, ElementsAre("{\"a\":1}", "{}", ""));
}

TEST(VarlinkFramer, RefusesAMessageWithoutEnd) {
  VarlinkFramer framer(/*max_message=*/10);
  const auto take = [](absl::string_view) { return absl::OkStatus(); };

  ASSERT_THAT(framer.Feed("0123456789", take), IsOk());
  EXPECT_THAT(framer.Feed("a", take), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ParseVarlinkReply, ReadsRepliesAndErrors) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const VarlinkReply reply,
      ParseVarlinkReply(R"({"parameters":{"name":"web"},"continues":true,"later":{}})"));
  EXPECT_EQ(TextMember(reply.parameters, "name"), "web");
  EXPECT_TRUE(reply.continues);

  struct Case {
    const char* message;
    absl::StatusCode code;
  };
  const Case cases[] = {
      {R"({"error":"org.varlink.service.MethodNotFound","parameters":{"method":"x"}})",
       absl::StatusCode::kUnimplemented},
      {R"({"error":"org.varlink.service.InterfaceNotFound"})", absl::StatusCode::kUnimplemented},
      {R"({"error":"io.systemd.Machine.NoSuchMachine"})", absl::StatusCode::kNotFound},
      {R"({"error":"org.varlink.service.PermissionDenied"})", absl::StatusCode::kPermissionDenied},
      {R"({"error":"what.ever"})", absl::StatusCode::kUnknown},
      {"", absl::StatusCode::kInvalidArgument},
      {R"({"parameters":)", absl::StatusCode::kInvalidArgument},
  };
  for (const Case& test : cases) {
    EXPECT_THAT(ParseVarlinkReply(test.message), StatusIs(test.code)) << test.message;
  }
}

TEST(MessageOf, EndsWithANul) {
  EXPECT_EQ(
      MessageOf({.method = "io.systemd.Machine.List", .more = true}),
      absl::StrCat(R"({"method":"io.systemd.Machine.List","more":true,"parameters":{}})", kNul));
}

// What a server that sends `replies` at once answers to a call for all.
class VarlinkCallTest : public ::testing::Test {
 protected:
  absl::Status Call(const std::string& replies, CallLimits limits = {}) {
    int pair[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    const base::OwnedFd theirs(pair[1]);
    EXPECT_EQ(send(theirs.get(), replies.data(), replies.size(), 0),
              static_cast<ssize_t>(replies.size()));
    if (limits.deadline == absl::InfinitePast()) shutdown(theirs.get(), SHUT_WR);
    if (limits.deadline == absl::InfinitePast()) limits.deadline = absl::Now() + absl::Seconds(30);
    names_.clear();
    return VarlinkCall([&pair] { return base::OwnedFd(pair[0]); },
                       {.method = "io.systemd.Machine.List", .more = true}, limits,
                       [this](const Json& parameters) {
                         names_.push_back(TextMember(parameters, "name"));
                         return absl::OkStatus();
                       });
  }

  std::vector<std::string> names_;
};

TEST_F(VarlinkCallTest, GivesEachReply) {
  EXPECT_THAT(Call(absl::StrCat(R"({"parameters":{"name":"a"},"continues":true})", kNul,
                                R"({"parameters":{"name":"b"}})", kNul, "{}", kNul)),
              IsOk());
  EXPECT_THAT(names_, ElementsAre("a", "b"));
}

TEST_F(VarlinkCallTest, RefusesHostileReplies) {
  const std::string one = absl::StrCat(R"({"parameters":{"name":"a"},"continues":true})", kNul);
  EXPECT_THAT(Call(one), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Call(""), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Call(absl::StrCat("nonsense", kNul)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Call(one, {.deadline = absl::Now() + absl::Milliseconds(20)}),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(Call(one + one, {.deadline = absl::Now() + absl::Seconds(30), .max_bytes = 60}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace nsctl::engines::machined
