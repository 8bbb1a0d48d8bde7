#include "cmd/tree_dot.h"

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

std::string GraphOf(const char* text, bool details) {
  NamespaceTree tree;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &tree));
  StringWriter out;
  WriteTreeGraph(tree, details, &out);
  return out.text();
}

TEST(WriteTreeGraph, DrawsParentsAndOwners) {
  EXPECT_EQ(GraphOf(R"pb(
                      roots {
                        namespace { type: user inode: 1 }
                        leaders { process { pid: 7 name: "a\"b" } }
                        owned { namespace { type: net inode: 2 names: "x" } }
                        children { namespace { type: user inode: 3 dark: true } }
                      }
                      roots { children { namespace { type: net inode: 4 } } }
                    )pb",
                    /*details=*/true),
            R"dot(digraph "tree" {
  rankdir=LR;
  node [fontname="sans-serif"];
  "user:[1]" [label="user:[1]\na\"b (7)", shape=box, style=rounded];
  "net:[2]" [label="net:[2]\nnamed x", shape=box, style=rounded];
  "user:[1]" -> "net:[2]" [label="owns"];
  "user:[3]" [label="user:[3]\nheld by nothing in sight", shape=box, style="rounded,dashed"];
  "user:[1]" -> "user:[3]";
  "unknown owner" [label="unknown owner", shape=box, style=rounded];
  "net:[4]" [label="net:[4]", shape=box, style=rounded];
  "unknown owner" -> "net:[4]" [label="owns"];
}
)dot");
}

TEST(WriteTreeGraph, DrawsEachOwnerOfPidNamespacesOnce) {
  EXPECT_EQ(GraphOf(R"pb(
                      roots {
                        namespace { type: pid inode: 1 kernel_id: 5 }
                        owner { type: user inode: 9 }
                        children {
                          namespace { type: pid inode: 2 }
                          owner { type: user inode: 9 }
                        }
                      }
                    )pb",
                    /*details=*/false),
            R"dot(digraph "tree" {
  rankdir=LR;
  node [fontname="sans-serif"];
  "pid:[1]" [label="pid:[1]", shape=box, style=rounded];
  "user:[9]" [label="user:[9]", shape=box, style=rounded];
  "user:[9]" -> "pid:[1]" [label="owns"];
  "pid:[2]" [label="pid:[2]", shape=box, style=rounded];
  "user:[9]" -> "pid:[2]" [label="owns"];
  "pid:[1]" -> "pid:[2]";
}
)dot");
}

}  // namespace
}  // namespace nsctl::cmd
