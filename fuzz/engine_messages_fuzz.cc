#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "base/text.h"
#include "engines/docker/docker_messages.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"
#include "engines/podman/podman_messages.h"

namespace {

using nsctl::engines::EngineRow;

void Check(const EngineRow& row) {
  if (row.container.id().empty() || row.container.name().empty()) std::abort();
  for (const std::string& text : {row.container.id(), row.container.name()}) {
    if (!nsctl::base::DecodeText(text).has_value()) std::abort();
  }
  // Text that is not UTF-8 would be lost here.
  nsctl::engines::Container again;
  if (!again.ParseFromString(row.container.SerializeAsString())) std::abort();
  const auto& labels = row.container.labels();
  for (int i = 1; i < labels.size(); ++i) {
    if (labels[i - 1].name() >= labels[i].name()) std::abort();
  }
}

}  // namespace

// Whatever an engine sends is a row with an identity and labels in order, an event, or refused.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const auto json =
      nsctl::engines::ParseJson(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!json.ok()) return 0;
  for (const auto& row :
       {nsctl::engines::docker::RowOfList(*json), nsctl::engines::docker::RowOfInspection(*json),
        nsctl::engines::podman::RowOfList(*json), nsctl::engines::podman::RowOfInspection(*json)}) {
    if (row.ok()) Check(*row);
  }
  for (const auto& event :
       {nsctl::engines::docker::EventOf(*json), nsctl::engines::podman::EventOf(*json)}) {
    using Kind = nsctl::engines::EngineEvent::Kind;
    if (event.has_value() && event->kind != Kind::kLost && event->container.id.empty()) {
      std::abort();
    }
  }
  nsctl::engines::podman::PodOf(*json);
  return 0;
}
