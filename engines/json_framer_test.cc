#include "engines/json_framer.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAreArray;
using testing::IsOk;
using testing::StatusIs;
using Shape = JsonFramer::Shape;

struct Framed {
  std::vector<std::string> values;
  absl::Status status;
};

// `text` in pieces of `step` bytes.
Framed Frame(Shape shape, absl::string_view text, size_t step = 1, size_t limit = 1000) {
  Framed framed;
  const auto visit = [&framed](absl::string_view value) {
    framed.values.emplace_back(value);
    return absl::OkStatus();
  };
  JsonFramer framer(shape, limit);
  while (framed.status.ok() && !text.empty()) {
    framed.status = framer.Feed(text.substr(0, step), visit);
    text.remove_prefix(std::min(step, text.size()));
  }
  if (framed.status.ok()) framed.status = framer.Finish(visit);
  return framed;
}

struct Case {
  const char* name;
  absl::string_view text;
  std::vector<std::string> values;
  absl::StatusCode code = absl::StatusCode::kOk;
};

void Check(Shape shape, const std::vector<Case>& cases) {
  for (const Case& row : cases) {
    for (const size_t step : {1, 3, 1000}) {
      SCOPED_TRACE(row.name);
      const Framed framed = Frame(shape, row.text, step);

      EXPECT_THAT(framed.values, ElementsAreArray(row.values));
      EXPECT_EQ(framed.status.code(), row.code) << framed.status;
    }
  }
}

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(JsonFramer, FindsValuesOfASequence) {
  Check(Shape::kSequence,
        {
            {"nothing", "", {}},
            {"blank lines", "\n \r\n\t", {}},
            {"lines", "{\"a\":1}\n{\"b\":2}\n", {"{\"a\":1}", "{\"b\":2}"}},
            {"no newline at the end", "{\"a\":1}", {"{\"a\":1}"}},
            {"nothing between", "{}{}[]", {"{}", "{}", "[]"}},
            {"record separators", "\x1e{}\n\x1e{}\n", {"{}", "{}"}},
            {"braces and quotes in strings", R"({"a":"}\"{"}{})", {R"({"a":"}\"{"})", "{}"}},
            {"a backslash before the quote", R"({"a":"\\"}{})", {R"({"a":"\\"})", "{}"}},
            {"more lines than one",
             "{\"a\":\n{\"b\":\n[\n{}\n,\n{}]}}",
             {"{\"a\":\n{\"b\":\n[\n{}\n,\n{}]}}"}},
            {"scalars", "1 null \"x\" tr", {"1", "null", "\"x\"", "tr"}},
            {"garbage", "}{}", {"}", "{}"}},
        });
}

TEST(JsonFramer, GoesOnAfterALineThatWasCut) {
  Check(Shape::kSequence,
        {
            {"after a value", "{\"a\":1\n{\"b\":2}\n", {"{\"a\":1\n", "{\"b\":2}"}},
            {"in a string", "{\"a\":\"x\n{\"b\":2}\n", {"{\"a\":\"x", "{\"b\":2}"}},
            {"at the end", "{}\n{\"a\":", {"{}", "{\"a\":"}, kInvalid},
            {"in a string at the end", "\"a", {"\"a"}, kInvalid},
        });
}

TEST(JsonFramer, FindsElementsOfAnArray) {
  Check(Shape::kArray, {
                           {"none", "[]", {}},
                           {"none, with blanks", " [ ] \n", {}},
                           {"null", "null", {}},
                           {"null and newline", "null\n", {}},
                           {"one", "[{\"a\":[1,2]}]", {"{\"a\":[1,2]}"}},
                           {"some", "[ {} , 1,\"],\" ,[[]]]", {"{}", "1", "\"],\"", "[[]]"}},
                           {"lines", "[\n{\n},\n{\n}\n]\n", {"{\n}", "{\n}"}},
                       });
}

TEST(JsonFramer, RefusesWhatIsNoArray) {
  Check(Shape::kArray, {
                           {"nothing", "", {}, kInvalid},
                           {"an object", "{\"message\":\"no\"}", {}, kInvalid},
                           {"cut before an element", "[", {}, kInvalid},
                           {"cut in an element", "[{},{", {"{}"}, kInvalid},
                           {"cut after an element", "[{}", {"{}"}, kInvalid},
                           {"no comma", "[{}{}]", {"{}"}, kInvalid},
                           {"no element", "[,]", {}, kInvalid},
                           {"more behind it", "[]x", {}, kInvalid},
                           {"another word", "nulx", {}, kInvalid},
                           {"two words", "null null", {}, kInvalid},
                           {"half a word", "nul", {}, kInvalid},
                       });
}

TEST(JsonFramer, HoldsNoMoreThanOneValue) {
  const std::string big = "[" + std::string(100, '1') + "]";

  EXPECT_THAT(Frame(Shape::kArray, big, 7, 99).status,
              StatusIs(absl::StatusCode::kResourceExhausted, "JSON value of more than 99 bytes"));
  EXPECT_THAT(Frame(Shape::kArray, big, 7, 100).status, IsOk());
  EXPECT_THAT(Frame(Shape::kSequence, "{\"" + big, 7, 50).status,
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(JsonFramer, EndsWithItsVisitor) {
  JsonFramer framer(Shape::kSequence, 100);
  int visits = 0;

  const absl::Status status = framer.Feed("{}{}", [&visits](absl::string_view) {
    ++visits;
    return absl::CancelledError("enough");
  });

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "enough"));
  EXPECT_EQ(visits, 1);
}

}  // namespace
}  // namespace nsctl::engines
