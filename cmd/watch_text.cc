#include "cmd/watch_text.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
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

// Of those that are gone, whose containers may still end.
constexpr size_t kMaxEngines = 1000;

// Digits of a hash are told apart by the first ones.
std::string IdText(const std::string& id) {
  const bool is_hash = id.size() > kShownDigits && std::all_of(id.begin(), id.end(), [](char c) {
                         return absl::ascii_isxdigit(static_cast<unsigned char>(c));
                       });
  return is_hash ? id.substr(0, kShownDigits) : id;
}

std::string WhoText(const Change& change, const EngineNames& names) {
  const Container& container = change.container();
  std::string text =
      absl::StrCat("container ", Quoted(container.name()), " (", IdText(container.id()), ") of ",
                   names.NameOf(container.engine()));
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

std::string KindText(const Change& change, bool is_new) {
  switch (change.kind()) {
    case Change::engine_changed:
      return is_new ? "new" : "changed";
    case Change::engine_gone:
      return "gone";
    default:
      return Change::Kind_IsValid(change.kind()) ? Change::Kind_Name(change.kind()) : "changed";
  }
}

}  // namespace

bool EngineNames::Take(const Engine& engine) {
  const auto [place, is_new] = engines_.try_emplace(engine.key());
  Known& known = place->second;
  const bool was_there = !is_new && !known.is_gone;
  if (was_there && --counts_[known.type] == 0) counts_.erase(known.type);
  known = {.type = engine.type(),
           .is_guest = engine.foreign() || !engine.parent_container().empty(),
           .is_gone = engine.state() == Engine::gone};
  if (!known.is_gone) ++counts_[known.type];
  if (engines_.size() > kMaxEngines) {
    const auto gone = std::find_if(engines_.begin(), engines_.end(),
                                   [](const auto& one) { return one.second.is_gone; });
    if (gone != engines_.end()) engines_.erase(gone);
  }
  return !is_new;
}

std::string EngineNames::NameOf(const std::string& key) const {
  const auto found = engines_.find(key);
  const auto count = found == engines_.end() ? counts_.end() : counts_.find(found->second.type);
  const bool is_one_of_many =
      count != counts_.end() && (count->second > 1 || found->second.is_gone);
  // The type is the first part of the key, and a time behind the PID.
  const bool is_exact = is_one_of_many || (found != engines_.end() && found->second.is_guest);
  return key.substr(0, key.find(is_exact ? '@' : ':'));
}

std::string ChangeText(const Change& change, EngineNames* names) {
  const bool is_new = change.has_engine() && !names->Take(change.engine());
  return base::TerminalText(
      absl::StrCat(WhenText(change), " ", KindText(change, is_new), " ",
                   change.has_container() ? WhoText(change, *names) : EngineText(change)));
}

}  // namespace nsctl::cmd
