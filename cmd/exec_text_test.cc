#include "cmd/exec_text.h"

#include <string>

#include "cmd/presentation.h"
#include "cmd/writer.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

ExecReport Parse(const std::string& text) {
  ExecReport report;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &report));
  return report;
}

TEST(ExecText, HasALineForEachResult) {
  StringWriter out;

  PrintExecResults(Parse(R"pb(
                     results {
                       target: "1234"
                       pid: 77
                       exit_status: 0
                       namespaces { type: "net" after: 5 }
                       namespaces { type: "mnt" after: 6 }
                     }
                     results { target: "a\x1b" exit_status: 125 error: "no such thing" }
                   )pb"),
                   Presentation(), &out);

  EXPECT_EQ(out.text(),
            "TARGET PID STATUS ENTERED ERROR\n"
            "1234    77      0 net,mnt -\n"
            "a\\x1b    -    125 -       no such thing\n");
}

TEST(ExecText, TellsPlansAndWhatRuns) {
  StringWriter out;

  PrintExecPlans(
      Parse(R"pb(
        results {
          target: "1234"
          command: "ls"
          command: "-l"
          plan {
            steps { type: "user" action: enter inode: 5 reference: "process 1234" owner: 4 }
            steps { type: "net" action: skip inode: 6 reference: "process 1234" }
            forks: true
          }
          uid: 0
          gid: 0
          surroundings { environment: "caller" }
        }
        results {
          target: "5"
          plan { forks: true }
          surroundings {
            root: "target"
            directory: "/usr"
            inner_directory: "a\x1b"
            cgroups: "/c/x"
            environment: "target"
            variables: "A=b"
            sets_groups: true
            sets_capabilities: true
            capabilities: "CAP_KILL"
            no_new_privileges: true
            security_context: "exec x"
            no_fork: true
          }
        }
        results {
          target: "/x"
          plan { steps { type: "net" action: fail reference: "/x" reason: "no" } }
          error: "no"
        }
      )pb"),
      &out);

  EXPECT_EQ(out.text(),
            "1234:\n"
            "enter user:[5] of process 1234, owned by user:[4]\n"
            "skip  net:[6]: the caller is in it already\n"
            "run   ls -l as uid 0, gid 0, in a process of its own in the PID namespace\n"
            "5:\n"
            "run   the user's shell, outside of the PID namespace: its children are in it\n"
            "with  cgroups /c/x\n"
            "with  root directory of the target\n"
            "with  working directory /usr\n"
            "with  working directory inside a\\x1b\n"
            "with  environment of the target\n"
            "with  A=b\n"
            "with  supplementary groups: none\n"
            "with  capabilities: CAP_KILL\n"
            "with  no new privileges\n"
            "with  security context exec x\n"
            "/x:\n"
            "fail  net of /x: no\n");
}

}  // namespace
}  // namespace nsctl::cmd
