#include "nsdisc/message_text.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot.pb.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using ::nsctl::testing::IsOk;
using ::nsctl::testing::StatusIs;

Snapshot SmallSnapshot() {
  Snapshot snapshot;
  snapshot.set_format("nsctl.snapshot.v1");
  snapshot.mutable_host()->set_hostname("m\xc3\xbcller");
  Process* const process = snapshot.add_processes();
  process->set_pid(1);
  process->set_name(R"(a\xff\\b)");
  process->add_command_line("sleep");
  process->mutable_namespaces()->set_net(4026531833);
  return snapshot;
}

absl::Status CheckSerialized(const std::string& bytes) {
  return CheckSerializedText(bytes, *Snapshot::descriptor());
}

struct TextCase {
  const char* name;
  std::string text;
  bool stored;
};

class StoredText : public ::testing::TestWithParam<TextCase> {};

TEST_P(StoredText, IsTold) { EXPECT_EQ(IsStoredText(GetParam().text), GetParam().stored); }

INSTANTIATE_TEST_SUITE_P(
    All, StoredText,
    ::testing::Values(
        TextCase{"empty", "", true}, TextCase{"ascii", "abc", true},
        TextCase{"nul_and_escape_codes", std::string("\0\x1b", 2), true},
        TextCase{"utf8", "m\xc3\xbcller \xf0\x9f\x90\xa7", true},
        TextCase{"escaped_byte", R"(\xff)", true}, TextCase{"escaped_backslash", R"(\\)", true},
        TextCase{"utf8_and_escape", "\xc3\xbc\\xff", true},
        TextCase{"bare_backslash", R"(a\b)", false},
        TextCase{"backslash_at_the_end", R"(\)", false},
        TextCase{"upper_case_digits", R"(\xFF)", false},
        TextCase{"byte_that_is_not_utf8", "\xff", false}, TextCase{"cut_character", "\xc3", false},
        TextCase{"overlong_form", "\xc0\x80", false}, TextCase{"surrogate", "\xed\xa0\x80", false},
        TextCase{"not_utf8_beside_an_escape", "\\xff\xff", false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(CheckSerializedText, AcceptsWhatProtobufWrites) {
  EXPECT_THAT(CheckSerialized(SmallSnapshot().SerializeAsString()), IsOk());
  EXPECT_THAT(CheckSerialized(""), IsOk());
}

TEST(CheckSerializedText, NamesTheFieldThatIsNotText) {
  std::string bytes = SmallSnapshot().SerializeAsString();
  bytes.replace(bytes.find("sleep"), 1, "\xff");

  EXPECT_THAT(CheckSerialized(bytes),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "field nsctl.nsdisc.Process.command_line is not text"));
}

TEST(CheckSerializedText, PassesOverFieldsItDoesNotKnow) {
  // Field 9000 of each kind; the length-delimited one holds bytes that are not text.
  const std::string unknown(
      "\xc0\xb2\x04\x01"
      "\xc1\xb2\x04\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xc2\xb2\x04\x02\xff\xff"
      "\xc5\xb2\x04\xff\xff\xff\xff");

  EXPECT_THAT(CheckSerialized(SmallSnapshot().SerializeAsString() + unknown), IsOk());
}

TEST(CheckSerializedText, TellsBytesCutAnywhereInAField) {
  // One field: number 4 (host), 6 bytes.
  const std::string bytes("\x22\x06\x0a\x04host");

  for (size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_THAT(
        CheckSerialized(bytes.substr(0, size)),
        StatusIs(absl::StatusCode::kInvalidArgument, "cut short at byte " + std::to_string(size)));
  }
}

struct BytesCase {
  const char* name;
  std::string bytes;
  std::string message;
};

class MalformedBytes : public ::testing::TestWithParam<BytesCase> {};

TEST_P(MalformedBytes, AreRefused) {
  EXPECT_THAT(CheckSerialized(GetParam().bytes),
              StatusIs(absl::StatusCode::kInvalidArgument, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, MalformedBytes,
    ::testing::Values(
        BytesCase{"group", "\x0b\x0c", "malformed at byte 0"},
        BytesCase{"wire_type_7", "\x0f", "malformed at byte 0"},
        BytesCase{"endless_varint", std::string(12, '\xff'), "malformed at byte 0"},
        // The lower half is the tag of the field `format`.
        BytesCase{"tag_of_33_bits", "\x8a\x80\x80\x80\x10\x01\xff", "malformed at byte 0"},
        BytesCase{"length_past_its_message", "\x22\x02\x0a\x04host", "malformed at byte 4"},
        BytesCase{"huge_length", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                  "cut short at byte 11"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(CheckText, LooksIntoRepeatedAndNestedFields) {
  Snapshot snapshot = SmallSnapshot();
  EXPECT_THAT(CheckText(snapshot), IsOk());

  snapshot.mutable_processes(0)->add_command_line("\xff");

  EXPECT_THAT(CheckText(snapshot), StatusIs(absl::StatusCode::kInvalidArgument,
                                            "field nsctl.nsdisc.Process.command_line is not text"));
}

TEST(CheckText, LooksIntoSingularFields) {
  Snapshot snapshot = SmallSnapshot();

  snapshot.mutable_host()->set_hostname("a\\b");

  EXPECT_THAT(CheckText(snapshot), StatusIs(absl::StatusCode::kInvalidArgument,
                                            "field nsctl.nsdisc.Host.hostname is not text"));
}

}  // namespace
}  // namespace nsctl::nsdisc
