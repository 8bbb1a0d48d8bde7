// The columns of `nsctl mounts`.

#ifndef NSCTL_CMD_MOUNT_COLUMNS_H_
#define NSCTL_CMD_MOUNT_COLUMNS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "cmd/command.h"
#include "cmd/mounts.pb.h"
#include "cmd/presentation.h"
#include "cmd/table.h"

namespace nsctl::cmd {

// What the default columns are for.
enum class MountView { kMounts, kPropagation, kHolding };

std::vector<Choice> MountColumnChoices();

// As SelectColumns (column_selection.h), with the default columns of `view`; `with_namespace` puts
// NS before them.
absl::StatusOr<std::vector<size_t>> SelectMountColumns(const std::vector<std::string>& selection,
                                                       MountView view, bool with_namespace);

// Makes tables of rows of one list.
class MountTables {
 public:
  // All are borrowed.
  MountTables(const MountList& list, const std::vector<size_t>& columns,
              const Presentation& presentation);

  // Of the rows [begin, end). `tree`: the paths are drawn as a tree.
  Table Make(int begin, int end, bool tree) const;

  // What cells are made from besides their row.
  struct Context {
    const Presentation& presentation;
    // By inode; those without one are not in it.
    absl::flat_hash_map<uint32_t, const MountNamespaceInfo*> namespaces;
    absl::flat_hash_map<uint64_t, const MountPeerGroup*> groups;

    // nullptr where the list has none.
    const MountNamespaceInfo* NamespaceOf(const MountRow& row) const;
    const MountPeerGroup* GroupWithId(uint64_t id) const;
  };

 private:
  const MountList& list_;
  const std::vector<size_t>& columns_;
  Context context_;
};

// "mnt:[4026531840]:/run"; stored text.
std::string PlaceText(const MountPlace& place);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_COLUMNS_H_
