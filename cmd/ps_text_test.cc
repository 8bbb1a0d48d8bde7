#include "cmd/ps_text.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Print(const ProcessTree& tree, const Presentation& presentation = {}) {
  StringWriter out;
  PrintProcessTree(tree, presentation, &out);
  return out.text();
}

ProcessTree Parse(const std::string& text) {
  ProcessTree tree;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &tree)) << text;
  return tree;
}

TEST(PrintProcessTree, DrawsBranches) {
  const ProcessTree tree = Parse(R"pb(
    rows {
      pid_namespace { type: pid inode: 10 }
      owner { owner_uid: 0 owner_user: "ro\"ot" }
    }
    rows {
      depth: 1
      process {
        pid: 1
        name: "in\"it"
        namespaces { net: 30 }
      }
      pids { pid: 1 }
      cgroup: "/"
    }
    rows {
      depth: 2
      thread {
        name: "t"
        namespaces { net: 31 uts: 40 }
      }
      pids { pid: 2 }
    }
    rows {
      depth: 2
      process { pid: 20 name: "sh" }
      pids { pid: 20 }
      pids { pid: 7 }
      cgroup: "/a"
    }
    rows {
      depth: 3
      process { pid: 21 name: "z" state: "Z" }
      pids { pid: 21 }
    }
    rows {
      depth: 1
      process { pid: 2 name: "k" }
      pids { pid: 2 }
    }
    rows { pid_namespace { type: pid } }
  )pb");

  EXPECT_EQ(Print(tree),
            "pid:[10], owned by UID 0 (\"ro\\x22ot\")\n"
            "|- \"in\\x22it\" (1)\n"
            "|  |- thread \"t\" [2] in uts:[40], net:[31]\n"
            "|  `- \"sh\" (20/7) controlled by \"/a\"\n"
            "|     `- \"z\" (21) <defunct>\n"
            "`- \"k\" (2)\n"
            "pid:[?]\n");
}

// A chain of `length` processes below a namespace.
ProcessTree MakeChain(uint32_t length) {
  ProcessTree tree;
  tree.add_rows()->mutable_pid_namespace()->set_inode(10);
  for (uint32_t i = 1; i <= length; ++i) {
    ProcessTree::Row* const row = tree.add_rows();
    row->set_depth(i);
    row->mutable_process()->set_name("p");
    row->add_pids()->set_pid(static_cast<int32_t>(i));
  }
  return tree;
}

TEST(PrintProcessTree, GrowsWithTheNumberOfProcessesNotWithItsSquare) {
  const size_t once = Print(MakeChain(10'000)).size();
  const size_t twice = Print(MakeChain(20'000)).size();

  EXPECT_LT(static_cast<double>(twice), 2.2 * static_cast<double>(once));
}

TEST(PrintProcessTree, SaysTheLevelOfWhatIsTooDeepToIndent) {
  const std::vector<std::string> lines = absl::StrSplit(Print(MakeChain(200)), '\n');

  EXPECT_THAT(lines[100], AllOf(StartsWith("   "), HasSubstr("`- \"p\" (100)")));
  EXPECT_THAT(lines[101], HasSubstr("`- [level 101] \"p\" (101)"));
  EXPECT_EQ(lines[199].size(), lines[101].size());
}

TEST(PrintProcessTree, ShowsWhatIsDeeperThanTheTerminalIsWide) {
  const std::vector<std::string> lines = absl::StrSplit(Print(MakeChain(50), {.width = 40}), '\n');

  EXPECT_THAT(lines[5], AllOf(StartsWith("   "), HasSubstr("\"p\" (5)")));
  EXPECT_EQ(lines[50], "+ \"p\" (50)");
}

}  // namespace
}  // namespace nsctl::cmd
