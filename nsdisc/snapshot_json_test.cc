#include "nsdisc/snapshot_json.h"

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using ::nsctl::testing::StatusIs;

// The message that `json` makes, as text.
std::string MessageOf(const std::string& json) {
  const absl::StatusOr<std::string> binary = SnapshotJsonToBinary(json);
  EXPECT_THAT(binary, ::nsctl::testing::IsOk());
  Snapshot snapshot;
  EXPECT_TRUE(snapshot.ParseFromString(binary.value_or("")));
  return snapshot.ShortDebugString();
}

std::string Repeat(absl::string_view piece, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&text, piece);
  return text;
}

TEST(TakeJsonObject, TakesOneAfterTheOther) {
  const std::string json = "\n{\"a\":\n[{}]} {\"format\" : \"}\\\"{\"}\n\n";
  absl::string_view rest = json;
  size_t line = 1;

  NSCTL_ASSERT_OK_AND_ASSIGN(const JsonObject first, TakeJsonObject(&rest, &line));
  NSCTL_ASSERT_OK_AND_ASSIGN(const JsonObject second, TakeJsonObject(&rest, &line));

  EXPECT_EQ(first.text, "{\"a\":\n[{}]}");
  EXPECT_EQ(first.line, 2u);
  EXPECT_FALSE(first.has_format);
  EXPECT_EQ(second.text, "{\"format\" : \"}\\\"{\"}");
  EXPECT_EQ(second.line, 3u);
  EXPECT_TRUE(second.has_format);
  EXPECT_EQ(rest, "");
}

TEST(TakeJsonObject, SeesOnlyKeysOfTheObjectItself) {
  for (const char* const json :
       {R"({"a":"format"})", R"({"a":{"format":1}})", R"({"a":["format"]})",
        R"({"a":[1,"format"]})", R"({"\u0066ormat":1})"}) {
    absl::string_view rest = json;
    size_t line = 1;

    NSCTL_ASSERT_OK_AND_ASSIGN(const JsonObject object, TakeJsonObject(&rest, &line));

    EXPECT_FALSE(object.has_format) << json;
  }
}

TEST(TakeJsonObject, TellsAnObjectCutAnywhere) {
  const std::string json = R"({"a":[{"b":"c\"}"}]})";
  for (size_t size = 1; size < json.size(); ++size) {
    absl::string_view rest = absl::string_view(json).substr(0, size);
    size_t line = 1;

    EXPECT_THAT(TakeJsonObject(&rest, &line),
                StatusIs(absl::StatusCode::kInvalidArgument, "cut short within a JSON object"));
  }
}

TEST(TakeJsonObject, NeedsNoStackForNesting) {
  const std::string json = absl::StrCat("{\"a\":", std::string(1 << 20, '['));
  absl::string_view rest = json;
  size_t line = 1;

  EXPECT_THAT(TakeJsonObject(&rest, &line), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SnapshotJsonToBinary, TakesBothSpellingsOfNames) {
  EXPECT_EQ(MessageOf(R"({"format":"f","host":{"boot_id":"b","cpusOnline":"0-1"}})"),
            R"(format: "f" host { boot_id: "b" cpus_online: "0-1" })");
}

TEST(SnapshotJsonToBinary, MergesObjects) {
  EXPECT_EQ(MessageOf("{\"format\":\"f\",\"processes\":[{\"pid\":1}]}\n"
                      "{\"processes\":[{\"pid\":2}],\"host\":{\"hostname\":\"h\"}}\n"
                      "{\"host\":{\"machine\":\"m\"},\"complete\":true}\n"),
            "format: \"f\" host { hostname: \"h\" machine: \"m\" } processes { pid: 1 } "
            "processes { pid: 2 } complete: true");
}

TEST(SnapshotJsonToBinary, PassesOverWhatANewerSchemaAdds) {
  EXPECT_EQ(MessageOf(R"({"format":"f","news":{"deep":[1,{"x":null}]},
                          "namespaces":[{"type":"gpu","inode":7},{"type":9,"inode":8}]})"),
            "format: \"f\" namespaces { inode: 7 } namespaces { type: 9 inode: 8 }");
}

TEST(SnapshotJsonToBinary, DecodesEscapes) {
  EXPECT_EQ(MessageOf(R"({"format":"f","producer":"\u00fc\ud83d\udc27\\xff\n"})"),
            R"(format: "f" producer: "\303\274\360\237\220\247\\xff\n")");
}

struct ErrorCase {
  const char* name;
  std::string json;
  std::string message;
};

class JsonError : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(JsonError, IsOneClearLine) {
  ::testing::internal::CaptureStderr();

  const absl::StatusOr<std::string> binary = SnapshotJsonToBinary(GetParam().json);

  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(binary, StatusIs(absl::StatusCode::kInvalidArgument, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, JsonError,
    ::testing::Values(
        ErrorCase{"other_json", R"({"processes":{"1":{}}})",
                  "no snapshot: the JSON has no \"format\""},
        ErrorCase{"wrong_shape", R"({"format":"f","host":[{}]})",
                  "not the JSON of a snapshot: host: Proto field is not repeating, cannot start "
                  "list."},
        ErrorCase{"wrong_value", R"({"format":"f","processes":[{"pid":"one"}]})",
                  "not the JSON of a snapshot: (processes[0].pid): invalid value \"one\" for type "
                  "TYPE_INT32"},
        ErrorCase{"number_too_large", R"({"format":"f","processes":[{"pid":2147483648}]})",
                  "not the JSON of a snapshot: (processes[0].pid): invalid value 2147483648 for "
                  "type TYPE_INT32"},
        ErrorCase{"bad_syntax", R"({"format" "f"})",
                  "not the JSON of a snapshot: Expected : between key:value pair."},
        ErrorCase{"not_utf8", "{\"format\":\"\xff\"}",
                  "not the JSON of a snapshot: Encountered non UTF-8 code points."},
        ErrorCase{"hostile_value", "{\"format\":\"f\",\"processes\":[{\"pid\":\"\x1b[2J\"}]}",
                  "not the JSON of a snapshot: (processes[0].pid): invalid value "
                  "\"\\x1b[2J\" for type TYPE_INT32"},
        ErrorCase{"nested_too_deep",
                  absl::StrCat("{\"format\":\"f\"", Repeat(",\"x\":{\"y\":1", 200),
                               std::string(201, '}')),
                  "not the JSON of a snapshot: Message too deep. Max recursion depth reached for "
                  "key 'x'"},
        ErrorCase{"in_a_later_line", "{\"format\":\"f\"}\n\n{\"complete\":2}\n",
                  "line 3: not the JSON of a snapshot: (complete): invalid value 2 for type "
                  "TYPE_BOOL"},
        ErrorCase{"garbage_after", "{\"format\":\"f\"}\nx", "no JSON object on line 2"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace nsctl::nsdisc
