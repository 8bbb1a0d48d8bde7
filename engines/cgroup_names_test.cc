#include "engines/cgroup_names.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "engines/container.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

const std::string kId(64, 'a');
const std::string kOther(64, '7');

TEST(ParseCgroupName, KnowsNamesOfEngines) {
  struct Case {
    const char* name;
    std::string path;
    Engine::Type type;
    std::string id;
    std::string pod_uid = "";
    // Of `path`, what is the container's.
    std::string rest = "";
  };
  const std::string uid = "11111111-2222-3333-4444-555555555501";
  const Case cases[] = {
      {"docker by cgroupfs", "/docker/" + kId, Engine::docker, kId},
      {"docker by systemd", "/system.slice/docker-" + kId + ".scope", Engine::docker, kId},
      {"docker with a parent", "/batch/" + kId, Engine::unspecified, kId},
      {"below a container", "/docker/" + kId + "/init", Engine::docker, kId, "", "/init"},
      {"docker in docker", "/docker/" + kOther + "/docker/" + kId, Engine::docker, kId},
      {"podman by cgroupfs", "/libpod_parent/libpod-" + kId, Engine::podman, kId},
      {"podman by systemd", "/machine.slice/libpod-" + kId + ".scope/container", Engine::podman,
       kId, "", "/container"},
      {"kubernetes by cgroupfs", "/kubepods/burstable/pod" + uid + "/" + kId, Engine::cri, kId,
       uid},
      {"kubernetes by systemd",
       "/kubepods.slice/kubepods-besteffort.slice/"
       "kubepods-besteffort-pod11111111_2222_3333_4444_555555555501.slice/cri-containerd-" +
           kId + ".scope",
       Engine::cri, kId, uid},
      {"cri-o",
       "/kubepods.slice/kubepods-pod11111111_2222_3333_4444_555555555501.slice/crio-" + kId +
           ".scope",
       Engine::crio, kId, uid},
      {"nerdctl", "/system.slice/nerdctl-" + kId + ".scope", Engine::containerd, kId},
      {"lxc", "/lxc.payload.web/init.scope", Engine::lxc, "web", "", "/init.scope"},
      {"old lxc", "/lxc/web", Engine::lxc, "web"},
      {"machined", R"(/machine.slice/machine-my\x2dbox.scope)", Engine::nspawn, "my-box"},
  };
  for (const Case& test : cases) {
    const std::optional<CgroupName> name = ParseCgroupName(test.path);

    ASSERT_TRUE(name.has_value()) << test.name;
    EXPECT_EQ(*name, (CgroupName{.type = test.type,
                                 .id = test.id,
                                 .pod_uid = test.pod_uid,
                                 .path = test.path.substr(0, test.path.size() - test.rest.size())}))
        << test.name;
  }
}

TEST(ParseCgroupName, KnowsWhatIsNone) {
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/system.slice/ssh.service"),
        std::string("/user.slice/user-1000.slice/session-1.scope"), std::string("/lxc.monitor.web"),
        std::string("/lxc.payload."), std::string("/lxc/"), std::string("/docker"),
        // Too short, too long, and no digits of ours.
        "/docker/" + kId.substr(1), "/docker/" + kId + "a", "/docker/" + std::string(64, 'A'),
        // Helpers.
        "/machine.slice/libpod-conmon-" + kId + ".scope", std::string("/machine.slice"),
        std::string("/default/alpha")}) {
    EXPECT_FALSE(ParseCgroupName(path).has_value()) << path;
  }
}

TEST(ParseCgroupName, TakesAnyBytes) {
  for (const char* path : {R"(/machine.slice/machine-\x.scope)", R"(/a/machine-\xzz.scope)",
                           "/lxc.payload.\x01\xff", "//////", "/pod/pod-pod"}) {
    (void)ParseCgroupName(path);
  }
  EXPECT_EQ(ParseCgroupName(R"(/machine-\x)"), std::nullopt);
  EXPECT_EQ(ParseCgroupName(R"(/machine-\x2.scope)")->id, R"(\x2)");
  EXPECT_EQ(ParseCgroupName("/lxc.payload.\xff")->id, "\xff");
}

}  // namespace
}  // namespace nsctl::engines
