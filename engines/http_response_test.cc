#include "engines/http_response.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsNull;
using testing::IsOk;
using ::testing::Pointee;
using testing::StatusIs;

struct Parsed {
  absl::Status status;
  std::string body;
  int code = 0;
  bool done = false;
};

// `text` in pieces of `step` bytes, then the connection's end.
Parsed Parse(absl::string_view text, size_t step, bool head_only = false) {
  HttpResponseParser parser(head_only);
  Parsed parsed;
  while (parsed.status.ok() && !text.empty()) {
    parsed.status = parser.Feed(text.substr(0, step), &parsed.body);
    text.remove_prefix(std::min(step, text.size()));
  }
  parsed.done = parser.done();
  if (parsed.status.ok()) parsed.status = parser.Finish();
  if (parser.has_head()) parsed.code = parser.head().status;
  return parsed;
}

TEST(HttpResponse, ReadsWhatEnginesSend) {
  struct Case {
    const char* name;
    absl::string_view text;
    int code;
    absl::string_view body;
    // Known before the connection ends.
    bool done = true;
  };
  for (const Case& row : {
           Case{"docker /_ping",
                "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\n"
                "Content-Length: 2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nOK",
                200, "OK"},
           Case{"docker /events",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n3\r\n1}\n\r\n"
                "0\r\n\r\n",
                200, "{\"a\":1}\n"},
           Case{"extensions and trailers",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                "A;x=\"y\"\r\n0123456789\r\n000\r\nX: y\r\n\r\n",
                200, "0123456789"},
           Case{"until the end", "HTTP/1.0 200 OK\r\n\r\nabc", 200, "abc", false},
           Case{"no body", "HTTP/1.1 204 No Content\r\nX-A:\r\n\r\n", 204, ""},
           Case{"empty body", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, ""},
           Case{"no reason", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, "x"},
           Case{"bare newlines", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", 200, "x"},
           Case{"interim response",
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
                "Content-Length: 1\r\n\r\nx",
                200, "x"},
           Case{"another protocol", "HTTP/1.1 101 UPGRADED\r\nUpgrade: x\r\n\r\n\x89\x01", 101,
                "\x89\x01", false},
           Case{"length twice, the same",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 200, "x"},
       }) {
    for (const size_t step : {1, 7, 1000}) {
      SCOPED_TRACE(row.name);
      const Parsed parsed = Parse(row.text, step);

      EXPECT_THAT(parsed.status, IsOk());
      EXPECT_EQ(parsed.code, row.code);
      EXPECT_EQ(parsed.body, row.body);
      EXPECT_EQ(parsed.done, row.done);
    }
  }
}

TEST(HttpResponse, TakesNoBodyAfterHead) {
  const Parsed parsed =
      Parse("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n", 5, true);

  EXPECT_THAT(parsed.status, IsOk());
  EXPECT_TRUE(parsed.done);
}

TEST(HttpResponse, KnowsFieldsWhateverTheirCase) {
  HttpResponseParser parser;
  std::string body;

  ASSERT_THAT(parser.Feed("HTTP/1.1 200 OK\r\nAPI-Version:  1.41 \r\nX: 1\r\nx: 2\r\n\r\n", &body),
              IsOk());

  EXPECT_THAT(parser.head().Find("api-version"), Pointee(Eq("1.41")));
  EXPECT_THAT(parser.head().Find("x"), Pointee(Eq("1")));
  EXPECT_THAT(parser.head().Find("y"), IsNull());
}

TEST(HttpResponse, RefusesWhatIsMalformed) {
  struct Case {
    const char* text;
    const char* what;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {"HTTP/2 200 OK\r\n\r\n", "status line"},
           {"HTTP/1.1 2000 OK\r\n\r\n", "status line"},
           {"HTTP/1.1 -20 OK\r\n\r\n", "status line"},
           {"HTTP/1.1 099 OK\r\n\r\n", "status"},
           {"HTTP/1.1 600 OK\r\n\r\n", "status"},
           {"SSH-2.0-OpenSSH_9.2\r\n", "status line"},
           {"\r\n", "status line"},
           {ok + "no colon\r\n\r\n", "field"},
           {ok + ": no name\r\n\r\n", "field"},
           {ok + "name : blank\r\n\r\n", "field"},
           {ok + "a: b\r\n goes on\r\n\r\n", "field"},
           {ok + "a: b\rc\r\n\r\n", "field"},
           {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "field content-length"},
           {ok + "Content-Length: -1\r\n\r\n", "field content-length"},
           {ok + "Content-Length: 99999999999999999999\r\n\r\n", "field content-length"},
           {ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "field content-length"},
           {ok + "Transfer-Encoding: gzip\r\n\r\n", "field transfer-encoding"},
           {ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "chunk size"},
           {ok + "Transfer-Encoding: chunked\r\n\r\n\r\n", "chunk size"},
           {ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "chunk size"},
           {ok + "Transfer-Encoding: chunked\r\n\r\n0x1\r\n", "chunk size"},
           {ok + "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", "chunk size"},
           {ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", "end of chunk"},
           {ok + "Content-Length: 1\r\n\r\nxy", "end: more bytes than the body has"},
       }) {
    for (const size_t step : {1, 1000}) {
      SCOPED_TRACE(text);
      EXPECT_THAT(Parse(text, step).status,
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           absl::StrCat("HTTP response: malformed ", what)));
    }
  }
}

TEST(HttpResponse, SaysWhereItWasCut) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& text : {std::string(), std::string("HTTP/1.1 2"), ok + "Content-Le"}) {
    EXPECT_THAT(Parse(text, 1).status,
                StatusIs(absl::StatusCode::kDataLoss,
                         "HTTP response: the connection ended before its head"));
  }
  for (const auto& text :
       {ok + "Content-Length: 5\r\n\r\nabc", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"}) {
    EXPECT_THAT(Parse(text, 1).status,
                StatusIs(absl::StatusCode::kDataLoss, "HTTP response: the body is cut short"));
  }
}

TEST(HttpResponse, EndsHeadsAndChunkLinesWithoutEnd) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  std::string fields = ok;
  while (fields.size() <= kMaxHttpHead) fields += "a: b\r\n";
  for (const auto& text :
       {std::string(kMaxHttpHead + 1, 'x'), ok + std::string(kMaxHttpHead, 'x'), fields,
        ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(kMaxHttpChunkLine, 'x'),
        ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + fields}) {
    for (const size_t step : {1000, 10, 100000}) {
      EXPECT_THAT(Parse(text, step).status,
                  StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("of more than")));
    }
  }
}

}  // namespace
}  // namespace nsctl::engines
