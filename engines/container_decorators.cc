#include "engines/container_decorators.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engines/json_text.h"

namespace nsctl::engines {
namespace {

constexpr char kPodName[] = "io.kubernetes.pod.name";
constexpr char kPodNamespace[] = "io.kubernetes.pod.namespace";
constexpr char kPodUid[] = "io.kubernetes.pod.uid";
constexpr char kContainerName[] = "io.kubernetes.container.name";
constexpr char kSandbox[] = "io.kubernetes.sandbox";
constexpr char kAnnotation[] = "io.kubernetes.annotation/";

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxSubdomain = 253;
// Of devcontainer.metadata.
constexpr size_t kMaxMetadata = 1 << 20;

const std::string& ValueOf(const LabelMap& labels, const char* name) {
  static const std::string* const none = new std::string;
  const auto found = labels.find(name);
  return found == labels.end() ? *none : found->second;
}

// As RFC 1123 has it.
bool IsDnsLabel(absl::string_view text) {
  const auto is_part = [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c);
  };
  return !text.empty() && text.size() <= kMaxLabel && is_part(text.front()) &&
         is_part(text.back()) && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
           return is_part(c) || c == '-';
         });
}

bool IsDnsSubdomain(absl::string_view text) {
  if (text.size() > kMaxSubdomain) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  return std::all_of(parts.begin(), parts.end(), IsDnsLabel);
}

absl::string_view LastPart(absl::string_view path) {
  while (absl::EndsWith(path, "/")) path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

// The repository of the codespace that one element of devcontainer.metadata speaks of.
void FindCodespace(const Json& element, bool* is_codespace, std::string* repository) {
  const Json& environment = Member(element, "containerEnv");
  *is_codespace = *is_codespace || TextMember(environment, "CODESPACES") == "true";
  if (repository->empty()) *repository = TextMember(environment, "RepositoryName");
}

}  // namespace

void AddPodLabels(const Container& container, const Pod& pod, LabelMap* labels) {
  if (pod.kubernetes_namespace().empty()) return;
  if (container.sandbox()) {
    for (const Label& label : pod.labels()) labels->emplace(label.name(), label.value());
    for (const Label& one : pod.annotations()) {
      labels->emplace(absl::StrCat(kAnnotation, one.name()), one.value());
    }
    (*labels)[kSandbox] = "";
  }
  (*labels)[kPodName] = pod.name();
  (*labels)[kPodNamespace] = pod.kubernetes_namespace();
  (*labels)[kPodUid] = pod.uid();
  if (container.sandbox()) {
    (*labels)[kContainerName] = container.id();
  } else {
    labels->emplace(kContainerName, container.name());
  }
}

void AddPodmanPodLabels(const Container& container, const Pod& pod, LabelMap* labels) {
  (*labels)[kPodmanPodName] = pod.name();
  (*labels)["io.github.thediveo/podman/podid"] = pod.id();
  if (container.sandbox()) (*labels)["io.github.thediveo/podman/infra"] = "";
}

void AddDockershimLabels(absl::string_view name, LabelMap* labels) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '_');
  if (parts.size() != 6 || parts[0] != "k8s") return;
  const bool is_sandbox = parts[1] == "POD";
  if (!(is_sandbox || IsDnsLabel(parts[1])) || !IsDnsSubdomain(parts[2]) || !IsDnsLabel(parts[3])) {
    return;
  }
  (*labels)[kContainerName] = std::string(parts[1]);
  (*labels)[kPodName] = std::string(parts[2]);
  (*labels)[kPodNamespace] = std::string(parts[3]);
  (*labels)[kPodUid] = std::string(parts[4]);
  if (is_sandbox) (*labels)[kSandbox] = "";
}

std::optional<std::string> PodInLabels(const LabelMap& labels) {
  const std::string& name = ValueOf(labels, kPodName);
  const std::string& ns = ValueOf(labels, kPodNamespace);
  if (name.empty() || ns.empty()) return std::nullopt;
  return absl::StrCat(ns, "/", name);
}

void AddDevcontainerLabels(LabelMap* labels) {
  const std::string& folder = ValueOf(*labels, "devcontainer.local_folder");
  if (!folder.empty()) (*labels)["lxkns.devcontainer.name"] = std::string(LastPart(folder));
  const std::string& metadata = ValueOf(*labels, "devcontainer.metadata");
  if (metadata.empty()) return;
  const absl::StatusOr<Json> json = ParseJson(metadata, {.max_bytes = kMaxMetadata});
  if (!json.ok()) return;
  bool is_codespace = false;
  std::string repository;
  if (json->is_array()) {
    for (const Json& element : *json) FindCodespace(element, &is_codespace, &repository);
  } else {
    FindCodespace(*json, &is_codespace, &repository);
  }
  if (is_codespace && !repository.empty()) (*labels)["lxkns.codespace.name"] = repository;
}

std::optional<std::string> DockerPluginName(const Container& container) {
  if (container.native_namespace() != "plugins.moby") return std::nullopt;
  const std::string* const bundle = FindLabel(container.labels(), "com.docker/engine.bundle.path");
  if (bundle == nullptr || LastPart(*bundle).empty()) return container.id();
  return std::string(LastPart(*bundle));
}

std::optional<std::string> EdgeFlavor(const Container& container) {
  if (container.name() == "edge-iot-core") return kEdgeRuntime;
  const bool is_app = std::any_of(
      container.labels().begin(), container.labels().end(),
      [](const Label& label) { return absl::StartsWith(label.name(), "com_mwp_conf_"); });
  return is_app ? std::optional<std::string>(kEdgeApp) : std::nullopt;
}

}  // namespace nsctl::engines
