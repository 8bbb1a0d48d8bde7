#include "engines/web_socket_frames.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using testing::StatusIs;

constexpr size_t kMaxMessage = 1000;

// The text of a literal with NULs in it.
template <size_t kSize>
std::string Bytes(const char (&text)[kSize]) {
  return std::string(text, kSize - 1);
}

// "OPCODE:PAYLOAD " for each, and the error.
std::string Messages(absl::string_view bytes, size_t step) {
  WebSocketParser parser(kMaxMessage);
  std::string told;
  const auto visit = [&told](WebSocketOpcode opcode, absl::string_view payload) {
    absl::StrAppend(&told, static_cast<int>(opcode), ":",
                    payload.size() < 50 ? payload : absl::StrCat(payload.size(), " bytes"), " ");
    return absl::OkStatus();
  };
  while (!bytes.empty()) {
    const absl::Status status = parser.Feed(bytes.substr(0, step), visit);
    if (!status.ok()) return absl::StrCat(told, status.message());
    bytes.remove_prefix(step < bytes.size() ? step : bytes.size());
  }
  return absl::StrCat(told, parser.at_boundary() ? "" : "and more");
}

TEST(WebSocketParser, ReadsFramesHoweverBytesAreCut) {
  struct Case {
    std::string name;
    std::string bytes;
    std::string messages;
  };
  const std::string medium(200, 'm');
  for (const Case& row : {
           // RFC 6455, 5.7.
           Case{"text", "\x81\x05Hello", "1:Hello "},
           Case{"fragments", Bytes("\x01\x03Hel\x80\x02lo"), "1:Hello "},
           Case{"ping", "\x89\x05Hello", "9:Hello "},
           Case{"ping of LXD", "\x89\tkeepalive", "9:keepalive "},
           Case{"ping inside of a message", Bytes("\x01\x03Hel\x89\x01p\x80\x02lo"),
                "9:p 1:Hello "},
           Case{"empty", Bytes("\x81\x00\x82\x00"), "1: 2: "},
           Case{"empty fragments", Bytes("\x01\x00\x00\x00\x00\x01x\x80\x00"), "1:x "},
           Case{"length in two bytes", absl::StrCat(Bytes("\x82\x7e\x00\xc8"), medium),
                "2:200 bytes "},
           Case{"close without a reason", Bytes("\x88\x00"), "8: "},
           Case{"close", Bytes("\x88\x02\x03\xe8"), "8:\x03\xe8 "},
           Case{"nothing", "", ""},
           Case{"cut in the header", "\x81", "and more"},
           Case{"cut in the payload", "\x81\x05Hel", "and more"},
           Case{"cut between fragments", "\x01\x03Hel", "and more"},
           Case{"not UTF-8", "\x81\x01\xff", "1:\xff "},
           Case{"reserved bit", "\xc1\x05Hello", "WebSocket: a reserved bit is set"},
           Case{"unknown opcode", "\x83\x05Hello", "WebSocket: an opcode is unknown"},
           Case{"unknown control opcode", "\x8b\x05Hello", "WebSocket: an opcode is unknown"},
           Case{"masked", "\x81\x85mask#####", "WebSocket: a server's frame is masked"},
           Case{"ping in pieces", "\x09\x05Hello", "WebSocket: a control frame is in pieces"},
           Case{"long ping", absl::StrCat(Bytes("\x89\x7e\x00\x7e"), std::string(126, 'x')),
                "WebSocket: a control frame is too long"},
           Case{"close of one byte", "\x88\x01x", "WebSocket: a close frame is malformed"},
           Case{"continuation of nothing", "\x80\x01x",
                "WebSocket: a message goes on that has not begun"},
           Case{"a message inside", "\x01\x01x\x81\x01y",
                "WebSocket: a message begins inside of another one"},
           Case{"longer than needed", Bytes("\x81\x7e\x00\x05Hello"),
                "WebSocket: a length is malformed"},
           Case{"much longer than needed", Bytes("\x81\x7f\x00\x00\x00\x00\x00\x00\x00\xc8"),
                "WebSocket: a length is malformed"},
           Case{"negative length", Bytes("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"),
                "WebSocket: a length is malformed"},
           Case{"too long", Bytes("\x81\x7e\x03\xe9"),
                "WebSocket: message of more than 1000 bytes"},
           Case{"huge", Bytes("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
                "WebSocket: message of more than 1000 bytes"},
           Case{"too long in pieces",
                absl::StrCat(Bytes("\x01\x7e\x03\xe8"), std::string(1000, 'x'), "\x80\x01x"),
                "WebSocket: message of more than 1000 bytes"},
       }) {
    for (const size_t step : {row.bytes.size() + 1, size_t{1}, size_t{3}}) {
      EXPECT_EQ(Messages(row.bytes, step), row.messages) << row.name << " by " << step;
    }
  }
}

TEST(WebSocketParser, EndsWithItsVisitor) {
  WebSocketParser parser(kMaxMessage);

  EXPECT_THAT(parser.Feed("\x81\x01x\x81\x01y",
                          [](WebSocketOpcode, absl::string_view payload) {
                            return absl::CancelledError(std::string(payload));
                          }),
              StatusIs(absl::StatusCode::kCancelled, "x"));
}

TEST(WebSocketFrame, IsMasked) {
  // RFC 6455, 5.7.
  EXPECT_EQ(WebSocketFrame(WebSocketOpcode::kText, "Hello", {0x37, 0xfa, 0x21, 0x3d}),
            "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  EXPECT_EQ(WebSocketFrame(WebSocketOpcode::kPong, "", {1, 2, 3, 4}), "\x8a\x80\x01\x02\x03\x04");
  EXPECT_EQ(
      WebSocketFrame(WebSocketOpcode::kBinary, std::string(200, 'x'), {1, 2, 3, 4}).substr(0, 8),
      Bytes("\x82\xfe\x00\xc8\x01\x02\x03\x04"));
  EXPECT_EQ(
      WebSocketFrame(WebSocketOpcode::kBinary, std::string(65536, 'x'), {1, 2, 3, 4}).substr(0, 10),
      Bytes("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"));
}

TEST(WebSocketAccept, IsThatOfTheRfc) {
  EXPECT_EQ(WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace nsctl::engines
