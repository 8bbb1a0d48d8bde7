#include "engines/helper_processes.h"

#include <optional>
#include <string>
#include <vector>

#include "engines/container.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

TEST(ParseHelper, KnowsHelpersOfEngines) {
  struct Case {
    const char* name;
    const char* process;
    std::vector<std::string> arguments;
    HelperProcess helper;
  };
  const Case cases[] = {
      {"shim",
       "containerd-shim",
       {"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "48ac", "-address",
        "/run/containerd/containerd.sock"},
       {.type = Engine::containerd, .id = "48ac", .native_namespace = "moby", .serves_many = true}},
      {"old shim",
       "containerd-shim",
       {"containerd-shim", "-namespace", "moby", "-workdir", "/var/lib/x/moby/48ac"},
       {.type = Engine::containerd, .id = "48ac", .native_namespace = "moby", .serves_many = true}},
      {"podman",
       "conmon",
       {"/usr/bin/conmon", "--api-version", "1", "-c", "f90b", "-u", "f90b", "-r", "/usr/bin/runc",
        "-n", "alpha", "--exit-command", "/usr/bin/podman", "--exit-command-arg", "-n",
        "--exit-command-arg", "wrong"},
       {.type = Engine::podman, .id = "f90b", .name = "alpha"}},
      {"cri-o",
       "conmon",
       {"conmon", "-b", "/run", "-c", "f90b", "--exit-command", "/usr/bin/crio", "-n", "k8s_web"},
       {.type = Engine::crio, .id = "f90b", .name = "k8s_web"}},
      {"lxc",
       "lxc-start",
       {"[lxc monitor] /var/lib/my lxc web"},
       {.type = Engine::lxc, .id = "/var/lib/my lxc/web", .name = "web"}},
      {"nspawn by name",
       "systemd-nspawn",
       {"systemd-nspawn", "-q", "--machine=box", "-D", "/srv/root"},
       {.type = Engine::nspawn, .id = "box", .name = "box"}},
      {"nspawn by joined name",
       "systemd-nspawn",
       {"systemd-nspawn", "-Mbox"},
       {.type = Engine::nspawn, .id = "box", .name = "box"}},
      {"nspawn by folder",
       "systemd-nspawn",
       {"systemd-nspawn", "-D", "/srv/root/"},
       {.type = Engine::nspawn, .id = "root", .name = "root"}},
      {"nspawn with options in one word",
       "systemd-nspawn",
       {"systemd-nspawn", "-qbD", "/srv/root", "-E", "-Mno=1"},
       {.type = Engine::nspawn, .id = "root", .name = "root"}},
      {"nspawn by image",
       "systemd-nspawn",
       {"systemd-nspawn", "--register=no", "-i", "/srv/web.raw"},
       {.type = Engine::nspawn, .id = "web", .name = "web"}},
      {"nspawn by the folder that it was started in",
       "systemd-nspawn",
       {"systemd-nspawn", "-b"},
       {.type = Engine::nspawn, .id = "systemd-nspawn"}},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(ParseHelper(test.process, test.arguments), test.helper) << test.name;
    EXPECT_TRUE(MayBeHelper(test.process)) << test.name;
  }
}

TEST(ParseHelper, KnowsWhatIsNone) {
  struct Case {
    const char* name;
    const char* process;
    std::vector<std::string> arguments;
  };
  const Case cases[] = {
      {"shim without an id", "containerd-shim", {"containerd-shim", "-namespace", "moby"}},
      {"shim that is asked for its address", "containerd-shim", {"containerd-shim", "-id"}},
      {"conmon of a command", "conmon", {"conmon", "-c", "f90b", "-e", "--exec-process-spec", "x"}},
      {"conmon without an id", "conmon", {"conmon", "--exit-command-arg", "-c"}},
      {"lxc's other commands", "lxc-attach", {"lxc-attach", "-n", "web"}},
      {"lxc's monitor of nothing", "lxc-start", {"[lxc monitor] /var/lib/lxc "}},
      {"no arguments", "conmon", {}},
      {"no arguments of lxc", "lxc-start", {}},
  };
  for (const Case& test : cases) {
    EXPECT_FALSE(ParseHelper(test.process, test.arguments).has_value()) << test.name;
  }
  EXPECT_FALSE(MayBeHelper("bash"));
}

}  // namespace
}  // namespace nsctl::engines
