#include "cmd/containers_tree.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::HasSubstr;

std::string Draw(const ContainerList& list) {
  StringWriter out;
  PrintContainerTree(list, Presentation(), &out);
  return out.text();
}

size_t CountLines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(PrintContainerTree, DrawsEnginesThatClaimToRunInEachOtherOnce) {
  ContainerList list;
  for (const int i : {0, 1}) {
    const std::string other = absl::StrCat("docker:", 1 - i);
    engines::Engine* const engine = list.add_engines();
    engine->set_key(absl::StrCat("docker:", i));
    engine->set_type(engines::Engine::docker);
    engine->set_state(engines::Engine::ready);
    engine->set_parent(other);
    engine->set_parent_container("a");
    engines::Container* const container = list.add_containers();
    container->set_engine(engine->key());
    container->set_id("a");
  }

  EXPECT_EQ(Draw(list),
            "docker\n"
            "`- \"a\" unknown\n"
            "   `- docker\n"
            "      `- \"a\" unknown\n");
}

TEST(PrintContainerTree, DrawsWhatIsNestedTooDeepAtTheTop) {
  ContainerList list;
  constexpr int kEngines = 20000;
  for (int i = 0; i < kEngines; ++i) {
    engines::Engine* const engine = list.add_engines();
    engine->set_key(absl::StrCat("docker:", i));
    if (i > 0) {
      engine->set_parent(absl::StrCat("docker:", i - 1));
      engine->set_parent_container("a");
    }
    engines::Container* const container = list.add_containers();
    container->set_engine(engine->key());
    container->set_id("a");
  }

  EXPECT_EQ(CountLines(Draw(list)), 2u * kEngines);
}

TEST(PrintContainerTree, DrawsContainersOfUnknownEngines) {
  ContainerList list;
  list.add_containers()->set_engine("\x1b[2J");

  EXPECT_THAT(Draw(list), HasSubstr("\\x1b[2J (unknown engine)\n`- \"\" unknown\n"));
}

}  // namespace
}  // namespace nsctl::cmd
