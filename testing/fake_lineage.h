// A Lineage that answers from a table: for recorded trees, whose links lead to no namespace.
//
// In a recorded tree one line holds the facts on one namespace:
//
//   n pid 4026532200 device=0:4 owner=4026532100 parent=EPERM kernel_id=ENOTTY
//   n user 4026532100 device=0:4 parent=4026531837 owner_uid=1000 kernel_id=77
//   n net 4026532300 open=EACCES
//
// INODE or ENAME for `owner` (not of user namespaces, whose owner is their parent) and `parent`
// (user and pid), a uid or ENAME for `owner_uid` (user); `kernel_id`, and `mount_count` (mnt), are
// ENOTTY where they are left out. `open` instead of all others: the namespace cannot be opened.

#ifndef NSCTL_TESTING_FAKE_LINEAGE_H_
#define NSCTL_TESTING_FAKE_LINEAGE_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "nsdisc/lineage.h"
#include "procfsroot/procfs.h"

namespace nsctl::testing {

class FakeLineage : public nsdisc::Lineage {
 public:
  // The facts that the recorded tree `text` holds. INVALID_ARGUMENT, naming the line.
  static absl::StatusOr<std::unique_ptr<FakeLineage>> FromRecordedTree(absl::string_view text);

  // Adds or replaces.
  void Add(const nsdisc::NamespaceFacts& facts);
  // Makes opening the namespace fail with `error`, an errno.
  void Refuse(base::NamespaceType type, uint32_t inode, int error);

  // Finds the namespace by the text of the link where the way goes over one, else takes the target.
  // As for a dangling link, NOT_FOUND (ENOENT) where the table does not have it. Chains end where
  // the table does. Safe in several threads.
  absl::StatusOr<std::vector<nsdisc::NamespaceFacts>> Trace(
      const procfsroot::Procfs& procfs, const nsdisc::NamespaceWay& way,
      const nsdisc::NamespaceTarget& target,
      absl::FunctionRef<bool(base::NamespaceType, base::NamespaceId)> is_known) override;

 private:
  using Key = std::pair<base::NamespaceType, uint32_t>;

  absl::flat_hash_map<Key, nsdisc::NamespaceFacts> facts_;
  absl::flat_hash_map<Key, int> refused_;
};

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_FAKE_LINEAGE_H_
