#include "cmd/tree_facts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace nsctl::cmd {
namespace {

using google::protobuf::RepeatedPtrField;
using nsdisc::IdMapping;
using nsdisc::Namespace;

// "uid map 0 100000 65536": the first number inside and outside, and how many.
void AddMap(const char* name, const RepeatedPtrField<IdMapping>& map,
            std::vector<std::string>* facts) {
  if (map.empty()) return;
  const auto append = [](std::string* out, const IdMapping& mapping) {
    absl::StrAppend(out, mapping.inside(), " ", mapping.outside(), " ", mapping.count());
  };
  facts->push_back(absl::StrCat(name, " ", absl::StrJoin(map, ", ", append)));
}

void AddIpc(const nsdisc::IpcCounts& ipc, std::vector<std::string>* facts) {
  facts->push_back(absl::StrCat(ipc.message_queues(), " message queues, ", ipc.semaphore_sets(),
                                " semaphore sets, ", ipc.shared_memory_segments(),
                                " shared memory segments"));
}

void AddNames(const Namespace& ns, std::vector<std::string>* facts) {
  if (!ns.names().empty()) {
    facts->push_back(absl::StrCat("named ", absl::StrJoin(ns.names(), ", ")));
  }
  if (ns.has_nsid()) facts->push_back(absl::StrCat("nsid ", ns.nsid()));
  if (ns.has_hostname()) facts->push_back(absl::StrCat("host name ", ns.hostname()));
  if (ns.has_ipc_counts()) AddIpc(ns.ipc_counts(), facts);
}

}  // namespace

std::vector<std::string> NodeFacts(const NamespaceTree::Node& node) {
  const Namespace& ns = node.namespace_();
  std::vector<std::string> facts;
  if (ns.dark()) {
    facts.emplace_back("held by nothing in sight");
  } else if (!node.held_by().empty()) {
    const auto append = [](std::string* out, const HeldBy& held_by) {
      absl::StrAppend(out, held_by.kind(), " ", held_by.count());
    };
    facts.push_back(absl::StrCat("held by ", absl::StrJoin(node.held_by(), ", ", append)));
  }
  AddNames(ns, &facts);
  AddMap("uid map", ns.uid_map(), &facts);
  AddMap("gid map", ns.gid_map(), &facts);
  if (ns.has_setgroups_allowed() && !ns.setgroups_allowed()) {
    facts.emplace_back("setgroups denied");
  }
  for (const nsdisc::ClockOffset& offset : ns.clock_offsets()) {
    facts.push_back(absl::StrCat(offset.clock(), " offset ", offset.seconds(), " s ",
                                 offset.nanoseconds(), " ns"));
  }
  if (ns.has_mount_count()) facts.push_back(absl::StrCat("mounts ", ns.mount_count()));
  if (ns.has_kernel_id()) facts.push_back(absl::StrCat("kernel id ", ns.kernel_id()));
  return facts;
}

}  // namespace nsctl::cmd
