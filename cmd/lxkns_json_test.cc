#include "cmd/lxkns_json.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace nsctl::cmd {
namespace {

using ::nlohmann::ordered_json;
using ::nsctl::nsdisc::ScanOptions;
using ::nsctl::nsdisc::Snapshot;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kSnapshot[] = R"pb(
  host { cpus_online: "0-3,8" }
  options { threads: all }
  namespaces {
    type: user
    inode: 20
    children: 21
    reference: "/proc/1/ns/user"
    leaders: [ 1, 2 ]
    ealdorman: 1
    owner_uid: 0
    owner_user: "root"
  }
  namespaces { type: user inode: 21 parent: 20 }
  namespaces {
    type: net
    inode: 10
    owner: 20
    loose_threads: 8
    reference: "/proc/1/ns/mnt"
    reference: "/run/a\\xff"
  }
  processes {
    pid: 1
    start_time: 5
    name: "init"
    command_line: "init"
    command_line: "\\xffz"
    namespaces { user: 20 net: 10 }
    cgroups: 0
    scheduling { policy: rr realtime_priority: 9 nice: -5 cpus_allowed: "0,2-3" }
    threads {
      tid: 8
      start_time: 6
      name: "worker"
      namespaces { user: 20 net: 11 }
      cgroups: 1
      scheduling { cpus_allowed: "1" }
    }
  }
  processes { pid: 2 parent_pid: 1 name: "kthreadd" kernel_thread: true cgroups: 1 }
  cgroups {
    unified: "/u"
    v1 { controllers: "freezer" path: "/f" }
    v1 { controllers: "cpu,cpuacct" path: "/c" }
    frozen: true
  }
  cgroups { unified: "/v2" }
)pb";

Snapshot MakeSnapshot() {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kSnapshot, &snapshot));
  return snapshot;
}

ordered_json Write(const Snapshot& snapshot) {
  StringWriter out;
  WriteLxknsJson(snapshot, &out);
  EXPECT_EQ(out.text().substr(out.text().size() - 2), "}\n");
  return ordered_json::parse(out.text());
}

std::vector<std::string> Keys(const ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

TEST(LxknsJson, HasTheKeysThatClientsKnow) {
  const ordered_json json = Write(MakeSnapshot());

  EXPECT_THAT(Keys(json),
              ElementsAre("container-engines", "container-groups", "containers", "cpus-online",
                          "discovery-options", "namespaces", "processes"));
  EXPECT_EQ(json["containers"], ordered_json::object());
  EXPECT_EQ(json["cpus-online"], ordered_json::parse("[[0,3],[8,8]]"));
}

TEST(LxknsJson, SaysWhatWasDone) {
  EXPECT_EQ(Write(MakeSnapshot())["discovery-options"].dump(),
            R"({"from-procs":true,"from-tasks":true,"from-fds":false,"from-bindmounts":false,)"
            R"("with-hierarchy":true,"with-ownership":true,"with-freezer":true,)"
            R"("with-mounts":false,"with-socket-processes":false,)"
            R"("with-affinity-scheduling":true,"with-task-affinity-scheduling":true,"labels":{},)"
            R"("scanned-namespace-types":["time","mnt","cgroup","uts","ipc","user","pid","net"]})");

  Snapshot little;
  little.mutable_options()->set_threads(ScanOptions::none);
  little.mutable_options()->add_types(nsdisc::Namespace::net);
  const ordered_json options = Write(little)["discovery-options"];
  EXPECT_EQ(options["from-tasks"], false);
  EXPECT_EQ(options["with-freezer"], false);
  EXPECT_EQ(options["with-affinity-scheduling"], false);
  EXPECT_EQ(options["scanned-namespace-types"], ordered_json::parse(R"(["net"])"));
}

TEST(LxknsJson, WritesNamespacesByNumber) {
  const ordered_json namespaces = Write(MakeSnapshot())["namespaces"];

  EXPECT_THAT(Keys(namespaces), ElementsAre("10", "20", "21"));
  EXPECT_EQ(namespaces["10"].dump(), R"({"nsid":10,"type":"net","owner":20,)"
                                     "\"reference\":[\"/proc/1/ns/mnt\",\"/run/a\xef\xbf\xbd\"],"
                                     R"("loose-threads":[8]})");
  EXPECT_EQ(namespaces["20"].dump(),
            R"({"nsid":20,"type":"user","reference":["/proc/1/ns/user"],"leaders":[1,2],)"
            R"("ealdorman":1,"children":[21],"user-id":0,"user-name":"root"})");
  EXPECT_EQ(namespaces["21"].dump(),
            R"({"nsid":21,"type":"user","parent":20,"user-id":0,"user-name":""})");
}

TEST(LxknsJson, LeavesOutTypesThatClientsRefuse) {
  Snapshot snapshot = MakeSnapshot();
  snapshot.add_namespaces()->set_type(static_cast<nsdisc::Namespace::Type>(77));
  // A number that is there twice would be a key that is there twice.
  snapshot.add_namespaces()->set_type(nsdisc::Namespace::time);
  snapshot.mutable_namespaces(4)->set_inode(20);

  EXPECT_THAT(Keys(Write(snapshot)["namespaces"]), ElementsAre("10", "20", "21"));
}

TEST(LxknsJson, WritesProcessesWithTheirThreads) {
  const ordered_json processes = Write(MakeSnapshot())["processes"];

  EXPECT_EQ(processes["1"].dump(),
            R"({"namespaces":{"user":20,"net":10},)"
            "\"cmdline\":[\"init\",\"\xef\xbf\xbdz\"],"
            R"("tasks":[{"namespaces":{"user":20,"net":10},"name":"init","starttime":5,)"
            R"("cpucgroup":"/c","fridgecgroup":"/f","fridgefrozen":true,)"
            R"("affinity":[[0,0],[2,3]],"policy":2,"priority":9,"nice":-5,"tid":1},)"
            R"({"namespaces":{"user":20,"net":11},"name":"worker","starttime":6,)"
            R"("cpucgroup":"/v2","fridgecgroup":"/v2","fridgefrozen":false,)"
            R"("affinity":[[1,1]],"tid":8}],"name":"init","starttime":5,)"
            R"("cpucgroup":"/c","fridgecgroup":"/f","fridgefrozen":true,)"
            R"("affinity":[[0,0],[2,3]],"policy":2,"priority":9,"nice":-5,"pid":1,"ppid":0})");
  EXPECT_EQ(processes["2"]["cmdline"], ordered_json::parse(R"([""])"));
  EXPECT_EQ(processes["2"]["ppid"], 1);
}

TEST(LxknsJson, HasOnlyLooseThreadsWhereOnlyThoseWereLookedFor) {
  Snapshot snapshot = MakeSnapshot();
  snapshot.mutable_options()->set_threads(ScanOptions::loose);

  const ordered_json processes = Write(snapshot)["processes"];

  ASSERT_EQ(processes["1"]["tasks"].size(), 1u);
  EXPECT_EQ(processes["1"]["tasks"][0]["tid"], 8);
  EXPECT_THAT(processes["2"]["tasks"], IsEmpty());
}

TEST(LxknsJson, RefersToTypesThatWereLookedForOnly) {
  Snapshot snapshot = MakeSnapshot();
  snapshot.mutable_options()->add_types(nsdisc::Namespace::net);

  EXPECT_EQ(Write(snapshot)["processes"]["1"]["namespaces"].dump(), R"({"net":10})");
}

}  // namespace
}  // namespace nsctl::cmd
