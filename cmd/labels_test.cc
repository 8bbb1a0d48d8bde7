#include "cmd/labels.h"

#include <string>

#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::nsctl::nsdisc::Namespace;
using ::nsctl::nsdisc::Process;

Process MakeProcess() {
  Process process;
  process.set_pid(12);
  process.set_name("sleep");
  process.set_state("S");
  process.add_command_line("sleep");
  process.add_command_line("1 h");
  return process;
}

TEST(NamespaceText, IsTheLinkText) {
  Namespace ns;
  ns.set_inode(4026531840);
  ns.set_type(Namespace::net);
  EXPECT_EQ(NamespaceText(ns), "net:[4026531840]");

  ns.set_type(static_cast<Namespace::Type>(77));
  EXPECT_EQ(NamespaceText(ns), "?:[4026531840]");
}

TEST(CommandText, JoinsArguments) { EXPECT_EQ(CommandText(MakeProcess()), "sleep 1 h"); }

TEST(CommandText, TellsKernelThreadsAndZombies) {
  Process kernel_thread;
  kernel_thread.set_name("kthreadd");
  kernel_thread.set_kernel_thread(true);
  Process zombie;
  zombie.set_name("sh");
  zombie.set_state("Z");
  Process no_arguments;
  no_arguments.set_name("bare");

  EXPECT_EQ(CommandText(kernel_thread), "[kthreadd]");
  EXPECT_EQ(CommandText(zombie), "sh <defunct>");
  EXPECT_EQ(CommandText(no_arguments), "bare");
}

TEST(UserText, PrefersTheName) {
  Process process;
  EXPECT_EQ(UserText(process), "");
  process.set_uid(1000);
  EXPECT_EQ(UserText(process), "1000");
  process.set_user("ann");
  EXPECT_EQ(UserText(process), "ann");
}

TEST(PidText, ListsInnerPids) {
  Process process = MakeProcess();
  EXPECT_EQ(PidText(process), "12");
  for (const int pid : {12, 3, 1}) process.add_namespaced_pids(pid);
  EXPECT_EQ(PidText(process), "12/3/1");
}

TEST(Quoted, CannotBeBrokenOutOf) {
  EXPECT_EQ(Quoted("a b"), R"("a b")");
  EXPECT_EQ(Quoted("a\" (1) created by \"\x1b[m"), R"("a\x22 (1) created by \x22\x1b[m")");
}

TEST(ShortenIds, CutsWholeIdsOnly) {
  const std::string id = "0123456789abcdef" + std::string(48, '0');
  struct Case {
    const char* name;
    std::string text;
    std::string shortened;
  };
  const Case cases[] = {
      {"none", "/system.slice/a.service", "/system.slice/a.service"},
      {"alone", id, "0123456789ab…"},
      {"within", "/docker-" + id + ".scope", "/docker-0123456789ab….scope"},
      {"two", "/" + id + "/" + id, "/0123456789ab…/0123456789ab…"},
      {"longer", id + "0", id + "0"},
      {"shorter", id.substr(1), id.substr(1)},
      {"empty", "", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(ShortenIds(c.text, "…"), c.shortened) << c.name;
}

}  // namespace
}  // namespace nsctl::cmd
