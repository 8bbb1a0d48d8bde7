#include "engines/json_list_member.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

constexpr size_t kMaxValue = 100;

// The elements apart by '|', and the error.
std::string Elements(absl::string_view text, size_t step) {
  JsonListMember list("metadata", kMaxValue);
  std::vector<std::string> elements;
  const auto visit = [&elements](absl::string_view element) {
    elements.emplace_back(element);
    return absl::OkStatus();
  };
  absl::Status status;
  while (status.ok() && !text.empty()) {
    status = list.Feed(text.substr(0, step), visit);
    text.remove_prefix(step < text.size() ? step : text.size());
  }
  if (status.ok()) status = list.Finish();
  return absl::StrCat(absl::StrJoin(elements, "|"), status.ok() ? "" : " ", status.message());
}

TEST(JsonListMember, FindsElementsHoweverBytesAreCut) {
  struct Case {
    std::string name;
    std::string text;
    std::string elements;
  };
  const std::string long_value(kMaxValue, 'x');
  for (const Case& row : {
           Case{"real",
                R"({"type":"sync","status":"Success","status_code":200,"operation":"",)"
                R"("error_code":0,"error":"","metadata":[{"name":"a"},{"name":"b"}]})"
                "\n",
                R"({"name":"a"}|{"name":"b"})"},
           Case{"not the last", R"({"metadata":[1,[2,3]],"x":[4]})", "1|[2,3]"},
           Case{"spaces", "{ \"metadata\" : [ 1 , 2 ] }", "1|2"},
           Case{"empty", R"({"metadata":[]})", ""},
           Case{"null", R"({"metadata":null})", ""},
           Case{"text like the name", R"({"a":"metadata","metadata":["}",",\"]"]})",
                R"("}"|",\"]")"},
           Case{"deeper", R"({"x":{"metadata":[1]},"metadata":[2]})", "2"},
           Case{"twice", R"({"metadata":[1],"metadata":[2]})", "1"},
           Case{"a longer name", R"({"metadata2":[1],"metadata":[2]})", "2"},
           Case{"escaped quote in a name", R"({"\"metadata":[1],"metadata":[2]})", "2"},
           Case{"no member", R"({"x":[1]})", " has no member metadata"},
           Case{"no list", R"({"metadata":{"a":1}})", " is not a JSON array"},
           Case{"no object", R"([1])", " is not a JSON object"},
           Case{"nothing", "", " JSON object is cut short"},
           Case{"cut in the list", R"({"metadata":[1,2)", "1 JSON object is cut short"},
           Case{"cut behind the list", R"({"metadata":[1])", "1 JSON object is cut short"},
           Case{"more behind", R"({"metadata":[1]} x)", "1 is not a JSON object"},
           Case{"long", absl::StrCat(R"({"metadata":[")", long_value, "\"]}"),
                " JSON value of more than 100 bytes"},
       }) {
    for (const size_t step : {row.text.size() + 1, size_t{1}, size_t{3}}) {
      EXPECT_EQ(Elements(row.text, step), row.elements) << row.name << " by " << step;
    }
  }
}

TEST(JsonListMember, EndsWithItsVisitor) {
  JsonListMember list("a", kMaxValue);

  const absl::Status status = list.Feed(R"({"a":[1,2]})", [](absl::string_view element) {
    return absl::CancelledError(std::string(element));
  });

  EXPECT_EQ(status, absl::CancelledError("1"));
}

}  // namespace
}  // namespace nsctl::engines
