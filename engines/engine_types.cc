#include "engines/engine_types.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engines/container.h"
#include "engines/containerd/containerd_client.h"
#include "engines/cri/cri_client.h"
#include "engines/docker/docker_client.h"
#include "engines/incus/incus_client.h"
#include "engines/machined/machined_client.h"
#include "engines/podman/podman_client.h"

namespace nsctl::engines {
namespace {

using containerd::MakeContainerdClient;
using cri::MakeCriClient;
using docker::MakeDockerClient;
using incus::MakeIncusClient;
using machined::MakeMachinedClient;
using podman::MakePodmanClient;

// Each container has a monitor of the same program, "[lxc monitor] FOLDER NAME", and some have
// helpers, "lxd forkproxy ...". The service has options alone.
bool IsIncusService(absl::Span<const std::string> arguments) {
  return !arguments.empty() && !absl::StartsWith(arguments[0], "[") &&
         (arguments.size() == 1 || absl::StartsWith(arguments[1], "-"));
}

constexpr EngineKind kKinds[] = {
    {.type = Engine::docker,
     .program = "dockerd",
     .socket = "docker.sock",
     .make_client = MakeDockerClient},
    // Docker for small devices, under other names.
    {.type = Engine::docker,
     .program = "balena-engine-daemon",
     .socket = "balena-engine.sock",
     .make_client = MakeDockerClient},
    {.type = Engine::docker,
     .program = "balenad",
     .socket = "balena-engine.sock",
     .make_client = MakeDockerClient},
    {.type = Engine::containerd,
     .program = "containerd",
     .socket = "containerd.sock",
     .make_client = MakeContainerdClient},
    {.type = Engine::crio, .program = "crio", .socket = "crio.sock", .make_client = MakeCriClient},
    {.type = Engine::cri,
     .program = "cri-dockerd",
     .socket = "cri-dockerd.sock",
     .make_client = MakeCriClient},
    {.type = Engine::podman,
     .program = "podman",
     .argument = "service",
     .socket = "podman.sock",
     .activated = true,
     .make_client = MakePodmanClient},
    {.type = Engine::incus,
     .program = "incusd",
     .is_service = IsIncusService,
     .socket = "unix.socket",
     .make_client = MakeIncusClient},
    {.type = Engine::lxd,
     .program = "lxd",
     .is_service = IsIncusService,
     .socket = "unix.socket",
     .make_client = MakeIncusClient},
    {.type = Engine::nspawn,
     .program = "systemd-machined",
     .socket = "io.systemd.Machine",
     .make_client_at = MakeMachinedClient},
};

// TASK_COMM_LEN without its NUL.
constexpr size_t kLongestName = 15;

}  // namespace

absl::Span<const EngineKind> EngineKinds() { return kKinds; }

std::vector<const EngineKind*> KindsOfProgram(absl::Span<const EngineKind> kinds,
                                              absl::string_view name,
                                              absl::string_view executable) {
  std::vector<const EngineKind*> result;
  for (const EngineKind& kind : kinds) {
    const absl::string_view program = kind.program;
    if (name == program.substr(0, kLongestName) || executable == program) result.push_back(&kind);
  }
  return result;
}

}  // namespace nsctl::engines
