#include "nsdisc/cgroup_view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::OwnedFd;
using procfsroot::Procfs;

constexpr base::Pid kInit = {1};
constexpr base::Pid kKthreadd = {2};

absl::StatusOr<OwnedFd> OpenOf(const Procfs& procfs, base::Pid pid) {
  const absl::StatusOr<procfsroot::ProcessDir> process = procfs.OpenProcess(pid);
  if (!process.ok()) return process.status();
  return process->OpenNamespace(base::InfoOf(NamespaceType::kCgroup).name);
}

// 0 where it cannot be told.
uint32_t InodeOf(const OwnedFd& ns) {
  const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(ns);
  return id.ok() ? id->inode : 0;
}

absl::StatusOr<OwnedFd> OpenHosts(const Procfs& procfs) {
  absl::StatusOr<OwnedFd> host = OpenOf(procfs, kInit);
  if (host.ok()) return host;
  absl::StatusOr<OwnedFd> kthreadd = OpenOf(procfs, kKthreadd);
  const bool is_initial =
      kthreadd.ok() && InodeOf(*kthreadd) == base::InfoOf(NamespaceType::kCgroup).initial_inode;
  return is_initial ? std::move(kthreadd) : std::move(host);
}

}  // namespace

CgroupView CgroupView::OfHost(const Procfs& procfs, GapList* gaps) {
  if (!procfs.has_own_pids()) return CgroupView();
  absl::StatusOr<OwnedFd> own =
      base::OpenAt(procfs.fd(), "thread-self/ns/cgroup", O_RDONLY | O_NOCTTY);
  if (!own.ok()) return CgroupView();
  // Nothing is missing where they are the host's own.
  if (InodeOf(*own) == base::InfoOf(NamespaceType::kCgroup).initial_inode) return CgroupView();
  absl::StatusOr<OwnedFd> host = OpenHosts(procfs);
  int error = host.ok() ? 0 : base::ErrnoOf(host.status());
  if (error == 0) {
    if (InodeOf(*host) == InodeOf(*own)) return CgroupView();
    error = setns(host->get(), CLONE_NEWCGROUP) == 0 ? 0 : errno;
  }
  if (error != 0) {
    gaps->Add({}, "setns ns/cgroup", error,
              "paths of control groups are those of its own cgroup namespace");
    return CgroupView();
  }
  // Who may go there may come back.
  setns(own->get(), CLONE_NEWCGROUP);
  return CgroupView(*std::move(host), *std::move(own));
}

CgroupView::Visit::Visit(const CgroupView& view) : back_(view.own_) {
  if (back_.get() >= 0 && setns(view.host_.get(), CLONE_NEWCGROUP) != 0) back_ = base::FdRef(-1);
}

CgroupView::Visit::~Visit() {
  if (back_.get() >= 0) setns(back_.get(), CLONE_NEWCGROUP);
}

}  // namespace nsctl::nsdisc
