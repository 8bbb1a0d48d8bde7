#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "engines/containerd/containerd_messages.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/cri/cri_messages.h"
#include "engines/cri/runtime.pb.h"
#include "engines/docker/docker_messages.h"
#include "engines/engine_client.h"
#include "engines/incus/incus_messages.h"
#include "engines/json_text.h"
#include "engines/lxc/lxc_messages.h"
#include "engines/machined/machined_messages.h"
#include "engines/machined/varlink.h"
#include "engines/podman/podman_messages.h"
#include "engines/protobuf_fields.h"

namespace {

using nsctl::engines::EngineEvent;
using nsctl::engines::EngineRow;
using nsctl::engines::ParseMessage;

void Check(const EngineRow& row) {
  if (row.container.id().empty() || row.container.name().empty()) std::abort();
  for (const std::string& text : {row.container.id(), row.container.name()}) {
    if (!nsctl::base::DecodeText(text).has_value()) std::abort();
  }
  // Text that is not UTF-8 would be lost here.
  nsctl::engines::Container again;
  if (!again.ParseFromString(row.container.SerializeAsString())) std::abort();
  for (const auto* labels : {&row.container.labels(), &row.container.annotations()}) {
    for (int i = 1; i < labels->size(); ++i) {
      if ((*labels)[i - 1].name() >= (*labels)[i].name()) std::abort();
    }
  }
  if (row.pod.has_value() && row.pod->id() != row.container.pod()) std::abort();
}

void Check(const std::optional<EngineEvent>& event) {
  if (event.has_value() && event->kind != EngineEvent::Kind::kLost && event->container.id.empty()) {
    std::abort();
  }
}

void CheckIncus(const nsctl::engines::Json& json) {
  namespace incus = nsctl::engines::incus;
  if (const auto instance = incus::InstanceOf(json); instance.ok()) {
    Check(instance->row);
    if (instance->name.name != instance->row.container.name()) std::abort();
  }
  if (const auto server = incus::ServerOf(json); server.ok()) {
    nsctl::engines::Engine again;
    if (!again.ParseFromString(server->engine.SerializeAsString())) std::abort();
  }
  const auto event = incus::EventOf(json);
  if (!event.has_value() || event->kind == EngineEvent::Kind::kLost) return;
  if (event->instance.name.empty() || event->instance.project.empty()) std::abort();
  const auto path = incus::InstancePath(event->instance);
  // One path, one query.
  if (path.has_value() && (std::count(path->begin(), path->end(), '/') != 3 ||
                           std::count(path->begin(), path->end(), '?') != 1)) {
    std::abort();
  }
}

void CheckJson(absl::string_view text) {
  const auto json = nsctl::engines::ParseJson(text);
  if (!json.ok()) return;
  for (const auto& row :
       {nsctl::engines::docker::RowOfList(*json), nsctl::engines::docker::RowOfInspection(*json),
        nsctl::engines::podman::RowOfList(*json), nsctl::engines::podman::RowOfInspection(*json)}) {
    if (row.ok()) Check(*row);
  }
  Check(nsctl::engines::docker::EventOf(*json));
  Check(nsctl::engines::podman::EventOf(*json));
  nsctl::engines::podman::PodOf(*json);
  CheckIncus(*json);
  if (const auto row = nsctl::engines::machined::RowOfMachine(*json)) Check(*row);
}

// Whole, and one byte after the other, which must be the same.
void CheckVarlink(absl::string_view bytes) {
  std::vector<std::string> whole;
  std::vector<std::string> pieces;
  nsctl::engines::machined::VarlinkFramer framer(1024);
  const absl::Status status = framer.Feed(bytes, [&whole](absl::string_view message) {
    whole.emplace_back(message);
    (void)nsctl::engines::machined::ParseVarlinkReply(message);
    return absl::OkStatus();
  });
  nsctl::engines::machined::VarlinkFramer slow(1024);
  absl::Status slow_status;
  for (size_t i = 0; i < bytes.size() && slow_status.ok(); ++i) {
    slow_status = slow.Feed(bytes.substr(i, 1), [&pieces](absl::string_view message) {
      pieces.emplace_back(message);
      return absl::OkStatus();
    });
  }
  if (whole != pieces || status.ok() != slow_status.ok()) std::abort();
  if (const auto row = nsctl::engines::machined::RowOfStateFile(bytes)) Check(*row);
}

// A reply of a monitor: its head, and text.
void CheckLxc(absl::string_view bytes) {
  namespace lxc = nsctl::engines::lxc;
  const auto head = lxc::ParseReplyHead(bytes.substr(0, lxc::kReplyHeadSize));
  if (!head.ok()) return;
  if (head->size > (1 << 16)) std::abort();
  const std::string text(bytes.substr(lxc::kReplyHeadSize));
  // LXC itself has no container without a name.
  Check(lxc::RowOf({.name = text.empty() ? "web" : text,
                    .state = head->value,
                    .init_pid = head->value,
                    .config = {{"lxc.group", text}, {"lxc.idmap", text}}}));
}

// Reads `bytes` as the message that `row_of` takes.
template <typename Message, typename RowOf>
void CheckMessage(absl::string_view bytes, const RowOf& row_of) {
  Message message;
  if (!ParseMessage(bytes, &message).ok()) return;
  if (const auto row = row_of(message); row.ok()) Check(*row);
}

void CheckMessages(absl::string_view bytes) {
  namespace containers = ::containerd::services::containers::v1;
  namespace cri = nsctl::engines::cri;
  ::containerd::services::tasks::v1::Process task;
  const bool is_task = ParseMessage(bytes, &task).ok();
  CheckMessage<containers::Container>(bytes, [&](const auto& container) {
    return nsctl::engines::containerd::RowOf("k8s.io", container, is_task ? &task : nullptr);
  });
  CheckMessage<::runtime::v1::Container>(bytes, cri::RowOfContainer);
  CheckMessage<::runtime::v1::PodSandbox>(bytes, cri::RowOfSandbox);
  CheckMessage<::runtime::v1::ContainerStatusResponse>(bytes, cri::RowOfStatus);
  CheckMessage<::runtime::v1::PodSandboxStatusResponse>(bytes, cri::RowOfSandboxStatus);
  Check(nsctl::engines::containerd::EventReader().Read(bytes));
  Check(cri::EventOf(bytes));
}

}  // namespace

// Whatever an engine sends is a row with an identity and labels in order, an event, or refused.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckJson(bytes);
  CheckVarlink(bytes);
  CheckLxc(bytes);
  CheckMessages(bytes);
  return 0;
}
