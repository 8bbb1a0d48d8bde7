#include "cmd/placeholder.h"

#include "absl/strings/strip.h"

namespace nsctl::cmd {

Placeholder ParsePlaceholder(absl::string_view type_name) {
  Placeholder placeholder;
  placeholder.optional =
      absl::ConsumePrefix(&type_name, "[") && absl::ConsumeSuffix(&type_name, "]");
  placeholder.list = absl::ConsumeSuffix(&type_name, ",...");
  placeholder.word = std::string(type_name);
  return placeholder;
}

Placeholder PlaceholderOf(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return {};
  return ParsePlaceholder(option.get_type_name());
}

}  // namespace nsctl::cmd
