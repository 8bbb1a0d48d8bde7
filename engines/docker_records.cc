#include "engines/docker_records.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "engines/container.h"
#include "engines/http_json.h"
#include "engines/json_text.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

constexpr size_t kIdDigits = 64;
constexpr size_t kMaxRecord = 1 << 20;

}  // namespace

void AddDockerRecord(const procfsroot::Root& root, Container* container) {
  const std::string& id = container->id();
  if (id.size() != kIdDigits || !std::all_of(id.begin(), id.end(), absl::ascii_isxdigit)) return;
  const absl::StatusOr<std::string> text =
      root.ReadFile(absl::StrCat("/var/lib/docker/containers/", id, "/config.v2.json"), kMaxRecord);
  if (!text.ok()) return;
  const absl::StatusOr<Json> record = ParseJson(*text);
  if (!record.ok() || TextMember(*record, "ID") != id) return;
  const std::string name = TextMember(*record, "Name");
  if (name.size() > 1) container->set_name(std::string(absl::StripPrefix(name, "/")));
  const Json& config = Member(*record, "Config");
  container->set_image(TextMember(config, "Image"));
  SetLabels(Member(config, "Labels"), container->mutable_labels());
  const auto project = ProjectOf(container->labels());
  if (project.has_value()) *container->mutable_project() = *project;
}

}  // namespace nsctl::engines
