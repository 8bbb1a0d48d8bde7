#include "engines/runtime_state.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/container.h"
#include "engines/json_member.h"
#include "engines/json_text.h"

namespace nsctl::engines {
namespace {

constexpr size_t kMaxAnnotations = 1000;

// The annotations of the container, "io.example/a=b", and its bundle.
void ReadLabels(const Json& labels, RuntimeState* state) {
  if (!labels.is_array()) return;
  size_t count = 0;
  for (const Json& value : labels) {
    if (++count > kMaxAnnotations) return;
    const std::string text = TextOf(value);
    const size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = text.substr(0, equals);
    if (name != "bundle") SetLabel(name, text.substr(equals + 1), &state->annotations);
  }
}

}  // namespace

absl::StatusOr<RuntimeState> ParseRuntimeState(absl::string_view text) {
  const auto number = [text](absl::string_view name) { return IntOf(ParseMember(text, {name})); };
  RuntimeState state;
  state.id = TextOf(ParseMember(text, {"id"}));
  std::optional<int64_t> pid = number("init_process_pid");
  const bool is_crun = !pid.has_value() && (pid = number("pid")).has_value();
  const int64_t start = number(is_crun ? "process-start-time" : "init_process_start").value_or(0);
  if (pid.value_or(0) < 0 || start < 0 || (!is_crun && state.id.empty())) {
    return absl::InvalidArgumentError("no state of a container");
  }
  state.pid = pid.value_or(0);
  state.start_time = static_cast<uint64_t>(start);
  state.created = TextOf(ParseMember(text, {"created"}));
  if (is_crun) {
    state.id.clear();
  } else {
    ReadLabels(ParseMember(text, {"config", "labels"}), &state);
  }
  return state;
}

}  // namespace nsctl::engines
