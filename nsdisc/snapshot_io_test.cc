#include "nsdisc/snapshot_io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Snapshot SmallSnapshot() {
  constexpr char kText[] = R"pb(
    format: "nsctl.snapshot.v1"
    producer: "0.1.0"
    taken_at { seconds: 1700000000 nanos: 5 }
    host { hostname: "m\303\274ller" boot_id: "d3b07384" }
    statistics { namespaces: 2 processes: 1 gaps: 1 }
    namespaces { type: mnt inode: 4026531832 kernel_id: 18446744073709551615 leaders: 1 }
    namespaces { type: net inode: 4026531833 owner: 4026531837 leaders: 1 ealdorman: 1 }
    processes {
      pid: 1
      start_time: 9007199254740993
      name: "a\\xff\\\\b"
      command_line: "/sbin/init"
      command_line: ""
      namespaces { mnt: 4026531832 net: 4026531833 }
      cgroups: 0
      scheduling { nice: -20 }
    }
    cgroups { unified: "/" frozen: false }
    gaps { subject: "pid:1" operation: "readlinkat ns/uts" error: "EACCES" count: 1 }
    complete: true
  )pb";
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kText, &snapshot));
  return snapshot;
}

// Three pieces that make SmallSnapshot.
std::vector<Snapshot> Pieces() {
  Snapshot last = SmallSnapshot();
  Snapshot first;
  first.set_format(last.format());
  first.mutable_host()->set_hostname(last.host().hostname());
  Snapshot second;
  *second.add_namespaces() = last.namespaces(0);
  last.clear_format();
  last.mutable_host()->clear_hostname();
  last.mutable_namespaces()->DeleteSubrange(0, 1);
  return {first, second, last};
}

std::string Json(const Snapshot& snapshot, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = pretty;
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(snapshot, &json, options).ok());
  return json;
}

std::string Delimited(const std::vector<Snapshot>& pieces) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  for (const Snapshot& piece : pieces) {
    const std::string record = piece.SerializeAsString();
    output.WriteVarint32(static_cast<uint32_t>(record.size()));
    output.WriteString(record);
  }
  output.Trim();
  return bytes;
}

std::string JsonLines(const std::vector<Snapshot>& pieces) {
  std::string lines;
  for (const Snapshot& piece : pieces) absl::StrAppend(&lines, Json(piece, false), "\n");
  return lines;
}

std::string Text(const Snapshot& snapshot) {
  std::string text;
  EXPECT_TRUE(google::protobuf::TextFormat::PrintToString(snapshot, &text));
  return text;
}

struct EncodingCase {
  const char* name;
  std::string bytes;
};

std::string NameOf(const ::testing::TestParamInfo<EncodingCase>& info) { return info.param.name; }

std::vector<EncodingCase> Encodings() {
  return {
      {"pb", SmallSnapshot().SerializeAsString()},
      {"delimited", Delimited(Pieces())},
      {"delimited_in_one", Delimited({SmallSnapshot()})},
      {"json", Json(SmallSnapshot(), false)},
      {"json_pretty", Json(SmallSnapshot(), true)},
      {"jsonl", JsonLines(Pieces())},
      {"textproto", Text(SmallSnapshot())},
      {"textproto_with_comments", absl::StrCat("# a\n\n # b\n", Text(SmallSnapshot()))},
  };
}

// Fails a test in which anything is printed: protobuf reports to stderr what it dislikes.
template <typename Param>
class SilentTest : public ::testing::TestWithParam<Param> {
 protected:
  void SetUp() override { ::testing::internal::CaptureStderr(); }
  void TearDown() override { EXPECT_EQ(::testing::internal::GetCapturedStderr(), ""); }
};

// Parses and checks what holds for all bytes: a failure is one line that names the source.
absl::StatusOr<std::unique_ptr<Snapshot>> Parse(absl::string_view bytes) {
  absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = ParseSnapshot(bytes, "x");
  if (!snapshot.ok()) {
    EXPECT_THAT(snapshot, StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("x: ")));
    EXPECT_THAT(std::string(snapshot.status().message()), Not(HasSubstr("\n")));
  }
  return snapshot;
}

class SnapshotEncoding : public SilentTest<EncodingCase> {};

TEST_P(SnapshotEncoding, IsRecognisedAndRead) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Snapshot> snapshot, Parse(GetParam().bytes));

  EXPECT_TRUE(MessageDifferencer::Equals(*snapshot, SmallSnapshot())) << Text(*snapshot);
}

TEST_P(SnapshotEncoding, IsRefusedWhereItIsCutAndLoses) {
  const std::string& bytes = GetParam().bytes;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto snapshot = Parse(absl::string_view(bytes).substr(0, size));

    // At most a line's end is cut, or "complete: true" of a textproto to "complete: t".
    if (snapshot.ok()) {
      EXPECT_GE(size + 4, bytes.size());
      EXPECT_TRUE(MessageDifferencer::Equals(**snapshot, SmallSnapshot()));
    }
  }
}

TEST_P(SnapshotEncoding, SurvivesAnyChangedByte) {
  for (size_t i = 0; i < GetParam().bytes.size(); ++i) {
    for (const char change : {'\x01', '\x20', '\x80', '\xff'}) {
      std::string bytes = GetParam().bytes;
      bytes[i] = static_cast<char>(bytes[i] ^ change);

      const auto snapshot = Parse(bytes);

      if (snapshot.ok()) {
        EXPECT_THAT(CheckSnapshot(**snapshot), IsOk());
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SnapshotEncoding, ::testing::ValuesIn(Encodings()), NameOf);

std::string OtherProtobuf() {
  google::protobuf::FileDescriptorProto file;
  Snapshot::descriptor()->file()->CopyTo(&file);
  return file.SerializeAsString();
}

std::string Random() {
  std::mt19937 generator(1);
  std::string bytes(4096, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

class ForeignFile : public SilentTest<EncodingCase> {};

TEST_P(ForeignFile, IsNoSnapshot) {
  EXPECT_THAT(Parse(GetParam().bytes),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AnyOf("x: not a snapshot", "x: empty, not a snapshot",
                             "x: no snapshot: the JSON has no \"format\"")));
}

INSTANTIATE_TEST_SUITE_P(
    All, ForeignFile,
    ::testing::Values(
        EncodingCase{"empty", ""}, EncodingCase{"blank", " \n\t\n"},
        EncodingCase{"nul_bytes", std::string(100, '\0')},
        EncodingCase{"elf", std::string("\x7f"
                                        "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0",
                                        20)},
        EncodingCase{"png", "\x89PNG\r\n\x1a\n"},
        EncodingCase{"gzip", std::string("\x1f\x8b\x08\0\0\0\0\0", 8)},
        EncodingCase{"random", Random()}, EncodingCase{"other_protobuf", OtherProtobuf()},
        EncodingCase{"shell_script", "#!/bin/sh\nexit 0\n"},
        EncodingCase{"comment_alone", "# nothing"}, EncodingCase{"json_list", "[1,2]"},
        EncodingCase{"other_json", R"({"containers":[]})"},
        EncodingCase{"lxkns_json", R"({"container-engines":{},"processes":{"1":{"pid":1}},
                                       "namespaces":{"4026531833":{"nsid":4026531833}}})"}),
    NameOf);

struct HostileCase {
  const char* name;
  std::string bytes;
  std::string message;
};

std::string Repeat(absl::string_view piece, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&text, piece);
  return text;
}

std::string WithByte(std::string bytes, absl::string_view at) {
  const size_t position = bytes.find(std::string(at));
  bytes[position] = '\xff';
  return bytes;
}

class HostileFile : public SilentTest<HostileCase> {};

TEST_P(HostileFile, IsRefusedInOneLine) {
  EXPECT_THAT(Parse(GetParam().bytes),
              StatusIs(absl::StatusCode::kInvalidArgument, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileFile,
    ::testing::Values(
        HostileCase{"pb_with_bytes_in_text",
                    WithByte(SmallSnapshot().SerializeAsString(), "/sbin/init"),
                    "x: field nsctl.nsdisc.Process.command_line is not text"},
        HostileCase{"delimited_with_bytes_in_text",
                    WithByte(Delimited({SmallSnapshot()}), "/sbin/init"),
                    "x: record 1: field nsctl.nsdisc.Process.command_line is not text"},
        HostileCase{"textproto_with_bytes_in_text",
                    absl::StrReplaceAll(Text(SmallSnapshot()), {{"/sbin", R"(\377)"}}),
                    "x: field nsctl.nsdisc.Process.command_line is not text"},
        HostileCase{"json_with_half_a_surrogate_pair",
                    absl::StrReplaceAll(Json(SmallSnapshot(), false), {{"/sbin", R"(\udc00)"}}),
                    "x: not the JSON of a snapshot: Invalid unicode code point."},
        HostileCase{"json_with_a_bare_backslash",
                    absl::StrReplaceAll(Json(SmallSnapshot(), false), {{"/sbin", R"(\\sbin)"}}),
                    "x: field nsctl.nsdisc.Process.command_line is not text"},
        HostileCase{"textproto_nested_deep",
                    absl::StrCat("format: \"nsctl.snapshot.v1\"", Repeat(" x {", 1 << 20)),
                    "x: line 1: not the textproto of a snapshot: Message is too deep, the parser "
                    "exceeded the configured recursion limit of 100."},
        HostileCase{"textproto_with_bad_syntax", "format: \"nsctl.snapshot.v1\"\nhost: \x1b]\n",
                    "x: line 2: not the textproto of a snapshot: Invalid control characters "
                    "encountered in text."},
        HostileCase{"pb_of_a_later_format",
                    absl::StrReplaceAll(SmallSnapshot().SerializeAsString(),
                                        {{"snapshot.v1", "snapshot.v2"}}),
                    "x: not a snapshot of the format nsctl.snapshot.v1 but "
                    "\"nsctl.snapshot.v2\""},
        HostileCase{"json_twice",
                    absl::StrCat(Json(SmallSnapshot(), false), Json(SmallSnapshot(), false)),
                    "x: cut short or changed: it states 2 namespaces and has 4"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseSnapshot, NamesItsSourceSafely) {
  EXPECT_THAT(
      ParseSnapshot("", "a\x1b[2J\xff").status(),
      StatusIs(absl::StatusCode::kInvalidArgument, "a\\x1b[2J\\xff: empty, not a snapshot"));
}

TEST(ParseSnapshot, KeepsFieldsOfANewerSchemaInPb) {
  const std::string bytes = SmallSnapshot().SerializeAsString() + "\xc2\xb2\x04\x02\xff\xff";

  NSCTL_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Snapshot> snapshot, Parse(bytes));

  EXPECT_EQ(snapshot->SerializeAsString(), bytes);
}

TEST(ParseSnapshot, PassesOverFieldsOfANewerSchemaInText) {
  const std::string text =
      absl::StrCat(Text(SmallSnapshot()), "news { deep: [ { x: 1 } ] }\nlater: \"\\377\"\n");

  NSCTL_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Snapshot> snapshot, Parse(text));

  EXPECT_TRUE(MessageDifferencer::Equals(*snapshot, SmallSnapshot()));
}

TEST(ParseSnapshot, KeepsNamespacesOfANewerType) {
  Snapshot newer = SmallSnapshot();
  newer.add_namespaces()->set_type(static_cast<Namespace::Type>(9));
  newer.mutable_statistics()->set_namespaces(3);
  for (const std::string& bytes : {newer.SerializeAsString(), Json(newer, false), Text(newer)}) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Snapshot> snapshot, Parse(bytes));

    EXPECT_TRUE(MessageDifferencer::Equals(*snapshot, newer));
  }
}

class SnapshotFile : public SilentTest<EncodingCase> {};

TEST_P(SnapshotFile, IsReadToItsEnd) {
  const base::OwnedFd fd(memfd_create("snapshot", MFD_CLOEXEC), "/run/snapshot");
  ASSERT_THAT(base::WriteAll(fd, GetParam().bytes), IsOk());
  ASSERT_EQ(lseek(fd.get(), 0, SEEK_SET), 0);

  NSCTL_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Snapshot> snapshot, ReadSnapshot(fd));

  EXPECT_TRUE(MessageDifferencer::Equals(*snapshot, SmallSnapshot()));
}

INSTANTIATE_TEST_SUITE_P(All, SnapshotFile, ::testing::ValuesIn(Encodings()), NameOf);

TEST(ReadSnapshot, CallsItsSourceByItsPath) {
  const base::OwnedFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");

  EXPECT_THAT(ReadSnapshot(fd),
              StatusIs(absl::StatusCode::kInvalidArgument, "/dev/null: empty, not a snapshot"));
}

TEST(ReadSnapshot, PassesOnWhatReadSays) {
  const base::OwnedFd fd(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/");

  EXPECT_THAT(ReadSnapshot(fd), HasErrno(EISDIR));
}

}  // namespace
}  // namespace nsctl::nsdisc
