#include "engines/machined/machined_messages.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"
#include "gtest/gtest.h"

namespace nsctl::engines::machined {
namespace {

std::string Shown(const std::optional<EngineRow>& row) {
  return row.has_value() ? row->container.ShortDebugString() : "nothing";
}

std::string ShownMachine(absl::string_view text) {
  const auto json = ParseJson(text);
  EXPECT_TRUE(json.ok()) << text;
  return json.ok() ? Shown(RowOfMachine(*json)) : "";
}

TEST(RowOfMachine, KnowsLeadersOfAllVersions) {
  constexpr char kAlpha[] =
      "id: \"alpha\" name: \"alpha\" "
      "annotations { name: \"machine.id\" value: \"6f3c\" } "
      "annotations { name: \"machine.root\" value: \"/var/lib/machines/alpha\" } "
      "annotations { name: \"machine.unit\" value: \"machine-alpha.scope\" } "
      "state: running engine_pid: 4711 started_at { seconds: 1764000000 nanos: 5000 } "
      "runtime: \"systemd-nspawn\"";
  for (const char* const leader :
       {"4711", R"({"pid":4711,"pidfdId":7,"startTime":9,"bootId":"ab"})"}) {
    EXPECT_EQ(ShownMachine(absl::StrCat(
                  R"({"name":"alpha","id":"6f3c","service":"systemd-nspawn","class":"container",)"
                  R"("leader":)",
                  leader,
                  R"(,"rootDirectory":"/var/lib/machines/alpha","unit":"machine-alpha.scope",)"
                  R"("timestamp":{"realtime":1764000000000005,"monotonic":1},"new":[]})")),
              kAlpha)
        << leader;
  }
}

TEST(RowOfMachine, LeavesOutWhatIsNoContainer) {
  for (const char* const text :
       {R"({"name":".host","class":"host","leader":1})", R"({"name":"win","class":"vm"})",
        R"({"class":"container","leader":1})", "{}", "[]", "null"}) {
    EXPECT_EQ(ShownMachine(text), "nothing") << text;
  }
}

TEST(RowOfMachine, TakesHostileNumbers) {
  EXPECT_EQ(ShownMachine(R"({"name":"a","class":"container","leader":1e99,)"
                         R"("timestamp":{"realtime":-1}})"),
            "id: \"a\" name: \"a\" state: running");
  EXPECT_EQ(ShownMachine(R"({"name":"a","class":"container","leader":-1,)"
                         R"("timestamp":{"realtime":9223372036854775807}})"),
            "id: \"a\" name: \"a\" state: running engine_pid: -1");
}

// As systemd-machined 252 writes it.
constexpr char kStateFile[] =
    "# This is private data. Do not parse.\n"
    "NAME=alpha\n"
    "SCOPE=machine-alpha.scope\n"
    "SCOPE_JOB=/org/freedesktop/systemd1/job/412\n"
    "SERVICE=systemd-nspawn\n"
    "ROOT=/var/lib/machines/alpha\n"
    "ID=6f3c\n"
    "LEADER=4711\n"
    "CLASS=container\n"
    "REALTIME=1764000000000005\n"
    "MONOTONIC=1\n";

TEST(RowOfStateFile, SaysTheSame) {
  EXPECT_EQ(Shown(RowOfStateFile(kStateFile)),
            ShownMachine(R"({"name":"alpha","id":"6f3c","service":"systemd-nspawn",)"
                         R"("class":"container","leader":4711,"unit":"machine-alpha.scope",)"
                         R"("rootDirectory":"/var/lib/machines/alpha",)"
                         R"("timestamp":{"realtime":1764000000000005}})"));
}

TEST(RowOfStateFile, TakesAnyText) {
  EXPECT_EQ(Shown(RowOfStateFile("")), "nothing");
  EXPECT_EQ(Shown(RowOfStateFile("NAME=win\nCLASS=vm\nLEADER=7\n")), "nothing");
  EXPECT_EQ(Shown(RowOfStateFile("NAME=a\nCLASS=container\nLEADER=99999999999999999999\nREALT")),
            "id: \"a\" name: \"a\" state: running");
  EXPECT_EQ(Shown(RowOfStateFile("NAME=\xff\nCLASS=container\nLEADER=7\n=\n==\n")),
            "id: \"\\\\xff\" name: \"\\\\xff\" state: running engine_pid: 7");
}

}  // namespace
}  // namespace nsctl::engines::machined
