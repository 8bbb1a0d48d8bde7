#include "engines/sorted_labels.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engines/container.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;

struct Entry {
  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }
  std::string key_;
  std::string value_;
};

std::vector<std::string> Texts(const Labels& labels) {
  std::vector<std::string> texts;
  for (const Label& label : labels) texts.push_back(absl::StrCat(label.name(), "=", label.value()));
  return texts;
}

TEST(SortedLabels, AreInOrderAndText) {
  const std::vector<Entry> entries = {{"b", "1"}, {"a\xff", "\\"}, {"b", "2"}, {"", "none"}};

  EXPECT_THAT(Texts(LabelsOf(entries)), ElementsAre("=none", "a\\xff=\\\\", "b=2"));
  EXPECT_THAT(Texts(LabelsOf(std::vector<Entry>())), ElementsAre());
}

TEST(SortedLabels, AreOfBoth) {
  const Labels one = SortedLabels({{"a", "1"}, {"c", "1"}});
  const Labels other = SortedLabels({{"b", "2"}, {"c", "2"}});

  EXPECT_THAT(Texts(Union(one, other)), ElementsAre("a=1", "b=2", "c=2"));
  EXPECT_THAT(Texts(Union(one, {})), ElementsAre("a=1", "c=1"));
}

}  // namespace
}  // namespace nsctl::engines
