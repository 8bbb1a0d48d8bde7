// One assertion per third-party library: its label brings what is needed to
// compile, to link and to run.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/cleanup/cleanup.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "third_party/smoke_test/smoke.grpc.pb.h"
#include "third_party/smoke_test/smoke.pb.h"

namespace nsctl::smoke {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(AbslTest, ContainersHoldWhatWasPutIn) {
  absl::flat_hash_map<std::string, int> hashed = {{"mnt", 1}};
  absl::btree_map<int, std::string> ordered = {{2, "b"}, {1, "a"}};
  absl::InlinedVector<int, 2> few = {1, 2, 3};

  EXPECT_EQ(hashed["mnt"], 1);
  EXPECT_THAT(ordered, ElementsAre(Pair(1, "a"), Pair(2, "b")));
  EXPECT_THAT(absl::MakeConstSpan(few), ElementsAre(1, 2, 3));
}

TEST(AbslTest, StatusKeepsItsPayload) {
  absl::StatusOr<int> result = absl::ErrnoToStatus(ENOENT, "open x");
  absl::Status status = result.status();
  status.SetPayload("nsctl", absl::Cord("payload"));

  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.GetPayload("nsctl"), absl::Cord("payload"));
}

TEST(AbslTest, StringsAndCleanupWork) {
  std::string trace;
  {
    absl::Cleanup last = [&trace] { absl::StrAppend(&trace, "cleanup"); };
    absl::AnyInvocable<void()> first = [&trace, owned = std::make_unique<int>(7)] {
      absl::StrAppendFormat(&trace, "%03d ", *owned);
    };
    std::move(first)();
  }

  EXPECT_EQ(trace, "007 cleanup");
}

TEST(AbslTest, NotificationTimesOut) {
  absl::Notification never;

  EXPECT_FALSE(never.WaitForNotificationWithTimeout(absl::Milliseconds(1)));
  EXPECT_GT(absl::Now(), absl::UnixEpoch());
}

TEST(ProtobufTest, JsonComesBack) {
  Ping ping;
  ping.set_text("hello");
  *ping.mutable_sent() = google::protobuf::util::TimeUtil::SecondsToTimestamp(60);

  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(ping, &json).ok());
  Ping back;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &back).ok());

  EXPECT_EQ(json, R"({"text":"hello","sent":"1970-01-01T00:01:00Z"})");
  EXPECT_EQ(back.SerializeAsString(), ping.SerializeAsString());
}

class EchoService final : public Echo::Service {
  grpc::Status Send(grpc::ServerContext*, const Ping* request, Ping* reply) override {
    *reply = *request;
    return grpc::Status::OK;
  }
};

TEST(GrpcTest, CallComesBack) {
  EchoService service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  std::unique_ptr<Echo::Stub> stub =
      Echo::NewStub(server->InProcessChannel(grpc::ChannelArguments()));
  grpc::ClientContext context;
  Ping request;
  request.set_text("over gRPC");

  Ping reply;
  const grpc::Status status = stub->Send(&context, request, &reply);

  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply.text(), "over gRPC");
  server->Shutdown();
}

TEST(Cli11Test, ParsesAnOption) {
  CLI::App app("smoke");
  int depth = 0;
  app.add_option("--depth", depth);

  app.parse("--depth=3", /*program_name_included=*/false);

  EXPECT_EQ(depth, 3);
}

TEST(JsonTest, ParsesAnObject) {
  const nlohmann::json parsed = nlohmann::json::parse(R"({"inode": 4026531840})");

  EXPECT_EQ(parsed["inode"].get<uint64_t>(), 4026531840u);
}

}  // namespace
}  // namespace nsctl::smoke
