#include "base/btf.h"

#include <fcntl.h>
#include <linux/btf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::IsOk;
using ::nsctl::testing::StatusIs;
using ::testing::Optional;
using ::testing::StartsWith;

// What Linux says of its namespaces (tools/record_btf).
std::string Recorded(absl::string_view release) {
  absl::StatusOr<std::string> bytes = ReadFileAt(
      FdRef(AT_FDCWD), absl::StrCat("testing/testdata/linux-", release, ".btf"), kMaxBtf);
  EXPECT_THAT(bytes, IsOk());
  return bytes.value_or("");
}

template <typename T>
std::string BytesOf(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Writes descriptions that no compiler would.
class Builder {
 public:
  struct Member {
    const char* name;
    uint32_t type;
    uint32_t offset;
  };

  // Each returns the id of the type.
  uint32_t Add(uint32_t kind, const char* name, uint32_t size_or_type, uint32_t length = 0,
               const std::string& tail = "", bool flag = false) {
    const btf_type head = {
        NameAt(name), (flag ? 1U << 31 : 0) | kind << 24 | length, {size_or_type}};
    types_ += BytesOf(head) + tail;
    return ++count_;
  }
  uint32_t Int(uint32_t size) { return Add(BTF_KIND_INT, "int", size, 0, BytesOf(uint32_t{0})); }
  uint32_t Struct(const char* name, std::initializer_list<Member> members, bool flag = false) {
    std::string tail;
    for (const Member& one : members) {
      tail += BytesOf(btf_member{NameAt(one.name), one.type, one.offset});
    }
    return Add(BTF_KIND_STRUCT, name, 64, static_cast<uint32_t>(members.size()), tail, flag);
  }

  std::string Build() const {
    const btf_header header = {BTF_MAGIC,
                               BTF_VERSION,
                               0,
                               sizeof(btf_header),
                               0,
                               static_cast<uint32_t>(types_.size()),
                               static_cast<uint32_t>(types_.size()),
                               static_cast<uint32_t>(names_.size())};
    return BytesOf(header) + types_ + names_;
  }

  // What it gives lives as long as this builder.
  absl::StatusOr<Btf> Parse() {
    built_ = Build();
    return Btf::Parse(built_);
  }

 private:
  uint32_t NameAt(const char* name) {
    if (*name == '\0') return 0;
    const auto at = static_cast<uint32_t>(names_.size());
    names_ += name;
    names_ += '\0';
    return at;
  }

  std::string built_;
  std::string types_;
  std::string names_ = std::string(1, '\0');
  uint32_t count_ = 0;
};

TEST(Btf, FindsMembersOfRealKernels) {
  const std::string first = Recorded("6.18");
  const std::string later = Recorded("7.3");
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf older, Btf::Parse(first));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf newer, Btf::Parse(later));

  // A type's name for a type's name for an integer; in a structure and a union without names.
  EXPECT_THAT(older.FindMember("ns_common", "ns_type"), Optional(BtfMember{0, 4}));
  EXPECT_THAT(older.FindMember("ns_common", "ns_id"), Optional(BtfMember{32, 8}));
  EXPECT_THAT(older.FindMember("ns_common", "ns_list_node.next"), Optional(BtfMember{64, 8}));
  EXPECT_THAT(older.FindMember("net", "ns.inum"), Optional(BtfMember{176, 4}));
  EXPECT_THAT(older.FindMember("cred", "user_ns"), Optional(BtfMember{144, 8}));
  EXPECT_EQ(older.SizeOf("ns_common"), 80);
  // In a structure that has a name, as a member that has none.
  EXPECT_THAT(newer.FindMember("ns_common", "__ns_ref"), Optional(BtfMember{0, 4}));
  EXPECT_THAT(newer.FindMember("ns_common", "ns_tree_node.ns_list_entry.next"),
              Optional(BtfMember{176, 8}));
  EXPECT_EQ(newer.SizeOf("ns_common"), 320);
}

TEST(Btf, FindsNothingWhereNothingIs) {
  const std::string bytes = Recorded("6.18");
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf btf, Btf::Parse(bytes));

  EXPECT_EQ(btf.FindMember("ns_common", "ns_tree_node.ns_list_entry"), std::nullopt);
  EXPECT_EQ(btf.FindMember("ns_common", "inum.x"), std::nullopt);
  EXPECT_EQ(btf.FindMember("ns_common", ""), std::nullopt);
  EXPECT_EQ(btf.FindMember("ns_common", "."), std::nullopt);
  EXPECT_EQ(btf.FindMember("ns_comm", "inum"), std::nullopt);
  EXPECT_EQ(btf.FindMember("", "inum"), std::nullopt);
  // An integer's name.
  EXPECT_EQ(btf.FindMember("unsigned int", "inum"), std::nullopt);
  EXPECT_EQ(btf.SizeOf("unsigned int"), std::nullopt);
}

TEST(Btf, KnowsSizesOfArraysAndPointers) {
  Builder builder;
  const uint32_t number = builder.Int(4);
  const uint32_t array =
      builder.Add(BTF_KIND_ARRAY, "", 0, 0, BytesOf(btf_array{number, number, 3}));
  const uint32_t rows = builder.Add(BTF_KIND_ARRAY, "", 0, 0, BytesOf(btf_array{array, number, 5}));
  const uint32_t pointer = builder.Add(BTF_KIND_PTR, "", rows);
  const uint32_t huge =
      builder.Add(BTF_KIND_ARRAY, "", 0, 0, BytesOf(btf_array{rows, number, 0xffffffff}));
  const uint32_t unknown = builder.Add(BTF_KIND_FWD, "somewhere", 0);
  builder.Struct("s", {{"rows", rows, 64},
                       {"pointer", pointer, 8},
                       {"huge", huge, 0},
                       {"unknown", unknown, 0},
                       {"none", 0, 0}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf btf, builder.Parse());

  EXPECT_THAT(btf.FindMember("s", "rows"), Optional(BtfMember{8, 60}));
  EXPECT_THAT(btf.FindMember("s", "pointer"), Optional(BtfMember{1, 8}));
  EXPECT_EQ(btf.FindMember("s", "huge"), std::nullopt);
  EXPECT_EQ(btf.FindMember("s", "unknown"), std::nullopt);
  EXPECT_EQ(btf.FindMember("s", "none"), std::nullopt);
}

TEST(Btf, PassesOverBitFields) {
  Builder builder;
  const uint32_t number = builder.Int(4);
  // With the flag, the upper 8 bits of a place are a width.
  builder.Struct("s", {{"plain", number, 32}, {"bits", number, 3U << 24 | 64}}, true);
  builder.Struct("t", {{"odd", number, 3}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf btf, builder.Parse());

  EXPECT_THAT(btf.FindMember("s", "plain"), Optional(BtfMember{4, 4}));
  EXPECT_EQ(btf.FindMember("s", "bits"), std::nullopt);
  EXPECT_EQ(btf.FindMember("t", "odd"), std::nullopt);
}

TEST(Btf, TakesTheStructureOfThatNameWhichHasTheMember) {
  Builder builder;
  const uint32_t number = builder.Int(4);
  builder.Struct("s", {{"a", number, 0}});
  builder.Struct("s", {{"b", number, 32}, {"a", number, 64}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf btf, builder.Parse());

  EXPECT_THAT(btf.FindMember("s", "a"), Optional(BtfMember{0, 4}));
  EXPECT_THAT(btf.FindMember("s", "b"), Optional(BtfMember{4, 4}));
}

TEST(Btf, EndsWhereTypesGoInCircles) {
  Builder builder;
  builder.Add(BTF_KIND_TYPEDEF, "itself", 1);
  builder.Struct("s", {{"", 2, 8}, {"named", 2, 8}, {"size", 1, 0}});
  builder.Add(BTF_KIND_ARRAY, "", 0, 0, BytesOf(btf_array{3, 3, 1}));
  builder.Struct("t", {{"array", 3, 0}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf btf, builder.Parse());

  EXPECT_EQ(btf.FindMember("s", "absent"), std::nullopt);
  EXPECT_EQ(btf.FindMember("s", "size"), std::nullopt);
  EXPECT_EQ(btf.FindMember("t", "array"), std::nullopt);
  std::string path = "named";
  for (int i = 0; i < 100; ++i) path += ".named";
  EXPECT_EQ(btf.FindMember("s", path), std::nullopt);
}

// Of 30 structures each has three of the next one, without names: 3 to the power of 29 ways.
TEST(Btf, LooksAtSoManyMembersOnly) {
  Builder builder;
  for (uint32_t i = 1; i <= 30; ++i) {
    builder.Struct(i == 1 ? "s" : "", {{"", i + 1, 0}, {"", i + 1, 0}, {"", i + 1, 0}});
  }
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf btf, builder.Parse());

  EXPECT_EQ(btf.FindMember("s", "absent"), std::nullopt);
}

TEST(Btf, RefusesWhatIsNone) {
  struct Case {
    const char* name;
    std::string bytes;
    absl::StatusCode code;
    const char* message;
  };
  const std::string good = Recorded("6.18");
  const auto with = [&](size_t at, const std::string& bytes) {
    return std::string(good).replace(at, bytes.size(), bytes);
  };
  const Case cases[] = {
      {"empty", "", absl::StatusCode::kInvalidArgument, "BTF: shorter than its header"},
      {"cut header", good.substr(0, sizeof(btf_header) - 1), absl::StatusCode::kInvalidArgument,
       "BTF: shorter than its header"},
      {"text", std::string(100, 'x'), absl::StatusCode::kInvalidArgument,
       "BTF: another magic number"},
      {"byte order", with(0, "\xeb\x9f"), absl::StatusCode::kInvalidArgument,
       "BTF: another magic number"},
      {"version", with(2, "\2"), absl::StatusCode::kUnimplemented, "BTF: version 2"},
      {"short header", with(4, BytesOf(uint32_t{8})), absl::StatusCode::kInvalidArgument,
       "BTF: sections outside of it"},
      {"types outside", with(8, BytesOf(uint32_t{0xffffffff})), absl::StatusCode::kInvalidArgument,
       "BTF: sections outside of it"},
      {"names outside", with(20, BytesOf(uint32_t{0xffffffff})), absl::StatusCode::kInvalidArgument,
       "BTF: sections outside of it"},
      {"cut", good.substr(0, good.size() - 1), absl::StatusCode::kInvalidArgument,
       "BTF: sections outside of it"},
      {"cut type", with(12, BytesOf(uint32_t{30})), absl::StatusCode::kInvalidArgument,
       "BTF: type 1 is cut"},
      {"members missing", with(sizeof(btf_header) + 4, BytesOf(uint32_t{4U << 24 | 0xffff})),
       absl::StatusCode::kInvalidArgument, "BTF: type 1 is cut"},
      {"kind of the future", with(sizeof(btf_header) + 4, BytesOf(uint32_t{31U << 24})),
       absl::StatusCode::kUnimplemented, "BTF: type 1 is of kind 31"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);

    const absl::Status status = Btf::Parse(c.bytes).status();

    EXPECT_THAT(status, StatusIs(c.code));
    EXPECT_EQ(status.message(), c.message);
  }
}

// Whatever is in it, it is refused or answers.
TEST(Btf, StandsAnyByte) {
  const std::string good = Recorded("7.3");
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '\1', '\x0f', '\x7f', '\xff'}) {
      std::string bytes = good;
      bytes[at] = byte;

      const absl::StatusOr<Btf> btf = Btf::Parse(bytes);

      if (!btf.ok()) {
        EXPECT_THAT(std::string(btf.status().message()), StartsWith("BTF: "));
        continue;
      }
      const std::optional<BtfMember> member = btf->FindMember("pid_namespace", "ns.ns_id");
      if (bytes == good) {
        EXPECT_THAT(member, Optional(BtfMember{352, 8}));
      }
    }
  }
}

TEST(Btf, StandsBeingCut) {
  const std::string good = Recorded("7.3");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(Btf::Parse(good.substr(0, size)).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

// Names whose end is missing, or that lie outside.
TEST(Btf, StandsNamesThatAreNone) {
  Builder builder;
  const uint32_t number = builder.Int(4);
  builder.Struct("s", {{"a", number, 0}});
  std::string unended = builder.Build();
  unended.back() = 'b';
  std::string outside = builder.Build();
  // The name of the second type.
  outside.replace(sizeof(btf_header) + sizeof(btf_type) + 4, 4, BytesOf(uint32_t{0xfffffff0}));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf first, Btf::Parse(unended));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Btf second, Btf::Parse(outside));

  EXPECT_EQ(first.FindMember("s", "a"), std::nullopt);
  EXPECT_EQ(first.FindMember("s", "ab"), std::nullopt);
  EXPECT_EQ(second.FindMember("s", "a"), std::nullopt);
  EXPECT_EQ(second.FindMember("", "a"), std::nullopt);
}

}  // namespace
}  // namespace nsctl::base
