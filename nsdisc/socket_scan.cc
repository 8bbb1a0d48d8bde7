#include "nsdisc/socket_scan.h"

#include <errno.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "base/errors.h"
#include "base/worker_pool.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceId;

constexpr size_t kSocketsPerPiece = 64;
// How many of the descriptors that are open on one socket are tried.
constexpr size_t kMaxTries = 4;

constexpr char kUnknownSockets[] = "the network namespaces of its sockets are unknown";

// A socket with all its descriptors: sockets[begin] to sockets[end].
struct Unique {
  size_t begin = 0;
  size_t end = 0;
  // What was found out: the descriptor that answered, and a cookie or an inode, or why neither.
  size_t answered = 0;
  std::optional<uint64_t> cookie = std::nullopt;
  std::optional<uint32_t> inode = std::nullopt;
  int error = 0;
};

bool IsGone(int error) { return base::IsGone(error) || error == EBADF || error == ESTALE; }

// Keeps the process open that was asked last: sockets come process by process.
class Asker {
 public:
  explicit Asker(ForeignFdAccess* access) : access_(access) {}

  // nullptr, and why in `error`.
  ForeignFds* Of(const FdPlace& place, int* error) {
    if (pid_ != place.pid || tid_ != place.tid) {
      absl::StatusOr<std::unique_ptr<ForeignFds>> fds = access_->Of(place.pid, place.tid);
      error_ = fds.ok() ? 0 : base::ErrnoOf(fds.status());
      fds_ = fds.ok() ? *std::move(fds) : nullptr;
      pid_ = place.pid;
      tid_ = place.tid;
    }
    *error = error_ != 0 || fds_ != nullptr ? error_ : EIO;
    return fds_.get();
  }

 private:
  ForeignFdAccess* const access_;
  pid_t pid_ = 0;
  pid_t tid_ = 0;
  std::unique_ptr<ForeignFds> fds_;
  int error_ = 0;
};

// Asks through one descriptor after the other until one answers.
void Ask(const std::vector<FdFindings::Socket>& sockets, Asker& asker, Unique* unique) {
  for (size_t i = unique->begin; i < unique->end && i < unique->begin + kMaxTries; ++i) {
    const FdFindings::Socket& socket = sockets[i];
    unique->answered = i;
    ForeignFds* const fds = asker.Of(socket.place, &unique->error);
    if (fds == nullptr) continue;
    const Answer<uint64_t> cookie = fds->CookieOfSocket(socket.place.fd, socket.inode);
    unique->cookie = cookie.value;
    unique->error = cookie.error;
    if (cookie.error == 0) return;
    if (!base::IsUnsupported(cookie.error) && cookie.error != ENOPROTOOPT) continue;
    const Answer<NamespaceId> ns = fds->NamespaceOfSocket(socket.place.fd, socket.inode);
    unique->error = ns.error;
    if (ns.value.has_value()) unique->inode = ns.value->inode;
    if (ns.error == 0) return;
  }
}

// The sockets, each once, in the order of their first descriptors.
std::vector<Unique> FindUnique(const std::vector<FdFindings::Socket>& sockets) {
  std::vector<Unique> all;
  for (size_t i = 0; i < sockets.size(); ++i) {
    if (all.empty() || sockets[all.back().begin].inode != sockets[i].inode) {
      all.push_back({.begin = i});
    }
    all.back().end = i + 1;
  }
  absl::c_sort(all, [&](const Unique& a, const Unique& b) {
    return sockets[a.begin].place < sockets[b.begin].place;
  });
  return all;
}

FdHolder HolderOf(FdHolder::Kind kind, const FdPlace& place) {
  FdHolder holder;
  holder.set_kind(kind);
  holder.set_pid(place.pid);
  if (place.tid != 0) holder.set_tid(place.tid);
  holder.set_fd(place.fd);
  return holder;
}

// Turns answers into holdings, asking for each cookie that is new where it leads.
class Resolver {
 public:
  Resolver(const std::vector<FdFindings::Socket>& sockets, ForeignFdAccess& access,
           absl::flat_hash_map<uint64_t, uint32_t> cookies, SocketHoldings* result)
      : sockets_(sockets), asker_(&access), cookies_(std::move(cookies)), result_(*result) {}

  void Add(Unique* unique) {
    if (unique->cookie.has_value()) ResolveCookie(unique);
    if (unique->inode.has_value()) {
      const FdFindings::Socket& first = sockets_[unique->begin];
      FdHolder holder = HolderOf(FdHolder::socket, first.place);
      holder.set_socket_inode(first.inode);
      holder.set_count(static_cast<uint32_t>(unique->end - unique->begin));
      result_.holdings.push_back({*unique->inode, std::move(holder)});
    } else if (IsGone(unique->error)) {
      ++result_.vanished;
    } else if (unique->error == ENOSYS) {
      result_.unavailable = true;
    } else {
      AddGap(*unique, unique->cookie.has_value() ? "ioctl SIOCGSKNS" : "pidfd_getfd");
    }
  }

 private:
  void ResolveCookie(Unique* unique) {
    const auto known = cookies_.find(*unique->cookie);
    if (known != cookies_.end()) {
      unique->inode = known->second;
      return;
    }
    // Who may not ask for one of a namespace's sockets may not ask for any of them.
    const auto refused = refused_.find(*unique->cookie);
    if (refused != refused_.end()) {
      unique->error = refused->second;
      return;
    }
    const FdFindings::Socket& socket = sockets_[unique->answered];
    ForeignFds* const fds = asker_.Of(socket.place, &unique->error);
    if (fds == nullptr) return;
    const Answer<NamespaceId> ns = fds->NamespaceOfSocket(socket.place.fd, socket.inode);
    unique->error = ns.error;
    if (ns.value.has_value()) {
      unique->inode = ns.value->inode;
      cookies_.emplace(*unique->cookie, ns.value->inode);
    } else if (!IsGone(ns.error)) {
      refused_.emplace(*unique->cookie, ns.error);
    }
  }

  void AddGap(const Unique& unique, absl::string_view operation) {
    const FdPlace& place = sockets_[unique.begin].place;
    result_.gaps.Add({.kind = GapSubject::kProcess, .number = static_cast<uint64_t>(place.pid)},
                     operation, unique.error, kUnknownSockets);
  }

  const std::vector<FdFindings::Socket>& sockets_;
  Asker asker_;
  absl::flat_hash_map<uint64_t, uint32_t> cookies_;
  absl::flat_hash_map<uint64_t, int> refused_;
  SocketHoldings& result_;
};

}  // namespace

SocketHoldings ScanSockets(std::vector<FdFindings::Socket> sockets, ForeignFdAccess& access,
                           SocketScanOptions options) {
  absl::c_sort(sockets);
  std::vector<Unique> all = FindUnique(sockets);
  if (options.list_own != nullptr && all.size() >= options.many) {
    const base::OwnSockets own = options.list_own();
    for (Unique& unique : all) {
      unique.answered = unique.begin;
      if (absl::c_binary_search(own.inodes, sockets[unique.begin].inode))
        unique.cookie = own.cookie;
    }
  }
  std::vector<Asker> askers;
  for (int i = 0; i < std::max(options.threads, 1); ++i) askers.emplace_back(&access);
  base::ParallelFor(all.size(), kSocketsPerPiece, static_cast<int>(askers.size()),
                    [&](size_t begin, size_t end, int worker) {
                      for (size_t i = begin; i < end; ++i) {
                        if (!all[i].cookie.has_value()) Ask(sockets, askers[worker], &all[i]);
                      }
                    });
  SocketHoldings result;
  result.examined = all.size();
  Resolver resolver(sockets, access, std::move(options.cookies), &result);
  for (Unique& unique : all) resolver.Add(&unique);
  return result;
}

SocketHoldings ScanTuns(std::vector<FdPlace> tuns, ForeignFdAccess& access) {
  absl::c_sort(tuns);
  SocketHoldings result;
  Asker asker(&access);
  for (const FdPlace& place : tuns) {
    int error = 0;
    ForeignFds* const fds = asker.Of(place, &error);
    Answer<NamespaceId> ns{.value = std::nullopt, .error = error};
    if (fds != nullptr) ns = fds->NamespaceOfTun(place.fd);
    ++result.examined;
    if (ns.value.has_value()) {
      result.holdings.push_back({ns.value->inode, HolderOf(FdHolder::tun, place)});
    } else if (!IsGone(ns.error) && ns.error != ENOSYS) {
      result.gaps.Add({.kind = GapSubject::kProcess, .number = static_cast<uint64_t>(place.pid)},
                      "pidfd_getfd", ns.error,
                      "the network namespace of its TUN device is unknown");
    }
  }
  return result;
}

}  // namespace nsctl::nsdisc
