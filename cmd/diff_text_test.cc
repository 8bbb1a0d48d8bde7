#include "cmd/diff_text.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/diff.pb.h"

namespace nsctl::cmd {
namespace {

std::string Print(const std::string& text, const Presentation& presentation = {}) {
  nsdisc::SnapshotDiff diff;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &diff)) << text;
  StringWriter out;
  PrintDiff(diff, presentation, &out);
  return out.text();
}

constexpr char kDiff[] = R"pb(
  before {
    name: "a\033[1m.pb"
    taken_at { seconds: 1735689600 }
  }
  after { taken_at { seconds: 1735776000 } }
  changes {
    section: "namespaces"
    subject: "net:[2]"
    kind: added
    namespace { ealdorman: 9 }
  }
  changes {
    section: "processes"
    subject: "pid:7"
    kind: removed
    process {
      pid: 7
      name: "s\"h"
      namespaced_pids: [ 7, 1 ]
    }
  }
  changes {
    section: "namespaces"
    subject: "user:[3]"
    kind: changed
    namespace {}
    fields { field: "owner" before: "1" after: "2" }
    fields {
      field: "uid_map"
      before: [ "x", "y" ]
      after: "z"
    }
    fields { field: "parent" after: "4" unknown_before: true }
    fields { field: "nsid" before: "" }
  }
  changes { section: "things" subject: "id=1" kind: unknown reason: "not seen after: why" }
)pb";

TEST(PrintDiff, PrintsChangesWithTheirFields) {
  EXPECT_EQ(Print(kDiff),
            "--- a\\x1b[1m.pb 2025-01-01T00:00:00Z\n"
            "+++ live 2025-01-02T00:00:00Z\n"
            "+ net:[2] of process 9\n"
            "- process \"s\\x22h\" (7/1)\n"
            "~ user:[3]\n"
            "    owner: 1 -> 2\n"
            "    uid_map:\n"
            "      - x\n"
            "      - y\n"
            "      + z\n"
            "    parent: (unknown) -> 4\n"
            "    nsid: \"\" -> (none)\n"
            "? things: id=1: not seen after: why\n");
}

TEST(PrintDiff, PrintsNothingWhereNothingChanged) {
  EXPECT_EQ(Print("before { name: 'a' } after { name: 'b' } equal: true"), "");
}

TEST(PrintDiff, CutsLines) {
  EXPECT_EQ(Print("changes { subject: 'net:[4026531840]' kind: added namespace {} }", {.width = 12})
                .substr(0, 12),
            "--- live 19+");
}

}  // namespace
}  // namespace nsctl::cmd
