#include "engines/containerd/containerd_client.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/fake_containerd.h"
#include "engines/cri/runtime.pb.h"
#include "engines/engine_client.h"
#include "engines/fake_grpc_server.h"
#include "engines/http_client.h"
#include "engines/test_watch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::containerd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

const FakeContainerd::Id kWeb = {"default", "web"};

std::vector<std::string> NamesListed(EngineClient& client, absl::Status* status) {
  std::vector<std::string> names;
  *status = client.List(LimitsFor(), [&names](EngineRow row) {
    names.push_back(absl::StrCat(row.container.native_namespace(), "/", row.container.name()));
    return absl::OkStatus();
  });
  std::sort(names.begin(), names.end());
  return names;
}

// A pod of Kubernetes with one container, as containerd's plugin for it makes them.
void StartPod(FakeContainerd& containerd) {
  const auto set = [](const char* kind, const char* metadata, const char* annotations) {
    return [=](::containerd::services::containers::v1::Container* container) {
      container->clear_labels();
      for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
               {"io.cri-containerd.kind", kind},
               {"io.kubernetes.pod.name", "alpha"},
               {"io.kubernetes.pod.namespace", "shop"},
               {"io.kubernetes.pod.uid", "u-1"},
               {"io.kubernetes.container.name", std::string(kind) == "sandbox" ? "" : "main"}}) {
        if (value.empty()) continue;
        auto* const entry = container->add_labels();
        entry->set_key(key);
        entry->set_value(value);
      }
      auto* const extension = container->add_extensions();
      extension->set_key(absl::StrCat("io.cri-containerd.", kind, ".metadata"));
      extension->mutable_value()->set_value(metadata);
      container->mutable_spec()->set_value(absl::StrCat(R"({"annotations":{)", annotations, "}}"));
    };
  };
  containerd.Start({"k8s.io", "5a4d"});
  containerd.Edit(
      {"k8s.io", "5a4d"},
      set("sandbox",
          R"({"Version":"v1","Metadata":{"ID":"5a4d","Config":{"labels":{"app":"alpha"},)"
          R"("annotations":{"team":"shop"},"linux":{"security_context":{}}}}})",
          R"("io.kubernetes.cri.container-type":"sandbox")"));
  containerd.Start({"k8s.io", "c001"});
  containerd.Edit(
      {"k8s.io", "c001"},
      set("container",
          R"({"Version":"v1","Metadata":{"ID":"c001","SandboxID":"5a4d","Config":{"annotations":)"
          R"({"hash":"1"},"linux":{"security_context":{"privileged":true}}}}})",
          R"("io.kubernetes.cri.sandbox-id":"5a4d","io.kubernetes.cri.image-name":"busybox:1")"));
}

TEST(ContainerdClient, SaysWhoAnswers) {
  FakeContainerd containerd;
  const auto client = MakeContainerdClient(containerd.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine engine, client->Identify(LimitsFor()));

  EXPECT_EQ(engine.type(), Engine::containerd);
  EXPECT_EQ(engine.id(), "c686b515-0000");
  EXPECT_EQ(engine.version(), "1.6.20~ds1");
}

TEST(ContainerdClient, DoesWithoutWhatOldVersionsLack) {
  FakeContainerd containerd;
  for (const char* method : {"Introspection/Server", "Containers/ListStream"}) {
    containerd.Answer(method, [](FakeGrpcCall&) { return absl::UnimplementedError("unknown"); });
  }
  containerd.Start(kWeb);
  const auto client = MakeContainerdClient(containerd.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine engine, client->Identify(LimitsFor()));
  absl::Status status;
  const std::vector<std::string> names = NamesListed(*client, &status);

  EXPECT_EQ(engine.id(), "");
  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(names, ElementsAre("default/web"));
}

TEST(ContainerdClient, ListsAllNamespaces) {
  FakeContainerd containerd;
  containerd.Start(kWeb);
  containerd.Start({"shop", "web"});
  containerd.Start({"moby", "0123"});
  containerd.Start({"k8s.io", "4567"});
  containerd.Start({"default", "ended"});
  containerd.Die({"default", "ended"}, 1);
  const auto client = MakeContainerdClient(containerd.connector());

  absl::Status status;
  const std::vector<std::string> names = NamesListed(*client, &status);

  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(names, ElementsAre("default/web", "k8s.io/4567", "moby/0123", "shop/web"));
}

TEST(ContainerdClient, ListsWhatDoesNotRunOnRequest) {
  FakeContainerd containerd;
  containerd.Start(kWeb);
  containerd.Start({"default", "job"});
  containerd.EditTask({"default", "job"}, [](::containerd::services::tasks::v1::Process* task) {
    task->set_status(3);
    task->set_exit_status(3);
  });
  containerd.Start({"default", "taken away"});
  containerd.Die({"default", "taken away"}, 4);
  std::vector<std::string> rows;

  EXPECT_THAT(MakeContainerdClient(containerd.connector())
                  ->ListStopped(LimitsFor(),
                                [&rows](EngineRow row) {
                                  rows.push_back(absl::StrCat(row.container.name(), " ",
                                                              StateName(row.container.state()), " ",
                                                              row.container.exit_code()));
                                  return absl::OkStatus();
                                }),
              IsOk());

  EXPECT_THAT(rows, ElementsAre("job exited 3", "taken away created 0"));
}

// Kubernetes' service takes the tasks of its containers away, and remembers how they ended.
TEST(ContainerdClient, AsksKubernetesHowItsContainersEnded) {
  FakeContainerd containerd;
  const FakeContainerd::Id id("k8s.io", "main");
  containerd.Start(id);
  containerd.SetLabel(id, "io.cri-containerd.kind", "container");
  containerd.SetLabel(id, "io.kubernetes.pod.name", "alpha");
  containerd.Edit(id, [](auto* container) {
    container->mutable_spec()->set_value(
        R"({"annotations":{"io.kubernetes.cri.sandbox-id":"p1"}})");
  });
  containerd.Die(id, 4);
  containerd.Answer("RuntimeService/ContainerStatus", [](FakeGrpcCall& call) {
    ::runtime::v1::ContainerStatusResponse response;
    response.mutable_status()->set_id("main");
    response.mutable_status()->set_state(2);
    response.mutable_status()->set_exit_code(137);
    response.mutable_status()->set_finished_at(1'700'000'000'000'000'000);
    call.Send(response.SerializeAsString());
    return absl::OkStatus();
  });
  std::vector<Container> stopped;

  EXPECT_THAT(MakeContainerdClient(containerd.connector())
                  ->ListStopped(LimitsFor(),
                                [&stopped](EngineRow row) {
                                  stopped.push_back(row.container);
                                  return absl::OkStatus();
                                }),
              IsOk());

  ASSERT_EQ(stopped.size(), 1);
  EXPECT_EQ(stopped[0].state(), Container::exited);
  EXPECT_EQ(stopped[0].exit_code(), 137);
  EXPECT_EQ(stopped[0].finished_at().seconds(), 1'700'000'000);
}

TEST(ContainerdClient, DoesWithoutKubernetesInterfaceWhereThatHangs) {
  FakeContainerd containerd;
  const FakeContainerd::Id id("k8s.io", "main");
  containerd.Start(id);
  containerd.SetLabel(id, "io.cri-containerd.kind", "container");
  containerd.SetLabel(id, "io.kubernetes.pod.name", "alpha");
  containerd.Edit(id, [](auto* container) {
    container->mutable_spec()->set_value(
        R"({"annotations":{"io.kubernetes.cri.sandbox-id":"p1"}})");
  });
  containerd.Die(id, 4);
  // Of a namespace that is asked for later.
  containerd.Start({"shop", "job"});
  containerd.Die({"shop", "job"}, 3);
  containerd.Answer("RuntimeService/ContainerStatus", [](FakeGrpcCall& call) {
    call.AwaitEnd();
    return absl::OkStatus();
  });
  CallLimits limits = LimitsFor();
  limits.deadline = absl::Now() + absl::Seconds(4);
  std::vector<std::string> names;

  EXPECT_THAT(MakeContainerdClient(containerd.connector())
                  ->ListStopped(limits,
                                [&names](const EngineRow& row) {
                                  names.push_back(row.container.id());
                                  return absl::OkStatus();
                                }),
              IsOk());

  EXPECT_THAT(names, ElementsAre("main", "job"));
}

TEST(ContainerdClient, InspectsWhatIsThere) {
  FakeContainerd containerd;
  containerd.Start(kWeb);
  containerd.SetLabel(kWeb, "nerdctl/name", "shop-web");
  containerd.Start({"default", "ended"});
  containerd.Die({"default", "ended"}, 1);
  const auto client = MakeContainerdClient(containerd.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow web, client->Inspect({"default", "web"}, LimitsFor()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow ended,
                             client->Inspect({"default", "ended"}, LimitsFor()));

  EXPECT_EQ(web.container.name(), "shop-web");
  EXPECT_EQ(web.container.engine_pid(), 100);
  EXPECT_EQ(web.container.cgroup(), "/default/web");
  EXPECT_FALSE(web.partial);
  EXPECT_EQ(ended.container.state(), Container::exited);
  for (const ContainerId& id : {ContainerId{"shop", "web"}, ContainerId{"default", "nope"},
                                ContainerId{"default", ""}, ContainerId{"default", "\\q"}}) {
    EXPECT_THAT(client->Inspect(id, LimitsFor()), StatusIs(absl::StatusCode::kNotFound)) << id.id;
  }
  containerd.Edit(kWeb, [](auto* container) { container->set_id("another"); });
  EXPECT_THAT(client->Inspect({"default", "web"}, LimitsFor()),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(ContainerdClient, KnowsThePodOfAContainer) {
  FakeContainerd containerd;
  StartPod(containerd);
  const auto client = MakeContainerdClient(containerd.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, client->Inspect({"k8s.io", "c001"}, LimitsFor()));

  EXPECT_EQ(row.container.name(), "main");
  EXPECT_EQ(row.container.pod(), "5a4d");
  EXPECT_EQ(row.container.image(), "busybox:1");
  EXPECT_TRUE(row.container.privileged());
  EXPECT_EQ(*FindLabel(row.container.annotations(), "hash"), "1");
  ASSERT_TRUE(row.pod.has_value());
  EXPECT_EQ(row.pod->name(), "alpha");
  EXPECT_EQ(row.pod->kubernetes_namespace(), "shop");
  EXPECT_EQ(row.pod->uid(), "u-1");
  EXPECT_EQ(row.pod->sandbox(), "5a4d");
  EXPECT_EQ(*FindLabel(row.pod->labels(), "app"), "alpha");
  EXPECT_EQ(*FindLabel(row.pod->annotations(), "team"), "shop");
  // Its pod is known from then on.
  ASSERT_THAT(client->Inspect({"k8s.io", "c001"}, LimitsFor()), IsOk());
  EXPECT_EQ(containerd.Calls("Containers/Get"), 3);
}

TEST(ContainerdClient, RefusesListsThatAreNone) {
  FakeContainerd containerd;
  containerd.Start(kWeb);
  const auto client = MakeContainerdClient(containerd.connector());
  struct Case {
    const char* method;
    std::string answer;
    absl::StatusCode code;
  };
  for (const Case& c : {
           Case{"Namespaces/List", "\x0a\xff", absl::StatusCode::kDataLoss},
           // A namespace that cannot be asked for.
           Case{"Namespaces/List", "\x0a\x04\x0a\x02\x1b\x80", absl::StatusCode::kInvalidArgument},
           Case{"Tasks/List", "\x0a\x02\x0a\x05", absl::StatusCode::kDataLoss},
           Case{"Containers/ListStream", "garbage", absl::StatusCode::kDataLoss},
       }) {
    containerd.Answer(c.method, [answer = c.answer](FakeGrpcCall& call) {
      call.Send(answer);
      return absl::OkStatus();
    });
    absl::Status status;
    NamesListed(*client, &status);
    EXPECT_THAT(status, StatusIs(c.code)) << c.method;
    containerd.Answer(c.method, nullptr);
  }
}

TEST(ContainerdClient, PassesOnWhyItIsRefused) {
  FakeContainerd containerd;
  containerd.Answer("Version", [](FakeGrpcCall&) { return absl::PermissionDeniedError("no"); });
  const auto client = MakeContainerdClient(containerd.connector());

  EXPECT_THAT(client->Identify(LimitsFor()),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "containerd.services.version.v1.Version/Version: no"));
}

TEST(ContainerdClient, ReadsListsWithoutEndInBoundedMemory) {
  FakeContainerd containerd;
  containerd.Start(kWeb);
  containerd.Answer("ListStream", [](FakeGrpcCall& call) {
    ::containerd::services::containers::v1::ListContainerMessage message;
    message.mutable_container()->set_id("other");
    message.mutable_container()->set_image(std::string(1 << 20, 'x'));
    while (call.Send(message.SerializeAsString())) {
    }
    return absl::OkStatus();
  });
  const auto client = MakeContainerdClient(containerd.connector());
  CallLimits limits = LimitsFor();
  limits.max_bytes = 20 << 20;

  EXPECT_THAT(client->List(limits, [](EngineRow) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("an answer too long")));
}

TEST(ContainerdClient, TakesNoMemoryForAMillionOfNothing) {
  FakeContainerd containerd;
  containerd.Start(kWeb);
  containerd.Answer("Tasks/List", [](FakeGrpcCall& call) {
    // Each of them two bytes; parsed as a whole they take a hundred times as much.
    std::string tasks;
    for (int i = 0; i < 2'000'000; ++i) tasks += std::string("\x0a\0", 2);
    call.Send(tasks);
    return absl::OkStatus();
  });
  const auto client = MakeContainerdClient(containerd.connector());
  struct rusage before = {};
  getrusage(RUSAGE_SELF, &before);

  EXPECT_THAT(client->List(LimitsFor(), [](EngineRow) { return absl::OkStatus(); }), IsOk());

  struct rusage after = {};
  getrusage(RUSAGE_SELF, &after);
  // Of the peak, which the server is part of.
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100 << 10);
}

}  // namespace
}  // namespace nsctl::engines::containerd
