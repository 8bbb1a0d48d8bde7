#include "mounttree/propagation.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"

namespace nsctl::mounttree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct RowSpec {
  const char* mount_point;
  const char* root;
  uint64_t peer_group = 0;
  uint64_t master = 0;
  uint32_t parent = 0;
};

MountNamespace Make(const std::vector<RowSpec>& rows) {
  MountNamespace mounts;
  for (const RowSpec& row : rows) {
    Mount* const mount = mounts.add_mounts();
    mount->set_mount_id(static_cast<uint32_t>(mounts.mounts_size()));
    mount->set_parent_id(row.parent);
    mount->set_mount_point(row.mount_point);
    mount->set_root(row.root);
    if (row.peer_group != 0) mount->set_peer_group(row.peer_group);
    if (row.master != 0) mount->set_master(row.master);
  }
  return mounts;
}

// A host whose /a is shared, a slave of it that shares on, and a slave of that.
class PropagationTest : public ::testing::Test {
 protected:
  const MountNamespace host_ = Make({{"/", "/", 1},
                                     {"/a", "/", 2, 0, 1},
                                     {"/peer", "/sub", 2, 0, 1},
                                     {"/private", "/", 0, 0, 1}});
  const MountNamespace middle_ = Make({{"/", "/"}, {"/m", "/", 5, 2, 1}});
  const MountNamespace inner_ = Make({{"/", "/"}, {"/i", "/", 0, 5, 1}, {"/j", "/x", 0, 2, 1}});
  const PropagationGraph graph_ = PropagationGraph({&host_, &middle_, &inner_});
};

TEST_F(PropagationTest, GroupsByNumber) {
  std::vector<uint64_t> ids;
  for (const PeerGroup& group : graph_.groups()) ids.push_back(group.id);
  EXPECT_THAT(ids, ElementsAre(1, 2, 5));

  const PeerGroup* const group = graph_.FindGroup(2);
  ASSERT_NE(group, nullptr);
  EXPECT_THAT(group->members, ElementsAre(MountRef{0, 1}, MountRef{0, 2}));
  EXPECT_THAT(group->slaves, ElementsAre(MountRef{1, 1}, MountRef{2, 2}));
  EXPECT_EQ(group->master, 0u);
  EXPECT_EQ(graph_.FindGroup(5)->master, 2u);
  EXPECT_EQ(graph_.FindGroup(9), nullptr);
}

TEST_F(PropagationTest, ReachesPeersAndSlavesOfSlaves) {
  EXPECT_THAT(graph_.ReachedFrom({0, 1}),
              ElementsAre(MountRef{0, 2}, MountRef{1, 1}, MountRef{2, 1}, MountRef{2, 2}));
  EXPECT_THAT(graph_.ReachedFrom({1, 1}), ElementsAre(MountRef{2, 1}));
  EXPECT_THAT(graph_.ReachedFrom({2, 1}), IsEmpty());
  EXPECT_THAT(graph_.ReachedFrom({0, 0}), IsEmpty());
  EXPECT_THAT(graph_.ReachedFrom({0, 3}), IsEmpty());
}

TEST_F(PropagationTest, ReachesOnlyWhatHasThePlace) {
  EXPECT_THAT(
      graph_.ReachedFromPath({0, 1}, "/a/sub/d"),
      ElementsAre(PropagatedEvent{{0, 2}, "/peer/d", 0}, PropagatedEvent{{1, 1}, "/m/sub/d", 1},
                  PropagatedEvent{{2, 1}, "/i/sub/d", 2}));
  EXPECT_THAT(
      graph_.ReachedFromPath({0, 2}, "/peer"),
      ElementsAre(PropagatedEvent{{0, 1}, "/a/sub", 0}, PropagatedEvent{{1, 1}, "/m/sub", 1},
                  PropagatedEvent{{2, 1}, "/i/sub", 2}));
  EXPECT_THAT(graph_.ReachedFromPath({0, 1}, "/elsewhere"), IsEmpty());
}

TEST_F(PropagationTest, KnowsWhereEventsComeFrom) {
  EXPECT_THAT(graph_.ReachesTo({2, 1}),
              ElementsAre(MountRef{0, 1}, MountRef{0, 2}, MountRef{1, 1}));
  EXPECT_THAT(graph_.ReachesTo({0, 2}), ElementsAre(MountRef{0, 1}));
  EXPECT_THAT(graph_.ReachesTo({0, 3}), IsEmpty());
}

TEST(Propagation, TakesGroupsWithoutMembers) {
  const MountNamespace mounts = Make({{"/", "/", 0, 7}});
  const PropagationGraph graph({&mounts});

  EXPECT_THAT(graph.FindGroup(7)->members, IsEmpty());
  EXPECT_THAT(graph.ReachesTo({0, 0}), IsEmpty());
}

TEST(Propagation, EndsInACircleOfMasters) {
  const MountNamespace mounts = Make({{"/a", "/", 1, 2}, {"/b", "/", 2, 1}, {"/c", "/", 3, 3}});
  const PropagationGraph graph({&mounts});

  EXPECT_THAT(graph.ReachedFrom({0, 0}), ElementsAre(MountRef{0, 1}));
  EXPECT_THAT(graph.ReachesTo({0, 0}), ElementsAre(MountRef{0, 1}));
  EXPECT_THAT(graph.ReachedFrom({0, 2}), IsEmpty());
}

TEST(Propagation, FindsWhatIsUnmountedToo) {
  MountNamespace host = Make({{"/", "/", 1}, {"/d", "/", 0, 0, 1}, {"/d/e", "/", 0, 0, 1}});
  MountNamespace other = Make({{"/", "/", 0, 1}, {"/d", "/", 0, 0, 1}, {"/x", "/", 0, 0, 1}});
  const MountTree host_tree = PlaceMounts(&host);
  const MountTree other_tree = PlaceMounts(&other);
  const PropagationGraph graph({&host, &other});

  EXPECT_THAT(graph.UnmountedWith({0, 1}, {&host_tree, &other_tree}), ElementsAre(MountRef{1, 1}));
  EXPECT_THAT(graph.UnmountedWith({1, 1}, {&host_tree, &other_tree}), IsEmpty());
  EXPECT_THAT(graph.UnmountedWith({0, 0}, {&host_tree, &other_tree}), IsEmpty());
}

// What lies on its very root does not keep it, but would take its place.
TEST(Propagation, SparesWhatHasMountsOfItsOwn) {
  MountNamespace host = Make({{"/", "/", 1}, {"/d", "/", 0, 0, 1}});
  MountNamespace busy = Make({{"/", "/", 0, 1}, {"/d", "/", 0, 0, 1}, {"/d/own", "/", 0, 0, 2}});
  MountNamespace over = Make({{"/", "/", 0, 1}, {"/d", "/", 0, 0, 1}, {"/d", "/", 0, 0, 2}});
  const MountTree host_tree = PlaceMounts(&host);
  const MountTree busy_tree = PlaceMounts(&busy);
  const MountTree over_tree = PlaceMounts(&over);
  const PropagationGraph graph({&host, &busy, &over});

  EXPECT_THAT(graph.UnmountedWith({0, 1}, {&host_tree, &busy_tree, &over_tree}),
              ElementsAre(MountRef{2, 1}));
}

}  // namespace
}  // namespace nsctl::mounttree
