#include "cmd/json_writer.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace nsctl::cmd {
namespace {

std::string JsonString(absl::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

void WriteSample(JsonWriter* json) {
  json->BeginObject();
  json->Key("empty");
  json->BeginObject();
  json->EndObject();
  json->Key("none");
  json->BeginArray();
  json->EndArray();
  json->Key("list");
  json->BeginArray();
  json->Number(int64_t{-1});
  json->Number(std::numeric_limits<uint64_t>::max());
  json->Bool(true);
  json->EndArray();
  json->EndObject();
}

TEST(JsonWriter, WritesOneLine) {
  StringWriter out;
  JsonWriter json(&out, JsonWriter::kCompact);

  WriteSample(&json);

  EXPECT_EQ(out.text(), R"({"empty":{},"none":[],"list":[-1,18446744073709551615,true]})");
}

TEST(JsonWriter, IndentsEveryLevel) {
  StringWriter out;
  JsonWriter json(&out, 2);

  WriteSample(&json);

  EXPECT_EQ(out.text(), R"({
  "empty": {},
  "none": [],
  "list": [
    -1,
    18446744073709551615,
    true
  ]
})");
}

TEST(AppendJsonString, EscapesWhatJsonAndTerminalsNeed) {
  struct Case {
    const char* name;
    std::string text;
    std::string json;
  };
  const Case cases[] = {
      {"plain", "a/b", R"("a/b")"},
      {"quote and backslash", R"(a"b\c)", R"("a\"b\\c")"},
      {"controls", std::string("\n\t\x1b\x7f\0", 5), R"("\n\t\u001b\u007f\u0000")"},
      {"umlaut stays", "süß", "\"süß\""},
      {"C1 control", "\xc2\x9b", R"("\u009b")"},
      {"bidirectional override", "\u202e", R"("\u202e")"},
      {"tag above the first plane", "\U000e0041", R"("\udb40\udc41")"},
      {"emoji stays", "\U0001f600", "\"\U0001f600\""},
      {"lone continuation", "a\x80z", "\"a\xef\xbf\xbdz\""},
      {"cut character", "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
      {"overlong", "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
      {"surrogate", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
      {"never valid", "\xff", "\"\xef\xbf\xbd\""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(JsonString(c.text), c.json) << c.name;
  }
}

TEST(AppendJsonString, IsReadBackAsItWas) {
  const std::string text = "a\\\"\n\x1b\u202e\U000e0041ü\U0001f600";

  EXPECT_EQ(nlohmann::json::parse(JsonString(text)).get<std::string>(), text);
}

}  // namespace
}  // namespace nsctl::cmd
