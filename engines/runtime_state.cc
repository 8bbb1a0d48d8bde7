#include "engines/runtime_state.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/json_text.h"

namespace nsctl::engines {
namespace {

constexpr size_t kMaxAnnotations = 1000;

// The bundle, and the annotations of the container: "io.example/a=b".
void ReadLabels(const Json& labels, RuntimeState* state) {
  if (!labels.is_array()) return;
  size_t count = 0;
  for (const Json& value : labels) {
    if (++count > kMaxAnnotations) return;
    const std::string text = TextOf(value);
    const size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = text.substr(0, equals);
    if (name == "bundle") {
      state->bundle = text.substr(equals + 1);
    } else {
      SetLabel(name, text.substr(equals + 1), &state->annotations);
    }
  }
}

}  // namespace

absl::StatusOr<RuntimeState> ParseRuntimeState(absl::string_view text) {
  NSCTL_ASSIGN_OR_RETURN(const Json json, ParseJson(text, {.max_bytes = kMaxRuntimeState}));
  RuntimeState state;
  state.created = TextMember(json, "created");
  const bool is_crun = IntMember(json, "pid").has_value();
  const int64_t pid = IntMember(json, is_crun ? "pid" : "init_process_pid").value_or(0);
  const int64_t start =
      IntMember(json, is_crun ? "process-start-time" : "init_process_start").value_or(0);
  if (pid < 0 || start < 0) return absl::InvalidArgumentError("no state of a container");
  state.pid = pid;
  state.start_time = static_cast<uint64_t>(start);
  if (is_crun) {
    state.cgroup = TextMember(json, "cgroup-path");
    state.bundle = TextMember(json, "bundle");
    return state;
  }
  state.id = TextMember(json, "id");
  if (state.id.empty()) return absl::InvalidArgumentError("no state of a container");
  const Json& config = Member(json, "config");
  state.cgroup = TextMember(Member(config, "cgroups"), "path");
  ReadLabels(Member(config, "labels"), &state);
  return state;
}

}  // namespace nsctl::engines
