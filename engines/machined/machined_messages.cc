#include "engines/machined/machined_messages.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"

namespace nsctl::engines::machined {
namespace {

constexpr int64_t kMicroseconds = 1'000'000;
constexpr int64_t kLastSecond = 253'402'300'799;

// All text is stored text.
struct Machine {
  std::string name;
  std::string kind;
  std::string service;
  std::string id;
  std::string unit;
  std::string root;
  int64_t leader = 0;
  // Microseconds since 1970.
  int64_t since = 0;
};

std::optional<EngineRow> RowOf(const Machine& machine) {
  if (machine.name.empty() || machine.kind != "container") return std::nullopt;
  EngineRow row;
  Container& container = row.container;
  container.set_id(machine.name);
  container.set_name(machine.name);
  container.set_state(Container::running);
  container.set_engine_pid(machine.leader);
  container.set_runtime(machine.service);
  const std::pair<const char*, const std::string&> annotations[] = {
      {"machine.id", machine.id}, {"machine.root", machine.root}, {"machine.unit", machine.unit}};
  for (const auto& [name, value] : annotations) {
    if (!value.empty()) SetLabel(name, value, container.mutable_annotations());
  }
  const int64_t seconds = machine.since / kMicroseconds;
  if (seconds > 0 && seconds <= kLastSecond) {
    container.mutable_started_at()->set_seconds(seconds);
    container.mutable_started_at()->set_nanos(static_cast<int32_t>(machine.since % kMicroseconds) *
                                              1000);
  }
  return row;
}

}  // namespace

std::optional<EngineRow> RowOfMachine(const Json& parameters) {
  Machine machine;
  machine.name = TextMember(parameters, "name");
  machine.kind = TextMember(parameters, "class");
  machine.service = TextMember(parameters, "service");
  machine.id = TextMember(parameters, "id");
  machine.unit = TextMember(parameters, "unit");
  machine.root = TextMember(parameters, "rootDirectory");
  const Json& leader = Member(parameters, "leader");
  machine.leader =
      leader.is_object() ? IntMember(leader, "pid").value_or(0) : IntOf(leader).value_or(0);
  machine.since = IntMember(Member(parameters, "timestamp"), "realtime").value_or(0);
  return RowOf(machine);
}

std::optional<EngineRow> RowOfStateFile(absl::string_view text) {
  Machine machine;
  const std::pair<absl::string_view, std::string*> texts[] = {
      {"NAME", &machine.name}, {"CLASS", &machine.kind}, {"SERVICE", &machine.service},
      {"ID", &machine.id},     {"SCOPE", &machine.unit}, {"ROOT", &machine.root}};
  const std::pair<absl::string_view, int64_t*> numbers[] = {{"LEADER", &machine.leader},
                                                            {"REALTIME", &machine.since}};
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    for (const auto& [key, value] : texts) {
      if (parts.first == key) *value = base::EncodeText(parts.second);
    }
    for (const auto& [key, value] : numbers) {
      if (parts.first == key && !absl::SimpleAtoi(parts.second, value)) *value = 0;
    }
  }
  return RowOf(machine);
}

}  // namespace nsctl::engines::machined
