// A real containerd with its plugin for Kubernetes, from the distribution's packages, with pods as
// a kubelet makes them: by its own interface, and by Kubernetes'.

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/containerd/containerd_client.h"
#include "engines/cri/cri_client.h"
#include "engines/cri/kubelet.h"
#include "engines/engine_link.h"
#include "engines/engine_watcher.h"
#include "engines/http_client.h"
#include "engines/test_real_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/root.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::cri {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using ::testing::UnorderedElementsAre;

constexpr char kSocket[] = "/run/containerd/containerd.sock";
constexpr char kImage[] = "docker.io/nsctl/busybox:1";

// Makes an image of the folder $1 named $2 in the archive $3, which a runtime can import: a layer,
// a configuration, a manifest, an index. Each is named by its digest.
constexpr char kMakeImage[] = R"(set -e
work=$(mktemp -d "$3.XXXXXX"); mkdir -p "$work/blobs/sha256"
add() { digest=$(sha256sum <"$1" | cut -d' ' -f1); size=$(stat -c %s "$1")
  mv "$1" "$work/blobs/sha256/$digest"; }
tar -C "$1" --owner=0 --group=0 -cf "$work/new" .; add "$work/new"; layer=$digest layer_size=$size
printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sleep","100000"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" >"$work/new"
add "$work/new"; config=$digest config_size=$size
type=application/vnd.oci.image
printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"%s.layer.v1.tar","digest":"sha256:%s","size":%s}]}' "$type" "$type" "$config" "$config_size" "$type" "$layer" "$layer_size" >"$work/new"
add "$work/new"
printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"io.containerd.image.name":"%s"}}]}' "$type" "$digest" "$size" "$2" >"$work/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$work/oci-layout"
tar -C "$work" -cf "$3" oci-layout index.json blobs)";

class CriEngineTest : public RealEngineTest {
 protected:
  void SetUp() override {
    for (const char* program : {"/usr/bin/containerd", "/usr/lib/cni/ptp"}) {
      ASSERT_EQ(access(program, X_OK), 0) << program << ": tools/test --engines installs it";
    }
    ASSERT_NO_FATAL_FAILURE(RealEngineTest::SetUp());
    ASSERT_THAT(sandbox_->MakeBusyboxTar(), IsOk());
    ASSERT_THAT(StartDaemon(), IsOk());
    const std::string archive = sandbox_->folder() + "/image.tar";
    ASSERT_THAT(sandbox_->Run({"sh", "-c", kMakeImage, "sh", sandbox_->folder() + "/busybox",
                               kImage, archive}),
                IsOk());
    ASSERT_THAT(Ctr({"images", "import", archive}), IsOk());
    // The plugin takes notice a moment later.
    ASSERT_TRUE(AwaitMinute([this] {
      const auto images = Ctr({"images", "ls"});
      return images.ok() && absl::StrContains(*images, "io.cri-containerd.image=managed");
    }));
  }

  void TearDown() override {
    second_.reset();
    watcher_.reset();
    if (kubelet_ == nullptr) return;
    EXPECT_THAT(kubelet_->RemoveAllPods(), IsOk());
  }

  absl::Status WriteFile(const std::string& path, const std::string& text) {
    return sandbox_
        ->Run({"sh", "-c", "mkdir -p \"${1%/*}\" && printf %s \"$2\" >\"$1\"", "sh", path, text})
        .status();
  }

  absl::Status StartDaemon() {
    const std::string& folder = sandbox_->folder();
    NSCTL_RETURN_IF_ERROR(WriteFile(
        "/run/containerd.toml",
        absl::StrCat("version = 2\nroot = \"", folder,
                     "/data\"\n[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"", kImage,
                     "\"\nrestrict_oom_score_adj = true\ndisable_apparmor = true\n",
                     "netns_mounts_under_state_dir = true\n",
                     "[plugins.\"io.containerd.grpc.v1.cri\".cni]\nbin_dir = \"/usr/lib/cni\"\n",
                     "conf_dir = \"", folder, "/cni\"\n")));
    NSCTL_RETURN_IF_ERROR(WriteFile(
        folder + "/cni/10-nsctl.conflist",
        absl::StrCat(R"({"cniVersion":"0.4.0","name":"nsctl","plugins":[{"type":"ptp","ipam":)",
                     R"({"type":"host-local","subnet":"10.211.0.0/24","dataDir":")", folder,
                     R"(/ipam"}}]})")));
    NSCTL_RETURN_IF_ERROR(
        sandbox_->Start({"containerd", "--config=/run/containerd.toml"}).status());
    NSCTL_ASSIGN_OR_RETURN(procfsroot::Root root,
                           procfsroot::Root::OfProcess(procfs_, sandbox_->init()));
    kubelet_link_ = std::make_unique<EngineLink>(procfs_, std::move(root), kSocket);
    kubelet_ = std::make_unique<Kubelet>([this] { return kubelet_link_->Connect(); }, kImage,
                                         absl::StrCat("/", sandbox_->cgroup(), "/pods"));
    if (AwaitMinute([this] { return kubelet_->IsReady(); })) return absl::OkStatus();
    return absl::DeadlineExceededError("the plugin for Kubernetes does not answer");
  }

  absl::StatusOr<std::string> Ctr(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"ctr", "--namespace", "k8s.io"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return sandbox_->Run(command);
  }

  void Watch() {
    RealEngineTest::Watch(kSocket, Engine::containerd, containerd::MakeContainerdClient);
  }

  void WatchKubernetesInterface() {
    RealEngineTest::Watch(kSocket, Engine::cri,
                          [](Connector connect) { return MakeCriClient(std::move(connect)); });
  }

  // "ID PID" of each container.
  std::vector<std::string> KnownToUs() {
    return Known([this](const Container& container) {
      return absl::StrCat(container.id(), " ", InSandbox(container.pid()));
    });
  }
  std::vector<std::string> KnownToCtr() {
    std::string known;
    const auto tasks = Ctr({"tasks", "ls"});
    EXPECT_THAT(tasks, IsOk());
    for (const absl::string_view line : absl::StrSplit(tasks.ok() ? *tasks : "", '\n')) {
      const std::vector<absl::string_view> words =
          absl::StrSplit(line, ' ', absl::SkipWhitespace());
      if (words.size() != 3 || words[0] == "TASK" || words[2] == "STOPPED") continue;
      absl::StrAppend(&known, words[0], " ", words[1], "\n");
    }
    return SortedLines(known);
  }

  // A pod with its own network and two containers, and one with the node's and one container.
  void RunPods() {
    NSCTL_ASSERT_OK_AND_ASSIGN(alpha_, kubelet_->RunPod("alpha", /*host_network=*/false));
    NSCTL_ASSERT_OK_AND_ASSIGN(main_, kubelet_->RunContainer(alpha_, "main", kCommand));
    NSCTL_ASSERT_OK_AND_ASSIGN(side_, kubelet_->RunContainer(alpha_, "side", kCommand));
    NSCTL_ASSERT_OK_AND_ASSIGN(beta_, kubelet_->RunPod("beta", /*host_network=*/true));
    NSCTL_ASSERT_OK_AND_ASSIGN(other_, kubelet_->RunContainer(beta_, "main", kCommand));
  }

  void ExpectPods(const Containers& current, const std::string& native_namespace) {
    ASSERT_EQ(current.containers_size(), 5) << current.DebugString();
    for (const Container& container : current.containers()) {
      EXPECT_EQ(container.native_namespace(), native_namespace);
      EXPECT_EQ(container.sandbox(), container.id() == alpha_ || container.id() == beta_);
      const bool of_beta = container.id() == beta_ || container.id() == other_;
      EXPECT_EQ(container.pod(), of_beta ? beta_ : alpha_);
      EXPECT_EQ(container.cgroup(),
                absl::StrCat("/", sandbox_->cgroup(), "/pods/", container.id()));
      if (container.sandbox()) continue;
      EXPECT_EQ(container.name(), container.id() == side_ ? "side" : "main");
      EXPECT_EQ(container.image(), kImage);
      EXPECT_TRUE(container.has_privileged() && !container.privileged());
      const std::string* const hash =
          FindLabel(container.annotations(), "io.kubernetes.container.hash");
      ASSERT_NE(hash, nullptr);
      EXPECT_EQ(*hash, "1");
      EXPECT_EQ(FindLabel(container.labels(), "io.kubernetes.container.hash"), nullptr);
    }
    ASSERT_EQ(current.pods_size(), 2) << current.DebugString();
    for (const Pod& pod : current.pods()) {
      const std::string name = pod.id() == alpha_ ? "alpha" : "beta";
      EXPECT_EQ(pod.name(), name);
      EXPECT_EQ(pod.kubernetes_namespace(), "shop");
      EXPECT_EQ(pod.uid(), absl::StrCat("uid-of-", name));
      EXPECT_EQ(pod.sandbox(), pod.id());
      EXPECT_EQ(*FindLabel(pod.labels(), "app"), name);
      EXPECT_EQ(*FindLabel(pod.annotations(), "team"), "shop");
    }
  }

  const std::vector<std::string> kCommand = {"/bin/sleep", "100000"};
  std::unique_ptr<EngineLink> kubelet_link_;
  std::unique_ptr<Kubelet> kubelet_;
  std::unique_ptr<EngineLink> second_link_;
  std::unique_ptr<EngineWatcher> second_;
  std::string alpha_;
  std::string beta_;
  std::string main_;
  std::string side_;
  std::string other_;
};

TEST_F(CriEngineTest, KnowsPodsByContainerdsOwnInterface) {
  ASSERT_NO_FATAL_FAILURE(RunPods());

  Watch();

  EXPECT_EQ(KnownToUs(), KnownToCtr());
  ExpectPods(hub_.Current(), "k8s.io");
}

TEST_F(CriEngineTest, KnowsPodsByKubernetesInterface) {
  ASSERT_NO_FATAL_FAILURE(RunPods());

  WatchKubernetesInterface();

  EXPECT_EQ(KnownToUs(), KnownToCtr());
  ExpectPods(hub_.Current(), "");
  EXPECT_TRUE(absl::StartsWith(hub_.Current().engines(0).version(), "containerd "));
}

TEST_F(CriEngineTest, TellsWhatAKubeletDoes) {
  Watch();
  NSCTL_ASSERT_OK_AND_ASSIGN(alpha_, kubelet_->RunPod("alpha", /*host_network=*/true));
  // The pod's own container has the pod's name.
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started alpha"));
  NSCTL_ASSERT_OK_AND_ASSIGN(main_, kubelet_->RunContainer(alpha_, "main", kCommand));
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started main"));
  // Kubernetes has no word for it.
  ASSERT_THAT(Ctr({"tasks", "pause", main_}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("paused main"));
  ASSERT_THAT(Ctr({"tasks", "resume", main_}), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("unpaused main"));
  ASSERT_THAT(kubelet_->StopContainer(main_), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited main 137"));
  ASSERT_THAT(kubelet_->RemoveContainer(main_), IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(side_, kubelet_->RunContainer(alpha_, "side", kCommand));
  EXPECT_THAT(AwaitChanges(1), ElementsAre("started side"));
  ASSERT_THAT(kubelet_->RemovePod(alpha_), IsOk());
  EXPECT_THAT(AwaitChanges(2), UnorderedElementsAre("exited side 137", "exited alpha 137"));
  EXPECT_EQ(KnownToUs(), KnownToCtr());
}

TEST_F(CriEngineTest, FollowsKubernetesInterfaceWithoutItsEvents) {
  WatchKubernetesInterface();
  NSCTL_ASSERT_OK_AND_ASSIGN(alpha_, kubelet_->RunPod("alpha", /*host_network=*/true));
  NSCTL_ASSERT_OK_AND_ASSIGN(main_, kubelet_->RunContainer(alpha_, "main", kCommand));
  EXPECT_THAT(AwaitChanges(2), UnorderedElementsAre("started alpha", "started main"));
  ASSERT_THAT(kubelet_->StopContainer(main_), IsOk());
  EXPECT_THAT(AwaitChanges(1), ElementsAre("exited main 137"));
}

TEST_F(CriEngineTest, ListsHowContainersEnded) {
  ASSERT_NO_FATAL_FAILURE(RunPods());
  ASSERT_THAT(kubelet_->StopContainer(main_), IsOk());
  const auto describe = [](const Container& one) {
    return absl::StrCat(one.name(), " ", StateName(one.state()),
                        one.has_exit_code() ? absl::StrCat(" ", one.exit_code()) : "",
                        one.has_finished_at() ? " finished" : "");
  };

  Watch();
  EXPECT_THAT(Stopped(containerd::MakeContainerdClient, describe),
              ElementsAre("main exited 137 finished"));
  watcher_.reset();
  WatchKubernetesInterface();
  EXPECT_THAT(
      Stopped([](Connector connect) { return MakeCriClient(std::move(connect)); }, describe),
      ElementsAre("main exited 137 finished"));
}

TEST_F(CriEngineTest, HasBothViewsOfOneProcess) {
  ASSERT_NO_FATAL_FAILURE(RunPods());
  ASSERT_THAT(Ctr({"tasks", "pause", side_}), IsOk());
  Watch();
  NSCTL_ASSERT_OK_AND_ASSIGN(procfsroot::Root root,
                             procfsroot::Root::OfProcess(procfs_, sandbox_->init()));
  second_link_ = std::make_unique<EngineLink>(procfs_, std::move(root), kSocket);
  Engine engine;
  engine.set_key("cri:1@1");
  engine.set_type(Engine::cri);
  second_ = std::make_unique<EngineWatcher>(
      engine, MakeCriClient([this] { return second_link_->Connect(); }), second_link_->MakeFinder(),
      nullptr, &hub_, WatcherOptions());
  ASSERT_TRUE(second_->AwaitFirstResult(absl::Now() + absl::Minutes(1)));

  const Containers current = hub_.Current();

  ASSERT_EQ(current.containers_size(), 5) << current.DebugString();
  for (const Container& container : current.containers()) {
    ASSERT_EQ(container.views_size(), 2) << container.DebugString();
    EXPECT_EQ(container.views(0).type(), Engine::cri);
    EXPECT_EQ(container.views(1).type(), Engine::containerd);
    EXPECT_EQ(container.state(), container.id() == side_ ? Container::paused : Container::running);
  }
  ASSERT_THAT(Ctr({"tasks", "resume", side_}), IsOk());
}

}  // namespace
}  // namespace nsctl::engines::cri
