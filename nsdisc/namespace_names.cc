#include "nsdisc/namespace_names.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <cstddef>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"

namespace nsctl::nsdisc {
namespace {

using base::OwnedFd;
using procfsroot::Procfs;

template <typename T>
Answer<T> Refusal(int error) {
  return {.value = std::nullopt, .error = error != 0 ? error : EIO};
}

// 0 and the open namespace, or an errno.
int OpenNamed(const Procfs& procfs, const NamedNamespace& named, OwnedFd* out) {
  absl::StatusOr<OwnedFd> fd = OpenWay(procfs, named.way, named.target);
  if (!fd.ok()) {
    const int error = base::ErrnoOf(fd.status());
    return error != 0 ? error : EIO;
  }
  const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*fd);
  if (!id.ok() || id->inode != named.target.inode) return ESTALE;
  *out = *std::move(fd);
  return 0;
}

// The namespace of the target's type that this process is in. The thread that asks is in the same
// as long as it went nowhere.
bool IsOwn(const Procfs& procfs, const NamespaceTarget& target) {
  const absl::StatusOr<procfsroot::ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return false;
  const procfsroot::NamespaceLinks links = self->ReadNamespaceLinks();
  return links.in[static_cast<size_t>(target.type)].inode == target.inode;
}

// Moves the calling thread. 0, or an errno.
int Enter(const Procfs& procfs, const NamedNamespace& named) {
  OwnedFd fd;
  if (const int error = OpenNamed(procfs, named, &fd); error != 0) return error;
  if (setns(fd.get(), base::InfoOf(named.target.type).clone_flag) == 0) return 0;
  const int error = errno;
  // Where one is already one need not be allowed to go.
  return error == EPERM && IsOwn(procfs, named.target) ? 0 : error;
}

Answer<UtsNames> AskForUtsNames() {
  struct utsname names = {};
  if (uname(&names) != 0) return Refusal<UtsNames>(errno);
  return {.value = UtsNames{names.nodename, names.domainname}, .error = 0};
}

// Of the namespace that the calling thread is in. The kernel keeps these numbers; only for memory
// it walks the segments.
Answer<IpcCounts> AskForIpcCounts() {
  // The C library leaves it to its users to define it: semctl(2).
  union {
    struct seminfo* info;
  } argument;
  struct msginfo messages = {};
  struct seminfo semaphores = {};
  struct shm_info memory = {};
  argument.info = &semaphores;
  if (msgctl(0, MSG_INFO, reinterpret_cast<struct msqid_ds*>(&messages)) < 0 ||
      semctl(0, 0, SEM_INFO, argument) < 0 ||
      shmctl(0, SHM_INFO, reinterpret_cast<struct shmid_ds*>(&memory)) < 0) {
    return Refusal<IpcCounts>(errno);
  }
  IpcCounts counts;
  counts.set_message_queues(static_cast<uint32_t>(messages.msgpool));
  counts.set_messages(static_cast<uint32_t>(messages.msgmap));
  counts.set_semaphore_sets(static_cast<uint32_t>(semaphores.semusz));
  counts.set_semaphores(static_cast<uint32_t>(semaphores.semaem));
  counts.set_shared_memory_segments(static_cast<uint32_t>(memory.used_ids));
  counts.set_shared_memory_pages(memory.shm_tot);
  return {.value = counts, .error = 0};
}

// The answers of `ask` in each of the namespaces, by a thread that goes there.
template <typename T>
std::vector<Answer<T>> AskInside(const Procfs& procfs, absl::Span<const NamedNamespace> namespaces,
                                 Answer<T> (*ask)()) {
  // On most hosts there is one, and everybody is in it.
  if (namespaces.size() == 1 && IsOwn(procfs, namespaces[0].target)) return {ask()};
  std::vector<Answer<T>> answers(namespaces.size(), Refusal<T>(EAGAIN));
  const auto ask_all = [&] {
    for (size_t i = 0; i < namespaces.size(); ++i) {
      const int error = Enter(procfs, namespaces[i]);
      answers[i] = error == 0 ? ask() : Refusal<T>(error);
    }
  };
  try {
    // The caller stays where it is.
    std::thread(ask_all).join();
  } catch (const std::system_error&) {
    // No thread can be made: nothing was asked.
  }
  return answers;
}

// One question to rtnetlink and the place for its answer.
struct NsidRequest {
  struct nlmsghdr header;
  struct rtgenmsg message;
  struct rtattr attribute __attribute__((aligned(NLMSG_ALIGNTO)));
  int32_t fd;
};

// The number in an answer to RTM_GETNSID.
Answer<int32_t> ParseNsid(const char* buffer, size_t size) {
  const auto* header = reinterpret_cast<const struct nlmsghdr*>(buffer);
  if (!NLMSG_OK(header, size)) return Refusal<int32_t>(EBADMSG);
  if (header->nlmsg_type == NLMSG_ERROR) {
    struct nlmsgerr error = {};
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(error))) return Refusal<int32_t>(EBADMSG);
    memcpy(&error, NLMSG_DATA(header), sizeof(error));
    return Refusal<int32_t>(-error.error);
  }
  if (header->nlmsg_len < NLMSG_SPACE(sizeof(struct rtgenmsg))) return Refusal<int32_t>(EBADMSG);
  const char* const attributes = buffer + NLMSG_SPACE(sizeof(struct rtgenmsg));
  size_t left = header->nlmsg_len - NLMSG_SPACE(sizeof(struct rtgenmsg));
  for (const auto* attribute = reinterpret_cast<const struct rtattr*>(attributes);
       RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    int32_t nsid = NETNSA_NSID_NOT_ASSIGNED;
    if (attribute->rta_type != NETNSA_NSID || RTA_PAYLOAD(attribute) < sizeof(nsid)) continue;
    memcpy(&nsid, RTA_DATA(attribute), sizeof(nsid));
    if (nsid == NETNSA_NSID_NOT_ASSIGNED) return Refusal<int32_t>(ENOENT);
    return {.value = nsid, .error = 0};
  }
  return Refusal<int32_t>(EBADMSG);
}

Answer<int32_t> AskForNsid(const OwnedFd& netlink, const OwnedFd& ns) {
  NsidRequest request = {};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETNSID;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.message.rtgen_family = AF_UNSPEC;
  request.attribute.rta_len = RTA_LENGTH(sizeof(request.fd));
  request.attribute.rta_type = NETNSA_FD;
  request.fd = ns.get();
  if (send(netlink.get(), &request, sizeof(request), 0) < 0) return Refusal<int32_t>(errno);
  // The kernel answers within send(2); nothing is waited for.
  alignas(NLMSG_ALIGNTO) char buffer[1024];
  const ssize_t size = recv(netlink.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
  if (size < 0) return Refusal<int32_t>(errno);
  return ParseNsid(buffer, static_cast<size_t>(size));
}

}  // namespace

std::vector<Answer<UtsNames>> KernelNamespaceNames::UtsNamesOf(
    const Procfs& procfs, absl::Span<const NamedNamespace> namespaces) {
  return AskInside(procfs, namespaces, AskForUtsNames);
}

std::vector<Answer<IpcCounts>> KernelNamespaceNames::IpcCountsOf(
    const Procfs& procfs, absl::Span<const NamedNamespace> namespaces) {
  return AskInside(procfs, namespaces, AskForIpcCounts);
}

std::vector<Answer<int32_t>> KernelNamespaceNames::NsidsOf(
    const Procfs& procfs, absl::Span<const NamedNamespace> namespaces) {
  std::vector<Answer<int32_t>> answers;
  answers.reserve(namespaces.size());
  const OwnedFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const int error = netlink.ok() ? 0 : errno;
  for (const NamedNamespace& named : namespaces) {
    OwnedFd fd;
    const int open_error = error != 0 ? error : OpenNamed(procfs, named, &fd);
    answers.push_back(open_error != 0 ? Refusal<int32_t>(open_error) : AskForNsid(netlink, fd));
  }
  return answers;
}

}  // namespace nsctl::nsdisc
