#include "cmd/caps_text.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::HasSubstr;

constexpr char kReport[] = R"pb(
  process { pid: 5 name: "s\"h" uid: 1000 user: "ann" }
  effective {
    mask: "0000000000000021"
    names: [ "CAP_CHOWN", "CAP_KILL" ]
  }
  permitted {
    mask: "0000000000000021"
    names: [ "CAP_CHOWN", "CAP_KILL" ]
  }
  inheritable { mask: "0000000000000000" }
  bounding {
    mask: "0000000000000007"
    names: [ "A", "B", "C" ]
    all: true
  }
  ambient { mask: "0000000000000000" }
  no_new_privileges: true
  securebits: 16
  last_capability: 2
  verdict {
    target { type: net inode: 122 }
    user_namespace: 21
    rule: creator
    reason: "because"
    effective {
      mask: "0000000000000007"
      names: [ "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_41" ]
      all: true
    }
    permitted { mask: "0000000000000007" }
  }
  rows {
    namespace { type: user inode: 20 }
    rule: own
    effective { names: "CAP_CHOWN" }
  }
  rows { depth: 1 }
  rows {
    depth: 1
    namespace { type: user inode: 21 owner_uid: 1000 owner_user: "ann" }
    rule: unknown
  }
  rows {
    depth: 2
    namespace { type: net inode: 122 }
    representative {
      pid: 9
      name: "x"
      namespaced_pids: [ 9, 1 ]
    }
    is_target: true
  }
)pb";

std::string Print(const std::string& text, bool brief) {
  CapabilityReport report;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &report)) << text;
  StringWriter out;
  PrintCapabilityReport(report, brief, {}, &out);
  return out.text();
}

TEST(PrintCapabilityReport, DrawsTheWayAndSaysWhy) {
  EXPECT_EQ(Print(kReport, false),
            "! user:[20]\n"
            "|- process \"s\\x22h\" (5) of UID 1000 (\"ann\")\n"
            "|     o- effective: 2 of 3 capabilities (0000000000000021)\n"
            "|        CAP_CHOWN              CAP_KILL\n"
            "|     o- permitted: 2 of 3 capabilities (0000000000000021)\n"
            "|     o- inheritable: no capabilities (0000000000000000)\n"
            "|     o- bounding: all 3 capabilities (0000000000000007)\n"
            "|     o- ambient: no capabilities (0000000000000000)\n"
            "|     o- no new privileges by execve(2)\n"
            "|     o- securebits: 0x10\n"
            "`- ? user:[21] created by UID 1000 (\"ann\")\n"
            "   `- + target net:[122] process \"x\" (9/1)\n"
            "         o- all 3 capabilities: because\n"
            "            CAP_CHOWN              CAP_DAC_OVERRIDE       CAP_DAC_READ_SEARCH    "
            "CAP_FOWNER\n"
            "            CAP_41\n");
}

TEST(PrintCapabilityReport, IsBriefOnDemand) {
  EXPECT_EQ(Print(kReport, true),
            "! user:[20]\n"
            "|- process \"s\\x22h\" (5) of UID 1000 (\"ann\")\n"
            "|     o- 2 of 3 capabilities\n"
            "|     o- no new privileges by execve(2)\n"
            "|     o- securebits: 0x10\n"
            "`- ? user:[21] created by UID 1000 (\"ann\")\n"
            "   `- + target net:[122] process \"x\" (9/1)\n"
            "         o- all 3 capabilities: because\n");
}

TEST(PrintCapabilityReport, SaysWhatIsUnknown) {
  const std::string text =
      Print(R"pb(
              process { pid: 5 name: "sh" }
              verdict { rule: unknown reason: "its user namespace is unknown (EACCES)" }
              rows { depth: 0 }
              rows {
                namespace { type: user }
                is_target: true
              }
              others {
                target { type: net inode: 7 }
                reason: "who knows"
              }
            )pb",
            false);

  EXPECT_EQ(text,
            "process \"sh\" (5)\n"
            "   o- its capabilities are unknown\n"
            "? target user:[?]\n"
            "   o- unknown capabilities: its user namespace is unknown (EACCES)\n"
            "\n"
            "NAMESPACE OWNER HAS REASON\n"
            "net:[7]   ?     ?   who knows\n");
}

TEST(PrintCapabilityReport, SaysWhatCouldBeAdded) {
  const std::string text = Print(R"pb(
                                   last_capability: 2
                                   verdict {
                                     target { type: user inode: 20 }
                                     reason: "x"
                                     effective { mask: "0" }
                                     permitted { mask: "1" names: "CAP_CHOWN" }
                                   }
                                   rows {
                                     namespace { type: user inode: 20 }
                                     is_target: true
                                   }
                                 )pb",
                                 false);

  EXPECT_THAT(text, HasSubstr("o- no capabilities: x\n"
                              "   o- it could add, to have 1 of 3 capabilities:\n"
                              "      CAP_CHOWN\n"));
}

}  // namespace
}  // namespace nsctl::cmd
