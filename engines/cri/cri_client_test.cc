#include "engines/cri/cri_client.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/cri/fake_cri.h"
#include "engines/engine_client.h"
#include "engines/fake_grpc_server.h"
#include "engines/test_watch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::cri {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

TEST(CriClient, SaysWhoAnswers) {
  FakeCri crio;
  FakeCri other("stranger");

  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine first,
                             MakeCriClient(crio.connector())->Identify(LimitsFor()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine second,
                             MakeCriClient(other.connector())->Identify(LimitsFor()));

  EXPECT_EQ(first.type(), Engine::crio);
  EXPECT_EQ(first.version(), "1.28.0");
  EXPECT_EQ(first.api_version(), "v1");
  EXPECT_EQ(second.type(), Engine::cri);
  EXPECT_EQ(second.version(), "stranger 1.28.0");
}

TEST(CriClient, SpeaksTheOlderInterface) {
  FakeCri cri;
  cri.Answer("runtime.v1.RuntimeService/Version",
             [](FakeGrpcCall&) { return absl::UnimplementedError("unknown service"); });
  cri.StartPod("p1");
  const auto client = MakeCriClient(cri.connector());

  ASSERT_THAT(client->Identify(LimitsFor()), IsOk());
  ASSERT_THAT(client->Inspect({"", "p1"}, LimitsFor()), IsOk());

  EXPECT_EQ(cri.Calls("runtime.v1alpha2.RuntimeService/PodSandboxStatus"), 1);
}

TEST(CriClient, IsRefusedWhereThereIsNoSuchInterface) {
  FakeCri cri;
  cri.Answer("Version", [](FakeGrpcCall&) { return absl::UnimplementedError("unknown service"); });

  EXPECT_THAT(MakeCriClient(cri.connector())->Identify(LimitsFor()),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST(CriClient, InspectsContainersAndSandboxes) {
  FakeCri cri;
  cri.StartPod("p1");
  cri.Start("c1", "p1");
  const auto client = MakeCriClient(cri.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow container, client->Inspect({"", "c1"}, LimitsFor()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow sandbox, client->Inspect({"", "p1"}, LimitsFor()));

  EXPECT_EQ(container.container.name(), "name-c1");
  EXPECT_EQ(container.container.engine_pid(), 101);
  EXPECT_EQ(container.container.cgroup(), "/kubepods.slice/crio-c1.scope");
  EXPECT_EQ(container.pod->name(), "pod-p1");
  EXPECT_EQ(container.pod->kubernetes_namespace(), "shop");
  EXPECT_TRUE(sandbox.container.sandbox());
  EXPECT_EQ(sandbox.container.engine_pid(), 100);
  for (const char* id : {"nope", "", "\\q"}) {
    EXPECT_THAT(client->Inspect({"", id}, LimitsFor()), StatusIs(absl::StatusCode::kNotFound))
        << id;
  }
}

TEST(CriClient, ListsWhatDoesNotRunOnRequest) {
  FakeCri cri;
  cri.StartPod("p1");
  cri.Start("c1", "p1");
  cri.Start("c2", "p1");
  cri.Die("c2", 3);
  std::vector<std::string> rows;

  EXPECT_THAT(MakeCriClient(cri.connector())
                  ->ListStopped(LimitsFor(),
                                [&rows](EngineRow row) {
                                  rows.push_back(absl::StrCat(
                                      row.container.name(), " ", StateName(row.container.state()),
                                      " ", row.container.exit_code(), " in ", row.pod->name()));
                                  return absl::OkStatus();
                                }),
              IsOk());

  EXPECT_THAT(rows, ElementsAre("name-c2 exited 3 in pod-p1"));
}

TEST(CriClient, BelievesNoAnswerAboutAnother) {
  FakeCri cri;
  const auto client = MakeCriClient(cri.connector());
  for (const char* method : {"ContainerStatus", "PodSandboxStatus"}) {
    cri.Answer(method, [](FakeGrpcCall& call) {
      // A status whose id is "x".
      call.Send("\x0a\x03\x0a\x01x");
      return absl::OkStatus();
    });
    EXPECT_THAT(client->Inspect({"", "c1"}, LimitsFor()), StatusIs(absl::StatusCode::kDataLoss));
    cri.Answer(method, [](FakeGrpcCall&) { return absl::NotFoundError("no"); });
  }
}

class CriWatchTest : public WatchTest {
 protected:
  void WatchAndSync() {
    Watch(Engine::cri, MakeCriClient(cri_->connector(), absl::Milliseconds(20)),
          cri_->MakeFinder());
    ASSERT_TRUE(Await([this] { return IsReady(); }));
  }
  // "name-c1 101 pod-p1", in order.
  std::vector<std::string> Known() {
    const Containers current = hub_.Current();
    return WatchTest::Known([&current](const Container& container) {
      std::string pod = "no pod";
      for (const Pod& one : current.pods()) {
        if (one.id() == container.pod()) pod = one.name();
      }
      return absl::StrCat(container.name(), " ", container.pid(), " ", pod);
    });
  }
  bool AwaitKnown(const std::vector<std::string>& wanted) {
    return Await([&] { return Known() == wanted; });
  }

  std::unique_ptr<FakeCri> cri_ = std::make_unique<FakeCri>();
};

TEST_F(CriWatchTest, FollowsTheEventsOfCriO) {
  cri_->StartPod("p1");
  cri_->Start("c1", "p1");
  WatchAndSync();
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "pod-p1 100 pod-p1"}));
  cri_->StartPod("p2");
  cri_->Start("c2", "p2");
  ASSERT_TRUE(AwaitKnown(
      {"name-c1 101 pod-p1", "name-c2 103 pod-p2", "pod-p1 100 pod-p1", "pod-p2 102 pod-p2"}));
  cri_->Die("c2", 3);
  for (int i = 0; i < 3; ++i) cri_->RepeatLast();
  cri_->StopPod("p2");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "pod-p1 100 pod-p1"}));
  cri_->Remove("c2");
  cri_->Start("c3", "p1");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "name-c3 104 pod-p1", "pod-p1 100 pod-p1"}));

  std::vector<std::string> changes = Changes();
  std::sort(changes.begin(), changes.end());
  EXPECT_THAT(changes,
              ElementsAre("exited name-c2 3", "exited pod-p2", "started name-c1", "started name-c2",
                          "started name-c3", "started pod-p1", "started pod-p2"));
  // Nothing is listed but at the begin.
  EXPECT_EQ(cri_->Calls("ListContainers"), 2);
}

TEST_F(CriWatchTest, ListsAgainAndAgainWhereEventsAreSwitchedOff) {
  cri_->SwitchEventsOff();
  cri_->StartPod("p1");
  WatchAndSync();
  cri_->Start("c1", "p1");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "pod-p1 100 pod-p1"}));
  cri_->Die("c1", 3);
  ASSERT_TRUE(AwaitKnown({"pod-p1 100 pod-p1"}));

  EXPECT_THAT(Changes(), ElementsAre("started pod-p1", "started name-c1", "exited name-c1 3"));
  EXPECT_EQ(cri_->Calls("GetContainerEvents"), 1);
}

TEST_F(CriWatchTest, AsksNobodyElseForEvents) {
  cri_ = std::make_unique<FakeCri>("containerd");
  cri_->StartPod("p1");
  WatchAndSync();
  cri_->Start("c1", "p1");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "pod-p1 100 pod-p1"}));
  // What is known is not inspected again.
  const int inspections = cri_->Calls("Status");
  const int lists = cri_->Calls("ListContainers");
  ASSERT_TRUE(Await([&] { return cri_->Calls("ListContainers") > lists + 5; }));

  EXPECT_EQ(cri_->Calls("Status"), inspections);
  EXPECT_EQ(cri_->Calls("GetContainerEvents"), 0);
}

TEST_F(CriWatchTest, ShowsNoContainerForAPodWithoutAProcess) {
  cri_->SwitchEventsOff();
  cri_->StartPod("p1", /*with_process=*/false);
  cri_->Start("c1", "p1");
  WatchAndSync();
  ASSERT_TRUE(AwaitKnown({"name-c1 100 pod-p1"}));
  const int lists = cri_->Calls("ListContainers");
  ASSERT_TRUE(Await([&] { return cri_->Calls("ListContainers") > lists + 5; }));

  EXPECT_THAT(Changes(), ElementsAre("started name-c1"));
  // It is not asked for each time.
  EXPECT_LE(cri_->Calls("PodSandboxStatus"), 2);
}

TEST_F(CriWatchTest, KnowsWhatDiedOrCameDuringTheList) {
  cri_->StartPod("p1");
  cri_->Start("c1", "p1");
  cri_->OnList(Once([this] {
    cri_->Die("c1", 1);
    cri_->StartPod("p2");
    cri_->Start("c2", "p2");
  }));
  WatchAndSync();

  EXPECT_TRUE(AwaitKnown({"name-c2 103 pod-p2", "pod-p1 100 pod-p1", "pod-p2 102 pod-p2"}));
}

TEST_F(CriWatchTest, IsToldAgainWhatItMissedWhileTheRuntimeWasDown) {
  cri_->StartPod("p1");
  cri_->Start("c1", "p1");
  WatchAndSync();
  cri_->Refuse(true);
  cri_->EndConnections();
  ASSERT_TRUE(Await([this] { return !IsReady(); }));
  cri_->Die("c1", 1);
  cri_->Start("c2", "p1");
  ASSERT_TRUE(Await([this] { return Known() == std::vector<std::string>{"pod-p1 100 pod-p1"}; }));
  cri_->Refuse(false);

  ASSERT_TRUE(AwaitKnown({"name-c2 102 pod-p1", "pod-p1 100 pod-p1"}));
  const std::vector<std::string> changes = Changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started pod-p1"), 1);
}

TEST_F(CriWatchTest, ShowsHostileTextAsItIs) {
  cri_->StartPod("p1");
  cri_->Start("c1", "p1");
  cri_->SetLabel("c1", "a\xff", "\x1b[2J\\");
  WatchAndSync();

  const Containers current = hub_.Current();
  ASSERT_EQ(current.containers_size(), 2);
  for (const Container& container : current.containers()) {
    if (container.sandbox()) continue;
    EXPECT_EQ(*FindLabel(container.labels(), "a\\xff"), "\x1b[2J\\\\");
  }
}

TEST_F(CriWatchTest, SyncsAThousandContainersInASecond) {
  cri_->StartPod("p1");
  for (int i = 0; i < 999; ++i) cri_->Start(absl::StrCat("c", i), "p1");
  cri_->SetLatency(absl::Milliseconds(1));
  const absl::Time start = absl::Now();

  WatchAndSync();
  const absl::Duration took = absl::Now() - start;

  EXPECT_EQ(Known().size(), 1000);
  EXPECT_EQ(cri_->Calls("Status"), 1000);
  // A second on an idle machine; sanitizers and neighbours take their share.
  EXPECT_LT(took, absl::Seconds(20));
  RecordProperty("milliseconds", static_cast<int>(absl::ToInt64Milliseconds(took)));
}

}  // namespace
}  // namespace nsctl::engines::cri
