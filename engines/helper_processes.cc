#include "engines/helper_processes.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "engines/container.h"

namespace nsctl::engines {
namespace {

using Arguments = absl::Span<const std::string>;

// What follows `flag`, as the next argument or behind "="; "" where it is not there.
std::string ValueOf(Arguments arguments, absl::string_view flag) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    absl::string_view argument = arguments[i];
    if (argument == flag) return i + 1 < arguments.size() ? arguments[i + 1] : "";
    if (absl::ConsumePrefix(&argument, flag) && absl::ConsumePrefix(&argument, "=")) {
      return std::string(argument);
    }
  }
  return "";
}

bool Has(Arguments arguments, absl::string_view flag) {
  return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
}

// containerd-shim-runc-v2 -namespace moby -id ID -address SOCKET
std::optional<HelperProcess> ParseShim(Arguments arguments) {
  HelperProcess helper;
  helper.type = Engine::containerd;
  helper.id = ValueOf(arguments, "-id");
  helper.native_namespace = ValueOf(arguments, "-namespace");
  helper.serves_many = true;
  if (helper.id.empty()) {
    // Of containerd 1.3 and before: -workdir .../NAMESPACE/ID
    const std::string folder = ValueOf(arguments, "-workdir");
    helper.id = folder.substr(folder.rfind('/') + 1);
  }
  if (helper.id.empty()) return std::nullopt;
  return helper;
}

// conmon -c ID -n NAME ...; what follows --exit-command-arg is another program's.
std::optional<HelperProcess> ParseConmon(Arguments arguments) {
  const auto* const end = std::find(arguments.begin(), arguments.end(), "--exit-command-arg");
  const Arguments own = arguments.subspan(0, static_cast<size_t>(end - arguments.begin()));
  if (Has(own, "-e") || Has(own, "--exec")) return std::nullopt;
  HelperProcess helper;
  const std::string exit_command = ValueOf(own, "--exit-command");
  helper.type = absl::StrContains(exit_command, "crio") ? Engine::crio : Engine::podman;
  helper.id = ValueOf(own, "-c");
  if (helper.id.empty()) helper.id = ValueOf(own, "--cid");
  helper.name = ValueOf(own, "-n");
  if (helper.name.empty()) helper.name = ValueOf(own, "--name");
  if (helper.id.empty()) return std::nullopt;
  return helper;
}

// "[lxc monitor] /var/lib/lxc web", one text that the process wrote over its arguments.
std::optional<HelperProcess> ParseLxc(Arguments arguments) {
  if (arguments.empty()) return std::nullopt;
  absl::string_view title = arguments[0];
  if (!absl::ConsumePrefix(&title, "[lxc monitor] ")) return std::nullopt;
  const size_t blank = title.rfind(' ');
  if (blank == absl::string_view::npos || blank + 1 == title.size()) return std::nullopt;
  HelperProcess helper;
  helper.type = Engine::lxc;
  helper.name = std::string(title.substr(blank + 1));
  // Names are unique in a folder alone.
  helper.id = std::string(title.substr(0, blank)) + "/" + helper.name;
  return helper;
}

// Of the options of systemd-nspawn that name a machine, the last of each kind.
struct NspawnNames {
  std::string machine;
  std::string directory;
  std::string image;
};

// "-qbD /srv/root", "-Mweb", "--image=web.raw"; up to the command that is run in it.
NspawnNames ParseNspawnOptions(Arguments arguments) {
  // Those that take a value.
  constexpr absl::string_view kWithValue = "DuLMSZipE";
  NspawnNames names;
  for (size_t i = 1; i < arguments.size(); ++i) {
    absl::string_view rest = arguments[i];
    if (absl::StartsWith(rest, "--") || !absl::ConsumePrefix(&rest, "-")) continue;
    const size_t at = rest.find_first_of(kWithValue);
    if (at == absl::string_view::npos) continue;
    const char option = rest[at];
    rest.remove_prefix(at + 1);
    std::string value(rest);
    if (value.empty() && i + 1 < arguments.size()) value = arguments[++i];
    if (option == 'M') names.machine = value;
    if (option == 'D') names.directory = value;
    if (option == 'i') names.image = value;
  }
  if (names.machine.empty()) names.machine = ValueOf(arguments, "--machine");
  if (names.directory.empty()) names.directory = ValueOf(arguments, "--directory");
  if (names.image.empty()) names.image = ValueOf(arguments, "--image");
  return names;
}

// systemd-nspawn names a machine that nobody named by where its files are.
std::optional<HelperProcess> ParseNspawn(Arguments arguments) {
  const NspawnNames names = ParseNspawnOptions(arguments);
  HelperProcess helper;
  helper.type = Engine::nspawn;
  for (const std::string* const name : {&names.machine, &names.directory, &names.image}) {
    absl::string_view value = *name;
    while (absl::ConsumeSuffix(&value, "/")) {
    }
    value = value.substr(value.rfind('/') + 1);
    if (name == &names.image) absl::ConsumeSuffix(&value, ".raw");
    if (value.empty()) continue;
    helper.name = std::string(value);
    helper.id = helper.name;
    return helper;
  }
  // In the folder that it was started in, whose name its arguments do not say.
  helper.id = "systemd-nspawn";
  return helper;
}

}  // namespace

bool MayBeHelper(absl::string_view name) {
  // LXC's monitor has the name of whatever started the container.
  return name == "containerd-shim" || name == "conmon" || name == "systemd-nspawn" ||
         absl::StartsWith(name, "lx") || absl::StartsWith(name, "incusd") ||
         absl::StartsWith(name, "[lxc");
}

std::optional<HelperProcess> ParseHelper(absl::string_view name,
                                         absl::Span<const std::string> arguments) {
  if (name == "containerd-shim") return ParseShim(arguments);
  if (name == "conmon") return ParseConmon(arguments);
  if (name == "systemd-nspawn") return ParseNspawn(arguments);
  return ParseLxc(arguments);
}

}  // namespace nsctl::engines
