#include "engines/cri/cri_client.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/cri/fake_cri.h"
#include "engines/engine_client.h"
#include "engines/engine_watcher.h"
#include "engines/fake_grpc_server.h"
#include "engines/http_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::cri {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Seconds(30);

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + kLong;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

CallLimits Limits(absl::Duration time = kLong) { return {.deadline = absl::Now() + time}; }

TEST(CriClient, SaysWhoAnswers) {
  FakeCri crio;
  FakeCri other("stranger");

  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine first,
                             MakeCriClient(crio.connector())->Identify(Limits()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine second,
                             MakeCriClient(other.connector())->Identify(Limits()));

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

  ASSERT_THAT(client->Identify(Limits()), IsOk());
  ASSERT_THAT(client->Inspect({"", "p1"}, Limits()), IsOk());

  EXPECT_EQ(cri.Calls("runtime.v1alpha2.RuntimeService/PodSandboxStatus"), 1);
}

TEST(CriClient, IsRefusedWhereThereIsNoSuchInterface) {
  FakeCri cri;
  cri.Answer("Version", [](FakeGrpcCall&) { return absl::UnimplementedError("unknown service"); });

  EXPECT_THAT(MakeCriClient(cri.connector())->Identify(Limits()),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST(CriClient, InspectsContainersAndSandboxes) {
  FakeCri cri;
  cri.StartPod("p1");
  cri.Start("c1", "p1");
  const auto client = MakeCriClient(cri.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow container, client->Inspect({"", "c1"}, Limits()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow sandbox, client->Inspect({"", "p1"}, Limits()));

  EXPECT_EQ(container.container.name(), "name-c1");
  EXPECT_EQ(container.container.engine_pid(), 101);
  EXPECT_EQ(container.container.cgroup(), "/kubepods.slice/crio-c1.scope");
  EXPECT_EQ(container.pod->name(), "pod-p1");
  EXPECT_EQ(container.pod->kubernetes_namespace(), "shop");
  EXPECT_TRUE(sandbox.container.sandbox());
  EXPECT_EQ(sandbox.container.engine_pid(), 100);
  for (const char* id : {"nope", "", "\\q"}) {
    EXPECT_THAT(client->Inspect({"", id}, Limits()), StatusIs(absl::StatusCode::kNotFound)) << id;
  }
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
    EXPECT_THAT(client->Inspect({"", "c1"}, Limits()), StatusIs(absl::StatusCode::kDataLoss));
    cri.Answer(method, [](FakeGrpcCall&) { return absl::NotFoundError("no"); });
  }
}

class CriWatchTest : public ::testing::Test {
 protected:
  void Watch(absl::Duration poll = absl::Milliseconds(20)) {
    WatcherOptions options;
    options.min_backoff = absl::Milliseconds(1);
    options.max_backoff = absl::Milliseconds(10);
    options.sync.list_interval = absl::Milliseconds(5);
    Engine engine;
    engine.set_key("cri:1@1");
    engine.set_type(Engine::cri);
    watcher_ = std::make_unique<EngineWatcher>(engine, MakeCriClient(cri_->connector(), poll),
                                               cri_->MakeFinder(), nullptr, &hub_, options);
  }
  void WatchAndSync(absl::Duration poll = absl::Milliseconds(20)) {
    Watch(poll);
    ASSERT_TRUE(Await([this] { return IsReady(); }));
  }
  bool IsReady() {
    const Containers current = hub_.Current();
    return current.engines_size() > 0 && current.engines(0).state() == Engine::ready;
  }
  // "name-c1 101 pod-p1", in order.
  std::vector<std::string> Known() {
    std::vector<std::string> known;
    const Containers current = hub_.Current();
    for (const Container& container : current.containers()) {
      std::string pod = "no pod";
      for (const Pod& one : current.pods()) {
        if (one.id() == container.pod()) pod = one.name();
      }
      known.push_back(absl::StrCat(container.name(), " ", container.pid(), " ", pod));
    }
    std::sort(known.begin(), known.end());
    return known;
  }
  bool AwaitKnown(const std::vector<std::string>& wanted) {
    return Await([&] { return Known() == wanted; });
  }
  std::vector<std::string> Changes() {
    while (true) {
      auto batch = subscription_->Next(absl::Now());
      if (!batch.ok()) return changes_;
      for (const Change& change : batch->changes) {
        if (!change.has_container()) continue;
        changes_.push_back(
            absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name()));
        if (change.container().has_exit_code()) {
          absl::StrAppend(&changes_.back(), " ", change.container().exit_code());
        }
      }
    }
  }
  void InFirstList(std::function<void()> hook) {
    cri_->OnList([hook = std::move(hook), done = std::make_shared<std::atomic<bool>>(false)] {
      if (!done->exchange(true)) hook();
    });
  }

  std::unique_ptr<FakeCri> cri_ = std::make_unique<FakeCri>();
  ContainerHub hub_;
  std::unique_ptr<ContainerHub::Subscription> subscription_ = hub_.Subscribe();
  std::vector<std::string> changes_;
  std::unique_ptr<EngineWatcher> watcher_;
};

TEST_F(CriWatchTest, FollowsTheEventsOfCriO) {
  cri_->StartPod("p1");
  cri_->Start("c1", "p1");
  WatchAndSync();
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "p1 100 pod-p1"}));
  cri_->StartPod("p2");
  cri_->Start("c2", "p2");
  ASSERT_TRUE(
      AwaitKnown({"name-c1 101 pod-p1", "name-c2 103 pod-p2", "p1 100 pod-p1", "p2 102 pod-p2"}));
  cri_->Die("c2", 3);
  for (int i = 0; i < 3; ++i) cri_->RepeatLast();
  cri_->StopPod("p2");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "p1 100 pod-p1"}));
  cri_->Remove("c2");
  cri_->Start("c3", "p1");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "name-c3 104 pod-p1", "p1 100 pod-p1"}));

  std::vector<std::string> changes = Changes();
  std::sort(changes.begin(), changes.end());
  EXPECT_THAT(changes,
              ElementsAre("exited name-c2 3", "exited p2", "started name-c1", "started name-c2",
                          "started name-c3", "started p1", "started p2"));
  // Nothing is listed but at the begin.
  EXPECT_EQ(cri_->Calls("ListContainers"), 2);
}

TEST_F(CriWatchTest, ListsAgainAndAgainWhereEventsAreSwitchedOff) {
  cri_->SwitchEventsOff();
  cri_->StartPod("p1");
  WatchAndSync();
  cri_->Start("c1", "p1");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "p1 100 pod-p1"}));
  cri_->Die("c1", 3);
  ASSERT_TRUE(AwaitKnown({"p1 100 pod-p1"}));

  EXPECT_THAT(Changes(), ElementsAre("started p1", "started name-c1", "exited name-c1 3"));
  EXPECT_EQ(cri_->Calls("GetContainerEvents"), 1);
}

TEST_F(CriWatchTest, AsksNobodyElseForEvents) {
  cri_ = std::make_unique<FakeCri>("containerd");
  cri_->StartPod("p1");
  WatchAndSync();
  cri_->Start("c1", "p1");
  ASSERT_TRUE(AwaitKnown({"name-c1 101 pod-p1", "p1 100 pod-p1"}));
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
  InFirstList([this] {
    cri_->Die("c1", 1);
    cri_->StartPod("p2");
    cri_->Start("c2", "p2");
  });
  WatchAndSync();

  EXPECT_TRUE(AwaitKnown({"name-c2 103 pod-p2", "p1 100 pod-p1", "p2 102 pod-p2"}));
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
  ASSERT_TRUE(Await([this] { return Known() == std::vector<std::string>{"p1 100 pod-p1"}; }));
  cri_->Refuse(false);

  ASSERT_TRUE(AwaitKnown({"name-c2 102 pod-p1", "p1 100 pod-p1"}));
  const std::vector<std::string> changes = Changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started p1"), 1);
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
