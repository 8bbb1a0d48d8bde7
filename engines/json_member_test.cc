#include "engines/json_member.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engines/json_text.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

TEST(JsonMember, FindsMembersOfTheObjectAlone) {
  const absl::string_view text =
      R"( { "a" : {"b":[1,{"c":2}],"d":"}"}, "b": "x\"," ,"n":-1.5e3,"l":[{},[]],"e":null} )";

  EXPECT_EQ(FindMember(text, "a"), R"( {"b":[1,{"c":2}],"d":"}"})");
  EXPECT_EQ(FindMember(text, "b"), R"( "x\"," )");
  EXPECT_EQ(FindMember(text, "n"), "-1.5e3");
  EXPECT_EQ(FindMember(text, "l"), "[{},[]]");
  EXPECT_EQ(FindMember(text, "e"), "null");
  EXPECT_EQ(FindMember(text, "c"), "");
  EXPECT_EQ(FindMember(text, "d"), "");
}

TEST(JsonMember, FindsNothingInWhatIsNoObject) {
  for (const absl::string_view text :
       {"", " ", "{", "{}", "[]", "null", "\"a\"", R"(["a"])", R"({"a")", R"({"a":)", R"({"a":1)",
        R"({"a":"1)", R"({"a":"\)", R"({"a)", R"({a:1})", R"({"b":1 "a":2})", R"({"b":1]"a":2})"}) {
    EXPECT_EQ(FindMember(text, "a"), "") << text;
  }
}

TEST(JsonMember, ParsesAMemberOfAMember) {
  const absl::string_view text = R"({"linux":{"cgroupsPath":"/a\\b","seccomp":{"x":1}},"l":[1]})";

  EXPECT_EQ(TextOf(ParseMember(text, {"linux", "cgroupsPath"})), "/a\\\\b");
  EXPECT_EQ(IntOf(ParseMember(text, {"linux", "seccomp", "x"})), 1);
  EXPECT_TRUE(ParseMember(text, {"l", "linux"}).is_null());
  EXPECT_TRUE(ParseMember(text, {"nothing", "at", "all"}).is_null());
  EXPECT_TRUE(ParseMember(R"({"a":nonsense})", {"a"}).is_null());
}

TEST(JsonMember, StandsAnyDepth) {
  const std::string deep(1'000'000, '[');

  EXPECT_EQ(FindMember(absl::StrCat(R"({"a":)", deep), "b"), "");
  EXPECT_TRUE(ParseMember(absl::StrCat(R"({"a":)", deep, std::string(1'000'000, ']'), "}"), {"a"})
                  .is_null());
}

}  // namespace
}  // namespace nsctl::engines
