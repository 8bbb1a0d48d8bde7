#include "engines/json_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(ParseJson, ReadsAnEventOfDocker) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const Json event,
      ParseJson(R"({"Type":"container","Action":"start","Actor":{"ID":"bdde","Attributes":)"
                R"({"image":"sl:1","name":"n1"}},"time":1795431744,)"
                R"("timeNano":1795431744777723827})"));

  EXPECT_EQ(TextMember(event, "Action"), "start");
  EXPECT_EQ(TextMember(Member(event, "Actor"), "ID"), "bdde");
  EXPECT_EQ(IntMember(event, "timeNano"), 1795431744777723827);
}

TEST(ParseJson, ReadsWhatIsMissingOrOfAnotherTypeAsEmpty) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const Json value,
      ParseJson(R"({"null":null,"text":"x","big":18446744073709551615,"half":0.5,"yes":true})"));

  EXPECT_EQ(TextMember(value, "gone"), "");
  EXPECT_EQ(TextMember(value, "null"), "");
  EXPECT_EQ(TextMember(Member(value, "text"), "deeper"), "");
  EXPECT_EQ(IntMember(value, "text"), std::nullopt);
  EXPECT_EQ(IntMember(value, "big"), std::nullopt);
  EXPECT_EQ(IntMember(value, "half"), std::nullopt);
  EXPECT_EQ(BoolMember(value, "null"), std::nullopt);
  EXPECT_EQ(BoolMember(value, "yes"), true);
}

TEST(ParseJson, MakesStoredTextOfStrings) {
  struct Case {
    const char* name;
    absl::string_view json;
    // What the string's bytes are.
    absl::string_view bytes;
  };
  for (const Case& row : {
           Case{"plain", R"("web")", "web"},
           Case{"UTF-8", "\"\xc3\xa4\"", "\xc3\xa4"},
           Case{"escaped UTF-8", R"("\u00e4\ud83d\ude00")", "\xc3\xa4\xf0\x9f\x98\x80"},
           Case{"not UTF-8", "\"a\xff\xc3z\"", "a\xff\xc3z"},
           Case{"backslash", R"("a\\b")", "a\\b"},
           Case{"backslash by number", R"("a\u005Cb")", "a\\b"},
           Case{"what looks like an escape of stored text", R"("\\xff")", "\\xff"},
           Case{"backslash before what is not UTF-8", "\"\\\\\xff\"", "\\\xff"},
           Case{"quote", R"("a\"b")", "a\"b"},
           Case{"newline", R"("a\nb")", "a\nb"},
           Case{"NUL", R"("a\u0000b")", absl::string_view("a\0b", 3)},
       }) {
    SCOPED_TRACE(row.name);

    const auto value = ParseJson(row.json);

    ASSERT_THAT(value, IsOk());
    EXPECT_EQ(TextOf(*value), base::EncodeText(row.bytes));
  }
}

TEST(ParseJson, TakesTheLastOfMembersWithOneName) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Json value, ParseJson(R"({"a":1,"a":2})"));

  EXPECT_EQ(IntMember(value, "a"), 2);
}

TEST(ParseJson, RefusesWhatIsNone) {
  for (const absl::string_view text : std::vector<absl::string_view>{
           "", "{", "{\"a\":", "{\"a\"}", "[1,]", "nul", "\"a", "\"\\", "\"\\\xff\"", "1e999",
           "\"\\ud800\"", "\"\n\"", "{} {}", "\xff", absl::string_view("[]\0{", 4),
           absl::string_view("\0", 1)}) {
    SCOPED_TRACE(base::EncodeText(text));

    EXPECT_THAT(ParseJson(text), StatusIs(absl::StatusCode::kInvalidArgument, "is not JSON"));
  }
}

TEST(ParseJson, KeepsItsLimits) {
  const std::string deep(1 << 20, '[');

  EXPECT_THAT(ParseJson(deep), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ParseJson("[[1]]", {.max_depth = 1}),
              StatusIs(absl::StatusCode::kResourceExhausted, "JSON is more than 1 deep"));
  EXPECT_THAT(ParseJson("[1]", {.max_bytes = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, "JSON is longer than 2 bytes"));
  EXPECT_THAT(ParseJson("[\"[[[[\",[1]]", {.max_depth = 2}), IsOk());
}

}  // namespace
}  // namespace nsctl::engines
