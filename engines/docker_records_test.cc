#include "engines/docker_records.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/resource_check.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

const std::string kId(64, 'a');

class DockerRecordsTest : public ::testing::Test {
 protected:
  void Write(absl::string_view record) {
    const std::string folder = absl::StrCat(directory_.path(), "/var/lib/docker/containers/", kId);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/config.v2.json") << record;
  }
  std::string Read(const std::string& id) {
    Container container;
    container.set_id(id);
    AddDockerRecord(*procfsroot::Root::OfPath(directory_.path()), &container);
    container.clear_id();
    return container.ShortDebugString();
  }

  testing::TestDirectory directory_;
};

TEST_F(DockerRecordsTest, NamesAContainer) {
  Write(
      absl::StrCat(R"({"ID":")", kId, R"(","Name":"/web","State":{"Pid":7},)",
                   R"("Config":{"Image":"sl:1","Labels":{"com.docker.compose.project":"shop"}}})"));

  EXPECT_EQ(Read(kId),
            "name: \"web\" labels { name: \"com.docker.compose.project\" value: \"shop\" } "
            "image: \"sl:1\" project { kind: compose project: \"shop\" }");
}

TEST_F(DockerRecordsTest, SaysNothingOfWhatIsNone) {
  EXPECT_EQ(Read(kId), "");
  for (const char* record : {"", "[]", "{\"ID\":\"b\",\"Name\":\"/web\"}"}) {
    Write(record);
    EXPECT_EQ(Read(kId), "") << record;
  }
  Write(absl::StrCat(R"({"ID":")", kId, R"(","Name":"/","Config":null})"));
  EXPECT_EQ(Read(kId), "");
  Write(absl::StrCat(R"({"ID":"../)", kId.substr(3), R"(","Name":"/web"})"));
  EXPECT_EQ(Read(absl::StrCat("../", kId.substr(3))), "");
}

}  // namespace
}  // namespace nsctl::engines
