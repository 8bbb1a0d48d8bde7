#include "cmd/watch_text.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/text.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "engines/container.h"

namespace nsctl::cmd {
namespace {

using engines::Change;
using engines::Container;
using engines::Engine;

constexpr size_t kShownDigits = 12;

std::string WhenText(const Change& change) {
  const google::protobuf::Timestamp& time =
      change.has_happened_at() ? change.happened_at() : change.received_at();
  const absl::Time when = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", when, absl::UTCTimeZone());
}

// The type of the engine is the first part of its key.
absl::string_view TypeOf(absl::string_view key) { return key.substr(0, key.find(':')); }

std::string WhoText(const Change& change) {
  const Container& container = change.container();
  std::string text =
      absl::StrCat("container ", Quoted(container.name()), " (",
                   container.id().substr(0, kShownDigits), ") of ", TypeOf(container.engine()));
  if (!container.project().project().empty()) {
    absl::StrAppend(&text, ", project ", Quoted(container.project().project()));
  }
  if (change.has_pod()) absl::StrAppend(&text, ", pod ", Quoted(PodText(change.pod())));
  if (change.kind() == Change::exited) {
    if (container.has_exit_code()) absl::StrAppend(&text, ", status ", container.exit_code());
    if (container.oom_killed()) absl::StrAppend(&text, ", out of memory");
    return text;
  }
  if (container.pid() != 0) absl::StrAppend(&text, ", process ", container.pid());
  const bool is_unusual =
      change.kind() == Change::present && container.state() != Container::running;
  if (change.kind() == Change::updated || is_unusual) {
    absl::StrAppend(&text, ", ", engines::StateName(container.state()));
  }
  return text;
}

std::string EngineText(const Change& change) {
  const Engine& engine = change.engine();
  std::string text = absl::StrCat("engine ", engine.key());
  if (change.kind() == Change::engine_gone) return text;
  absl::StrAppend(&text, ", ", engines::StateName(engine.state()));
  if (!engine.reason().empty()) absl::StrAppend(&text, ": ", engine.reason());
  return text;
}

std::string KindText(const Change& change) {
  switch (change.kind()) {
    case Change::engine_changed:
      return "changed";
    case Change::engine_gone:
      return "gone";
    default:
      return Change::Kind_IsValid(change.kind()) ? Change::Kind_Name(change.kind()) : "changed";
  }
}

}  // namespace

std::string ChangeText(const Change& change) {
  return base::TerminalText(
      absl::StrCat(WhenText(change), " ", KindText(change), " ",
                   change.has_container() ? WhoText(change) : EngineText(change)));
}

}  // namespace nsctl::cmd
