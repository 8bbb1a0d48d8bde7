#include "engines/told_processes.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "engines/container.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

constexpr int kDocker = 0;
constexpr int kContainerd = 2;

Change Parse(const std::string& text) {
  Change change;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &change)) << text;
  return change;
}

Change Of(const std::string& kind, const std::string& container) {
  return Parse(absl::StrCat("kind: ", kind, " container { pid: 7 start_time: 70 ", container,
                            " } pod { name: 'pod of ", container.substr(7, 1), "' }"));
}

TEST(ToldProcesses, HasOneStartOfEachProcess) {
  ToldProcesses told;
  Change first = Of("started", "name: 'web'");
  Change second = Of("started", "name: 'abc'");

  told.Take(kDocker, &first);
  told.Take(kContainerd, &second);

  EXPECT_EQ(first.kind(), Change::started);
  EXPECT_EQ(second.kind(), Change::updated);
}

TEST(ToldProcesses, HasOneEndOfEachProcess) {
  ToldProcesses told;
  Change started = Of("started", "name: 'web'");
  told.Take(kDocker, &started);
  Change exited = Of("exited", "name: 'web'");
  Change again = exited;

  EXPECT_TRUE(told.TakeEnd(kDocker, &exited));
  EXPECT_FALSE(told.TakeEnd(kContainerd, &again));
  // What is told of the same process anew has an end again.
  told.Take(kDocker, &started);
  EXPECT_TRUE(told.TakeEnd(kDocker, &again));
}

TEST(ToldProcesses, EndsTheContainerThatWasTold) {
  ToldProcesses told;
  Change started = Of("started", "name: 'web' engine: 'd'");
  Change seen = Of("started", "name: 'abc' engine: 'c'");
  told.Take(kDocker, &started);
  told.Take(kContainerd, &seen);
  Change exited = Of("exited", "name: 'abc' engine: 'c' state: exited exit_code: 3");

  ASSERT_TRUE(told.TakeEnd(kContainerd, &exited));

  EXPECT_EQ(exited.container().name(), "web");
  EXPECT_EQ(exited.container().engine(), "d");
  EXPECT_EQ(exited.container().state(), Container::exited);
  EXPECT_EQ(exited.container().exit_code(), 3);
  EXPECT_EQ(exited.pod().name(), "pod of w");
}

TEST(ToldProcesses, KnowsHowAProcessEndedFromWhoeverSaysSo) {
  ToldProcesses told;
  Change started = Of("started", "name: 'web'");
  told.Take(kDocker, &started);
  told.Note(Of("exited", "name: 'abc' exit_code: 3"));
  Change exited = Of("exited", "name: 'web'");

  ASSERT_TRUE(told.TakeEnd(kDocker, &exited));

  EXPECT_EQ(exited.container().exit_code(), 3);
}

TEST(ToldProcesses, RemembersLargeContainersWithoutTheirLabels) {
  ToldProcesses told;
  Change started = Of("started", "name: 'web' labels { name: 'small' value: 'x' }");
  told.Take(kDocker, &started);
  started.mutable_container()->mutable_labels(0)->set_value(std::string(100'000, 'x'));
  Change large = started;
  large.mutable_container()->set_pid(8);
  told.Take(kDocker, &large);
  Change exited = Of("exited", "name: 'abc'");
  Change large_exited = exited;
  large_exited.mutable_container()->set_pid(8);

  ASSERT_TRUE(told.TakeEnd(kContainerd, &exited));
  ASSERT_TRUE(told.TakeEnd(kContainerd, &large_exited));

  EXPECT_EQ(exited.container().labels_size(), 1);
  EXPECT_EQ(large_exited.container().name(), "web");
  EXPECT_EQ(large_exited.container().labels_size(), 0);
}

TEST(ToldProcesses, RemembersSoManyBytes) {
  ToldProcesses told;
  Change started = Of("started", "name: 'web'");
  started.mutable_container()->set_image(std::string(10'000, 'x'));
  for (int32_t pid = 1; pid <= 10'000; ++pid) {
    started.set_kind(Change::started);
    started.mutable_container()->set_pid(pid);
    told.Take(kDocker, &started);
  }

  EXPECT_FALSE(told.IsRunning({1, 70}));
  EXPECT_TRUE(told.IsRunning({10'000, 70}));
}

TEST(ToldProcesses, LetsAllPassThatHasNoProcess) {
  ToldProcesses told;
  Change started = Parse("kind: started container { name: 'web' }");
  Change exited = Parse("kind: exited container { name: 'web' }");
  for (int i = 0; i < 2; ++i) {
    told.Take(kDocker, &started);
    EXPECT_EQ(started.kind(), Change::started);
    EXPECT_TRUE(told.TakeEnd(kDocker, &exited));
  }
}

}  // namespace
}  // namespace nsctl::engines
