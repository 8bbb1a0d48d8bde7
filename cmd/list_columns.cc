#include "cmd/list_columns.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/column_selection.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "engines/container.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace nsctl::cmd {
namespace {

using google::protobuf::RepeatedPtrField;
using nsdisc::Namespace;
using nsdisc::Process;

// Stands for what should be known and is not, where "-" means that there is nothing to know.
constexpr char kUnknown[] = "?";
// Longer lists are shortened.
constexpr int kListedNumbers = 3;

TableCell Number(uint64_t number) { return {absl::StrCat(number)}; }

template <typename T>
TableCell NumberList(const google::protobuf::RepeatedField<T>& numbers,
                     const ListContext& context) {
  const bool cut = context.presentation.shorten && numbers.size() > kListedNumbers;
  const auto end = cut ? numbers.begin() + kListedNumbers : numbers.end();
  std::string text = absl::StrJoin(numbers.begin(), end, ",");
  if (cut) absl::StrAppend(&text, ",+", numbers.size() - kListedNumbers);
  return {text};
}

TableCell OwnerCell(const NamespaceRow& row, const ListContext&) {
  const Namespace& ns = row.namespace_();
  if (ns.type() == Namespace::user) {
    if (ns.has_parent()) return Number(ns.parent());
    return {ns.initial() ? "" : kUnknown};
  }
  return ns.has_owner() ? Number(ns.owner()) : TableCell{kUnknown};
}

TableCell ParentCell(const NamespaceRow& row, const ListContext&) {
  const Namespace& ns = row.namespace_();
  if (ns.has_parent()) return Number(ns.parent());
  const bool hierarchical = ns.type() == Namespace::user || ns.type() == Namespace::pid;
  return {hierarchical && !ns.initial() ? kUnknown : ""};
}

// "process 3, fd 1".
std::string HeldByText(const NamespaceRow& row) {
  return absl::StrJoin(row.held_by(), ", ", [](std::string* out, const HeldBy& held_by) {
    absl::StrAppend(out, held_by.kind(), " ", held_by.count());
  });
}

TableCell HeldByCell(const NamespaceRow& row, const ListContext&) { return {HeldByText(row)}; }

TableCell StateCell(const NamespaceRow& row) {
  if (row.state() == NamespaceRow::unknown) return {""};
  return {NamespaceRow::State_Name(row.state()),
          row.state() == NamespaceRow::dark ? Role::kLimited : Role::kPlain};
}

// The texts of as many elements as are shown of lists, with commas between them.
template <typename Message, typename Text>
TableCell TextList(const RepeatedPtrField<Message>& list, const ListContext& context,
                   const Text& text) {
  const int shown =
      context.presentation.shorten ? std::min(list.size(), kListedNumbers) : list.size();
  std::string cell;
  for (int i = 0; i < shown; ++i) absl::StrAppend(&cell, i > 0 ? "," : "", text(list[i]));
  if (shown < list.size()) absl::StrAppend(&cell, ",+", list.size() - shown);
  return {cell};
}

TableCell FdsCell(const NamespaceRow& row, const ListContext& context) {
  return TextList(row.namespace_().fds(), context, [](const nsdisc::FdHolder& holder) {
    const std::string thread = holder.has_tid() ? absl::StrCat("task/", holder.tid(), "/") : "";
    return absl::StrCat(holder.pid(), "/", thread, "fd/", holder.fd());
  });
}

// A path of another mount namespace has that before it, as a TARGET:PATH: it means nothing here.
// The same mount is shown in each mount namespace that it is propagated to: one's own, or else the
// first, is enough.
TableCell NsfsCell(const NamespaceRow& row, const ListContext& context) {
  RepeatedPtrField<nsdisc::BindMount> mounts;
  const auto add = [&](bool own) {
    for (const nsdisc::BindMount& mount : row.namespace_().bind_mounts()) {
      if ((mount.mount_namespace() == context.own_mount_namespace) != own) continue;
      const bool is_there =
          std::any_of(mounts.begin(), mounts.end(),
                      [&](const nsdisc::BindMount& other) { return other.path() == mount.path(); });
      if (!is_there) *mounts.Add() = mount;
    }
  };
  add(true);
  add(false);
  return TextList(mounts, context, [&](const nsdisc::BindMount& mount) {
    if (mount.mount_namespace() == context.own_mount_namespace) return mount.path();
    return absl::StrCat(base::NamespaceLinkText(base::NamespaceType::kMnt, mount.mount_namespace()),
                        ":", mount.path());
  });
}

// Why a namespace without a process is there.
TableCell NoProcess(const NamespaceRow& row) {
  std::vector<std::string> reasons;
  const int children = row.namespace_().children_size();
  for (const HeldBy& held_by : row.held_by()) {
    if (held_by.kind() == "child" || held_by.kind() == "owned") continue;
    reasons.push_back(absl::StrCat(held_by.kind(), " ", held_by.count()));
  }
  if (children > 0) reasons.push_back(absl::StrCat("parent of ", children));
  if (row.owned_count() > 0) reasons.push_back(absl::StrCat("owns ", row.owned_count()));
  if (row.state() == NamespaceRow::dark) reasons.push_back("nothing in sight holds it");
  return {
      absl::StrCat("(no process", reasons.empty() ? "" : ": ", absl::StrJoin(reasons, ", "), ")"),
      Role::kFaint};
}

TableCell CommandCell(const NamespaceRow& row, const ListContext&) {
  if (!row.has_representative()) return NoProcess(row);
  const Namespace& ns = row.namespace_();
  const std::string command = CommandText(row.representative());
  if (ns.has_ealdorman()) return {command};
  if (ns.loose_threads_size() > 0) {
    return {absl::StrCat("(thread ", ns.loose_threads(0), " of) ", command)};
  }
  return {absl::StrCat("(for children of) ", command)};
}

TableCell CreatorCell(const NamespaceRow& row, const ListContext&) {
  const Namespace& ns = row.namespace_();
  if (ns.has_owner_user()) return {ns.owner_user()};
  return {ns.has_owner_uid() ? absl::StrCat(ns.owner_uid()) : ""};
}

TableCell DeviceCell(const NamespaceRow& row, const ListContext&) {
  const Namespace& ns = row.namespace_();
  if (!ns.has_device_major()) return {""};
  return {absl::StrCat(ns.device_major(), ":", ns.device_minor())};
}

TableCell StartedCell(const NamespaceRow& row, const ListContext& context) {
  if (!row.has_representative() || context.ticks_per_second == 0) return {""};
  const double seconds =
      static_cast<double>(row.representative().start_time()) / context.ticks_per_second;
  return {absl::StrFormat("%.2f", seconds)};
}

TableCell CgroupCell(const NamespaceRow& row, const ListContext& context) {
  const Presentation& presentation = context.presentation;
  if (!presentation.shorten) return {row.cgroup()};
  return {ShortenIds(row.cgroup(), presentation.glyphs->ellipsis)};
}

TableCell MapCell(const RepeatedPtrField<nsdisc::IdMapping>& map) {
  return {absl::StrJoin(map, ",", [](std::string* out, const nsdisc::IdMapping& piece) {
    absl::StrAppend(out, piece.inside(), ":", piece.outside(), ":", piece.count());
  })};
}

TableCell OffsetsCell(const NamespaceRow& row, const ListContext&) {
  return {absl::StrJoin(row.namespace_().clock_offsets(), ",",
                        [](std::string* out, const nsdisc::ClockOffset& offset) {
                          absl::StrAppendFormat(out, "%s:%d.%09d", offset.clock(), offset.seconds(),
                                                offset.nanoseconds());
                        })};
}

// Cells from one field of the representative, empty where there is none.
template <typename Text>
TableCell OfProcess(const NamespaceRow& row, const Text& text) {
  if (!row.has_representative()) return {""};
  return {absl::StrCat(text(row.representative()))};
}

// Cells from one field of the container, empty where there is none.
template <typename Text>
TableCell OfContainer(const NamespaceRow& row, const Text& text) {
  if (!row.has_container()) return {""};
  return {text(row.container())};
}

TableCell ContainerCell(const NamespaceRow& row, const ListContext& context) {
  if (row.has_container()) return {NameText(row.container())};
  const std::string id = ContainerIdIn(row.cgroup());
  const Presentation& presentation = context.presentation;
  return {presentation.shorten ? ShortenIds(id, presentation.glyphs->ellipsis) : id};
}

constexpr Alignment kLeft = Alignment::kLeft;
constexpr Alignment kRight = Alignment::kRight;

// In the order of "all". The one for COMMAND is the last, since it is the one to be cut.
constexpr ListColumn kColumns[] = {
    {"NS", kRight, true, "inode number of the namespace",
     [](const NamespaceRow& row, const ListContext&) { return Number(row.namespace_().inode()); }},
    {"TYPE", kLeft, true, "mnt, cgroup, uts, ipc, user, pid, net or time",
     [](const NamespaceRow& row, const ListContext&) {
       return TableCell{TypeText(row.namespace_()), RoleOf(row.namespace_().type())};
     }},
    {"NPROCS", kRight, true, "number of processes in it",
     [](const NamespaceRow& row, const ListContext&) {
       return Number(row.namespace_().process_count());
     }},
    {"PID", kRight, true,
     "the process that stands for it: its oldest leader, else that of a thread or a child to be",
     [](const NamespaceRow& row, const ListContext&) {
       return OfProcess(row, [](const Process& process) { return process.pid(); });
     }},
    {"LEADERS", kLeft, false, "processes in it whose parent is not",
     [](const NamespaceRow& row, const ListContext& context) {
       return NumberList(row.namespace_().leaders(), context);
     }},
    {"PPID", kRight, false, "parent of PID",
     [](const NamespaceRow& row, const ListContext&) {
       return OfProcess(row, [](const Process& process) { return process.parent_pid(); });
     }},
    {"UID", kRight, false, "effective user id of PID",
     [](const NamespaceRow& row, const ListContext&) {
       return OfProcess(row, [](const Process& process) {
         return process.has_uid() ? absl::StrCat(process.uid()) : "";
       });
     }},
    {"USER", kLeft, true, "effective user of PID",
     [](const NamespaceRow& row, const ListContext&) { return OfProcess(row, UserText); }},
    {"ONS", kRight, true, "user namespace that owns it; of a user namespace: its parent",
     OwnerCell},
    {"PNS", kRight, true, "parent of a user or PID namespace", ParentCell},
    {"CHILDREN", kLeft, false, "namespaces whose parent it is",
     [](const NamespaceRow& row, const ListContext& context) {
       return NumberList(row.namespace_().children(), context);
     }},
    {"OWNED", kRight, false, "how many namespaces a user namespace owns",
     [](const NamespaceRow& row, const ListContext&) {
       return row.namespace_().type() == Namespace::user ? Number(row.owned_count())
                                                         : TableCell{""};
     }},
    {"CREATOR", kLeft, false, "user that created a user namespace", CreatorCell},
    {"INITIAL", kLeft, false, "\"yes\" for those that the kernel made at boot",
     [](const NamespaceRow& row, const ListContext&) {
       return TableCell{row.namespace_().initial() ? "yes" : ""};
     }},
    {"THREADS", kLeft, false, "threads in it whose process is not",
     [](const NamespaceRow& row, const ListContext& context) {
       return NumberList(row.namespace_().loose_threads(), context);
     }},
    {"FORCHILDREN", kLeft, false, "processes whose next children will be in it",
     [](const NamespaceRow& row, const ListContext& context) {
       return NumberList(row.namespace_().for_children_of(), context);
     }},
    {"KERNELID", kRight, false, "the kernel's 64-bit id, never used twice",
     [](const NamespaceRow& row, const ListContext&) {
       return row.namespace_().has_kernel_id() ? Number(row.namespace_().kernel_id())
                                               : TableCell{""};
     }},
    {"DEVICE", kLeft, false, "device of the kernel's namespace file system", DeviceCell},
    {"UIDMAP", kLeft, false, "of a user namespace: inside:outside:count",
     [](const NamespaceRow& row, const ListContext&) {
       return MapCell(row.namespace_().uid_map());
     }},
    {"GIDMAP", kLeft, false, "the same for groups",
     [](const NamespaceRow& row, const ListContext&) {
       return MapCell(row.namespace_().gid_map());
     }},
    {"OFFSETS", kLeft, false, "of a time namespace: clock:seconds", OffsetsCell},
    {"NSSTATE", kLeft, false, "active, pending, persistent or dark",
     [](const NamespaceRow& row, const ListContext&) { return StateCell(row); }},
    {"HELD-BY", kLeft, false, "what keeps it alive, with numbers", HeldByCell},
    {"FDS", kLeft, false, "descriptors that hold it: PID/fd/N, with the thread's task/TID/ before",
     FdsCell},
    {"SOCKETS", kRight, false, "sockets made in a network namespace",
     [](const NamespaceRow& row, const ListContext&) {
       return row.namespace_().type() == Namespace::net ? Number(row.namespace_().socket_count())
                                                        : TableCell{""};
     }},
    {"NSFS", kLeft, false,
     "mount points of the namespace's file, those of other mount namespaces as mnt:[INODE]:PATH",
     NsfsCell},
    {"NETNSID", kRight, false, "what one's own network namespace calls a network namespace",
     [](const NamespaceRow& row, const ListContext&) {
       const Namespace& ns = row.namespace_();
       return ns.has_nsid() ? TableCell{absl::StrCat(ns.nsid())} : TableCell{""};
     }},
    {"NAME", kLeft, false, "what \"ip netns\" calls a network namespace",
     [](const NamespaceRow& row, const ListContext&) {
       return TableCell{absl::StrJoin(row.namespace_().names(), ",")};
     }},
    {"HOSTNAME", kLeft, false, "host name of a UTS namespace",
     [](const NamespaceRow& row, const ListContext&) {
       return TableCell{row.namespace_().hostname()};
     }},
    {"DOMAIN", kLeft, false, "NIS domain name of a UTS namespace",
     [](const NamespaceRow& row, const ListContext&) {
       return TableCell{row.namespace_().domainname()};
     }},
    {"MOUNTS", kRight, false, "mounts in a mount namespace, beside its root",
     [](const NamespaceRow& row, const ListContext&) {
       const Namespace& ns = row.namespace_();
       return ns.has_mount_count() ? Number(ns.mount_count()) : TableCell{""};
     }},
    {"STATE", kLeft, false, "state of PID, as ps shows it",
     [](const NamespaceRow& row, const ListContext&) {
       return OfProcess(row, [](const Process& process) { return process.state(); });
     }},
    {"STARTED", kRight, false, "when PID started: seconds after boot", StartedCell},
    {"CGROUP", kLeft, false, "control group of PID", CgroupCell},
    {"CONTAINER", kLeft, false,
     "the container that PID is in; the id where engines do not tell and its control group names "
     "one",
     ContainerCell, true},
    {"CSTATE", kLeft, false, "the state of the container: running, paused, ...",
     [](const NamespaceRow& row, const ListContext&) {
       return OfContainer(
           row, [](const ContainerReference& one) { return engines::StateName(one.state()); });
     },
     true},
    {"ENGINE", kLeft, false, "the engine of the container",
     [](const NamespaceRow& row, const ListContext&) { return OfContainer(row, EngineText); },
     true},
    {"PROJECT", kLeft, false, "the project of the container",
     [](const NamespaceRow& row, const ListContext&) {
       return OfContainer(row, [](const ContainerReference& one) { return one.project(); });
     },
     true},
    {"POD", kLeft, false, "the pod of the container",
     [](const NamespaceRow& row, const ListContext&) {
       return OfContainer(row, [](const ContainerReference& one) { return one.pod(); });
     },
     true},
    {"IMAGE", kLeft, false, "the image of the container",
     [](const NamespaceRow& row, const ListContext&) {
       return OfContainer(row, [](const ContainerReference& one) { return one.image(); });
     },
     true},
    {"PATH", kLeft, false, "a file that refers to it",
     [](const NamespaceRow& row, const ListContext&) {
       return TableCell{absl::StrJoin(row.namespace_().reference(), ":")};
     }},
    {"COMMAND", kLeft, true, "command line of PID", CommandCell},
};

std::vector<ColumnName> ColumnNames() {
  std::vector<ColumnName> names;
  for (const ListColumn& column : kColumns) {
    names.push_back({column.name, column.shown_by_default, column.summary});
  }
  return names;
}

}  // namespace

std::vector<Choice> ListColumnChoices() { return ColumnChoices(ColumnNames()); }

absl::StatusOr<std::vector<const ListColumn*>> SelectListColumns(
    const std::vector<std::string>& selection) {
  NSCTL_ASSIGN_OR_RETURN(const std::vector<size_t> selected,
                         SelectColumns(selection, ColumnNames()));
  std::vector<const ListColumn*> columns;
  columns.reserve(selected.size());
  for (const size_t column : selected) columns.push_back(&kColumns[column]);
  return columns;
}

Table MakeListTable(const NamespaceList& list, const std::vector<const ListColumn*>& columns,
                    const Presentation& presentation) {
  std::vector<TableColumn> headings;
  headings.reserve(columns.size());
  for (const ListColumn* column : columns) headings.push_back({column->name, column->alignment});
  Table table(std::move(headings));
  const ListContext context{presentation, list.host().ticks_per_second(), list.mount_namespace()};
  for (const NamespaceRow& row : list.rows()) {
    std::vector<TableCell> cells;
    cells.reserve(columns.size());
    for (const ListColumn* column : columns) cells.push_back(column->cell(row, context));
    table.AddRow(std::move(cells));
  }
  return table;
}

}  // namespace nsctl::cmd
