#include "engines/evidence_pods.h"

#include <cstdint>
#include <string>

#include "engines/container.h"
#include "engines/engine_client.h"

namespace nsctl::engines {

void TakeAnnotations(EngineRow* row) {
  Container& container = row->container;
  const auto get = [&container](const char* name) -> std::string {
    const std::string* const value = FindLabel(container.annotations(), name);
    return value == nullptr ? "" : *value;
  };
  if (container.name().empty()) container.set_name(get("io.kubernetes.cri.container-name"));
  if (container.name().empty()) container.set_name(get("io.kubernetes.container.name"));
  if (get("io.kubernetes.cri.container-type") == "sandbox") {
    container.set_sandbox(true);
    if (container.name().empty()) container.set_name(get("io.kubernetes.cri.sandbox-name"));
  }
  const std::string sandbox = get("io.kubernetes.cri.sandbox-id");
  if (sandbox.empty()) return;
  if (!row->pod.has_value()) row->pod.emplace();
  row->pod->set_id(sandbox);
  row->pod->set_sandbox(sandbox);
  row->pod->set_name(get("io.kubernetes.cri.sandbox-name"));
  row->pod->set_kubernetes_namespace(get("io.kubernetes.cri.sandbox-namespace"));
  const std::string uid = get("io.kubernetes.cri.sandbox-uid");
  if (!uid.empty()) row->pod->set_uid(uid);
}

void EvidencePods::KeepApart(EngineRow* row) {
  Container& container = row->container;
  if (!row->pod.has_value()) return;
  const int64_t teller = container.foreign() ? container.told_by_uid() : -1;
  const auto place = tellers_.try_emplace({row->pod->native_namespace(), row->pod->id()}, teller);
  if (place.first->second == teller) return;
  row->pod.reset();
  container.clear_pod();
}

}  // namespace nsctl::engines
