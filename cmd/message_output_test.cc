#include "cmd/message_output.h"

#include <string>

#include "cmd/version.pb.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/util/delimited_message_util.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using testing::IsOk;
using testing::StatusIs;

VersionInfo MakeInfo() {
  VersionInfo info;
  info.set_name("nsctl");
  info.set_version("\x1b[1mü");
  return info;
}

// As if the message were two records, itself and an empty one.
std::string Write(Format format) {
  const VersionInfo info = MakeInfo();
  StringWriter out;
  const auto for_each = [&](RecordSink sink) {
    sink(info);
    sink(VersionInfo());
  };
  EXPECT_THAT(WriteMessage(info, for_each, format, &out), IsOk());
  return out.text();
}

TEST(WriteMessage, WritesJson) {
  EXPECT_EQ(Write(Format::kJson), "{\n  \"name\": \"nsctl\",\n  \"version\": \"\\u001b[1mü\"\n}\n");
}

TEST(WriteMessage, WritesALinePerRecord) {
  EXPECT_EQ(Write(Format::kJsonl), "{\"name\":\"nsctl\",\"version\":\"\\u001b[1mü\"}\n{}\n");
}

TEST(WriteMessage, WritesTextThatATerminalMaySee) {
  EXPECT_EQ(Write(Format::kTextproto), "name: \"nsctl\"\nversion: \"\\033[1m\\303\\274\"\n");
}

TEST(WriteMessage, WritesBinary) { EXPECT_EQ(Write(Format::kPb), MakeInfo().SerializeAsString()); }

TEST(WriteMessage, WritesARecordAfterItsLength) {
  const std::string bytes = Write(Format::kDelimitedPb);
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));

  VersionInfo first;
  VersionInfo second;
  bool clean_end = false;
  ASSERT_TRUE(google::protobuf::util::ParseDelimitedFromZeroCopyStream(&first, &stream, nullptr));
  ASSERT_TRUE(google::protobuf::util::ParseDelimitedFromZeroCopyStream(&second, &stream, nullptr));
  EXPECT_FALSE(
      google::protobuf::util::ParseDelimitedFromZeroCopyStream(&second, &stream, &clean_end));

  EXPECT_EQ(first.name(), "nsctl");
  EXPECT_EQ(second.name(), "");
  EXPECT_TRUE(clean_end);
}

TEST(WriteMessage, LeavesTablesToCommands) {
  StringWriter out;
  EXPECT_THAT(WriteMessage(
                  VersionInfo(), [](RecordSink) {}, Format::kTable, &out),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace nsctl::cmd
