#include "nsdisc/namespace_layout.h"

#include <fcntl.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "base/btf.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

std::string Recorded(absl::string_view release) {
  absl::StatusOr<std::string> bytes =
      base::ReadFileAt(base::FdRef(AT_FDCWD),
                       absl::StrCat("testing/testdata/linux-", release, ".btf"), base::kMaxBtf);
  EXPECT_THAT(bytes, IsOk());
  return bytes.value_or("");
}

absl::StatusOr<NamespaceLayout> LayoutIn(const std::string& bytes) {
  const absl::StatusOr<base::Btf> btf = base::Btf::Parse(bytes);
  EXPECT_THAT(btf, IsOk());
  return FindNamespaceLayout(*btf);
}

// The first one with lists of all types.
TEST(NamespaceLayout, OfLinux618) {
  NamespaceLayout expected;
  expected.image_size = 72;
  expected.next = 64;
  expected.type = 0;
  expected.inode = 24;
  expected.kernel_id = 32;
  expected.operations = 16;
  expected.references = 28;
  expected.starts = {
      {NamespaceType::kMnt, 3336, 24, 0},     {NamespaceType::kCgroup, 3336, 64, 0},
      {NamespaceType::kUts, 3336, 8, 408},    {NamespaceType::kIpc, 3336, 16, 1120},
      {NamespaceType::kUser, 3232, 144, 216}, {NamespaceType::kPid, 3336, 32, 112},
      {NamespaceType::kNet, 3336, 40, 152},   {NamespaceType::kTime, 3336, 48, 16},
  };

  EXPECT_THAT(LayoutIn(Recorded("6.18")), IsOkAndHolds(expected));
}

TEST(NamespaceLayout, OfLinux73KnowsActiveReferences) {
  const absl::StatusOr<NamespaceLayout> layout = LayoutIn(Recorded("7.3"));

  ASSERT_THAT(layout, IsOk());
  EXPECT_EQ(layout->next, 176U);
  EXPECT_EQ(layout->image_size, 184U);
  EXPECT_EQ(layout->references, 0U);
  EXPECT_EQ(layout->active_references, 104U);
  EXPECT_EQ(layout->starts.size(), base::kNamespaceTypeCount);
}

TEST(NamespaceLayout, EarlierKernelsHaveNoLists) {
  const absl::Status status = LayoutIn(Recorded("6.12")).status();

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_EQ(status.message(),
            "no list of namespaces that is known: no ns_common.ns_tree_node.ns_list_entry.next");
}

TEST(NamespaceLayout, NeedsEachMember) {
  for (const char* name : {"ns_type", "inum", "ns_id", "ops", "__ns_ref", "ns_list_node", "next"}) {
    SCOPED_TRACE(name);
    std::string other = name;
    other.back() = 'X';

    EXPECT_THAT(
        LayoutIn(absl::StrReplaceAll(
            Recorded("6.18"), {{absl::StrCat(std::string(1, '\0'), name, std::string(1, '\0')),
                                absl::StrCat(std::string(1, '\0'), other, std::string(1, '\0'))}})),
        StatusIs(absl::StatusCode::kUnimplemented));
  }
}

TEST(NamespaceLayout, KernelsMayBeBuiltWithoutAType) {
  const absl::StatusOr<NamespaceLayout> layout =
      LayoutIn(absl::StrReplaceAll(Recorded("6.18"), {{"time_ns", "tame_ns"}}));

  ASSERT_THAT(layout, IsOk());
  EXPECT_EQ(layout->starts.size(), base::kNamespaceTypeCount - 1);
  EXPECT_EQ(layout->starts.back().type, NamespaceType::kNet);
}

}  // namespace
}  // namespace nsctl::nsdisc
