#include "engines/incus/incus_client.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/fake_http_server.h"
#include "engines/http_client.h"
#include "engines/incus/fake_incus.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::incus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Seconds(30);

CallLimits Limits(absl::Duration time = kLong) { return {.deadline = absl::Now() + time}; }

std::vector<EngineRow> List(EngineClient& client) {
  std::vector<EngineRow> rows;
  EXPECT_THAT(client.List(Limits(),
                          [&rows](EngineRow row) {
                            rows.push_back(std::move(row));
                            return absl::OkStatus();
                          }),
              IsOk());
  return rows;
}

TEST(IncusClient, SaysWhoAnswers) {
  FakeIncus lxd("lxd");
  FakeIncus incus("incus");

  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine first,
                             MakeIncusClient(lxd.connector())->Identify(Limits()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine second,
                             MakeIncusClient(incus.connector())->Identify(Limits()));

  EXPECT_EQ(first.type(), Engine::lxd);
  EXPECT_EQ(first.id(), "0ec795cb");
  EXPECT_EQ(first.version(), "5.0.2");
  EXPECT_EQ(first.api_version(), "1.0");
  EXPECT_EQ(second.type(), Engine::incus);
  EXPECT_EQ(second.version(), "6.0.4");
}

TEST(IncusClient, IsNotAnsweredByOthers) {
  struct Case {
    int status;
    const char* body;
    absl::StatusCode code;
  };
  for (const Case& row : {
           // The socket that instances have, asked from outside.
           Case{500, "pid not in container?", absl::StatusCode::kUnavailable},
           Case{200, R"({"type":"sync","metadata":{"api_version":"1.0","auth":"untrusted"}})",
                absl::StatusCode::kPermissionDenied},
           Case{200, R"({"ID":"ABCD"})", absl::StatusCode::kUnimplemented},
           Case{404, R"({"error":"not here","error_code":404})", absl::StatusCode::kNotFound},
           Case{200, "garbage", absl::StatusCode::kInvalidArgument},
       }) {
    FakeIncus incus;
    incus.Answer("/1.0", [&row](FakeConnection& connection) {
      connection.SendResponse(row.status, row.body);
    });

    EXPECT_THAT(MakeIncusClient(incus.connector())->Identify(Limits()), StatusIs(row.code))
        << row.body;
  }
}

TEST(IncusClient, ListsWhatRunsHereInAllProjects) {
  FakeIncus incus("lxd", "node1");
  for (const char* name : {"web", "shop/web", "stopped", "vm", "elsewhere", "broken"}) {
    incus.Start(name);
  }
  incus.Shutdown("stopped");
  incus.SetMember("vm", "type", "virtual-machine");
  incus.SetMember("elsewhere", "location", "node2");
  incus.SetMember("broken", "status_code", 112);
  const auto client = MakeIncusClient(incus.connector());
  ASSERT_THAT(client->Identify(Limits()), IsOk());

  const std::vector<EngineRow> rows = List(*client);

  std::vector<std::string> told;
  told.reserve(rows.size());
  for (const EngineRow& row : rows) {
    told.push_back(absl::StrCat(row.container.native_namespace(), "/", row.container.name(), " ",
                                row.container.engine_pid(), row.partial ? " partial" : ""));
  }
  EXPECT_THAT(told, ElementsAre("default/broken 0 partial", "default/web 100", "shop/web 101"));
  EXPECT_EQ(incus.Requests("/1.0/instances"), 1);
}

TEST(IncusClient, ListsWhatDoesNotRun) {
  FakeIncus incus;
  incus.Start("web");
  incus.Start("shop/old");
  incus.Shutdown("shop/old");
  const auto client = MakeIncusClient(incus.connector());
  std::vector<std::string> told;

  EXPECT_THAT(client->ListStopped(Limits(),
                                  [&told](const EngineRow& row) {
                                    told.push_back(absl::StrCat(row.container.name(), " ",
                                                                StateName(row.container.state()),
                                                                " ", row.container.engine_pid()));
                                    return absl::OkStatus();
                                  }),
              IsOk());

  EXPECT_THAT(told, ElementsAre("old exited 0"));
}

TEST(IncusClient, InspectsWhatItKnows) {
  FakeIncus incus;
  incus.Start("shop/web");
  const auto client = MakeIncusClient(incus.connector());
  const ContainerId id = {.native_namespace = "shop", .id = incus.IdOf("shop/web")};
  EXPECT_THAT(client->Inspect(id, Limits()), StatusIs(absl::StatusCode::kNotFound));
  List(*client);

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, client->Inspect(id, Limits()));
  EXPECT_EQ(row.container.name(), "web");
  EXPECT_EQ(row.container.engine_pid(), 100);
  EXPECT_FALSE(row.partial);

  // Another one of that name.
  incus.Shutdown("shop/web");
  incus.Remove("shop/web");
  incus.Start("shop/web");
  EXPECT_THAT(client->Inspect(id, Limits()), StatusIs(absl::StatusCode::kNotFound));
  incus.Shutdown("shop/web");
  incus.Remove("shop/web");
  EXPECT_THAT(client->Inspect(id, Limits()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("Instance not found")));
}

TEST(IncusClient, AsksOldDaemonsForStates) {
  FakeIncus incus;
  incus.SetOld(true);
  incus.Start("web");
  const auto client = MakeIncusClient(incus.connector());
  const std::vector<EngineRow> rows = List(*client);
  ASSERT_EQ(rows.size(), 1);
  EXPECT_TRUE(rows[0].partial);

  NSCTL_ASSERT_OK_AND_ASSIGN(
      const EngineRow row,
      client->Inspect({.native_namespace = "default", .id = incus.IdOf("web")}, Limits()));

  EXPECT_EQ(row.container.engine_pid(), 100);
  EXPECT_FALSE(row.partial);
}

TEST(IncusClient, SaysThatAStateIsNotKnown) {
  FakeIncus incus;
  incus.Start("web");
  incus.SetMember("web", "status_code", 112);
  const auto client = MakeIncusClient(incus.connector());
  List(*client);

  EXPECT_THAT(client->Inspect({.native_namespace = "default", .id = incus.IdOf("web")}, Limits()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(IncusClient, ReadsListsWithoutEndInBoundedMemory) {
  FakeIncus incus;
  incus.Answer("/1.0/instances", [](FakeConnection& connection) {
    connection.StartChunks();
    std::string rows;
    for (int i = 0; i < 1000; ++i) rows += R"({"name":"web","status_code":103},)";
    connection.SendChunk(R"({"type":"sync","metadata":[)");
    while (connection.SendChunk(rows)) {
    }
  });
  const auto client = MakeIncusClient(incus.connector());
  CallLimits limits = Limits();
  limits.max_bytes = 4 << 20;
  size_t rows = 0;

  EXPECT_THAT(client->List(limits,
                           [&rows](EngineRow) {
                             ++rows;
                             return absl::OkStatus();
                           }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("body of more than")));
  EXPECT_GT(rows, 20'000);
}

}  // namespace
}  // namespace nsctl::engines::incus
