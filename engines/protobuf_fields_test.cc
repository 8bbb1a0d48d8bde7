#include "engines/protobuf_fields.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engines/container.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

std::string ThreeContainers() {
  Containers containers;
  containers.set_revision(7);
  containers.add_engines()->set_key("docker:1@1");
  for (const char* name : {"a", "b", ""}) containers.add_containers()->set_name(name);
  return containers.SerializeAsString();
}

struct Visited {
  std::vector<std::string> elements;
  absl::Status status;
};

Visited Visit(absl::string_view message, int number) {
  Visited visited;
  visited.status = VisitField(message, number, [&visited](absl::string_view element) {
    visited.elements.emplace_back(element);
    return absl::OkStatus();
  });
  return visited;
}

TEST(ProtobufFields, VisitsTheElementsOfOneField) {
  const Visited visited = Visit(ThreeContainers(), Containers::kContainersFieldNumber);

  EXPECT_THAT(visited.status, IsOk());
  EXPECT_THAT(visited.elements, ElementsAre("\x1a\x01"
                                            "a",
                                            "\x1a\x01"
                                            "b",
                                            ""));
}

TEST(ProtobufFields, FindsNothingInNothing) {
  EXPECT_THAT(Visit("", 3).status, IsOk());
  EXPECT_THAT(Visit("", 3).elements, ElementsAre());
}

TEST(ProtobufFields, TakesAnotherWireTypeForAnotherField) {
  // Field 3 as a number.
  const Visited visited = Visit("\x18\x05", 3);

  EXPECT_THAT(visited.status, IsOk());
  EXPECT_THAT(visited.elements, ElementsAre());
}

TEST(ProtobufFields, RefusesWhatIsCut) {
  const std::string whole = ThreeContainers();
  for (size_t size = 1; size < whole.size(); ++size) {
    const Visited visited = Visit(absl::string_view(whole).substr(0, size), 3);
    Containers parsed;
    EXPECT_EQ(visited.status.ok(), parsed.ParseFromString(whole.substr(0, size))) << size;
  }
  for (const absl::string_view text :
       {"\x1a", "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x1a\xff\xff\xff\xff\x0f", "\x1b",
        "\x07", "\xff\xff\xff\xff\xff\xff"}) {
    EXPECT_THAT(Visit(text, 3).status, StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(ProtobufFields, StopsAtTheVisitorsError) {
  int visits = 0;

  EXPECT_THAT(VisitField(ThreeContainers(), Containers::kContainersFieldNumber,
                         [&visits](absl::string_view) {
                           ++visits;
                           return absl::ResourceExhaustedError("enough");
                         }),
              StatusIs(absl::StatusCode::kResourceExhausted, "enough"));
  EXPECT_EQ(visits, 1);
}

TEST(ProtobufFields, ParsesWhatIsAMessage) {
  Containers containers;

  EXPECT_THAT(ParseMessage(ThreeContainers(), &containers), IsOk());
  EXPECT_EQ(containers.containers_size(), 3);
  EXPECT_THAT(ParseMessage("\x1a\x05", &containers), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ParseMessage(std::string(kMaxParsed + 1, 'x'), &containers),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace nsctl::engines
