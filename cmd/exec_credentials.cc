#include "cmd/exec_credentials.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace nsctl::cmd {
namespace {

// The C library's functions of these names would tell its other threads, of which there are none.
long SetGroups(const std::vector<gid_t>& groups) {
  return syscall(SYS_setgroups, groups.size(), groups.data());
}

// Whether the supplementary groups are these already.
bool HasGroups(std::vector<gid_t> groups) {
  std::vector<gid_t> own(static_cast<size_t>(std::max(getgroups(0, nullptr), 0)));
  if (getgroups(static_cast<int>(own.size()), own.data()) != static_cast<int>(own.size())) {
    return false;
  }
  std::sort(own.begin(), own.end());
  std::sort(groups.begin(), groups.end());
  return own == groups;
}

constexpr int kCapabilities = 64;

struct CapabilityData {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3] = {};
};

bool SetCapabilities(uint64_t permitted, uint64_t inheritable) {
  CapabilityData data;
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    const int shift = 32 * i;
    data.words[i].effective = static_cast<uint32_t>(permitted >> shift);
    data.words[i].permitted = static_cast<uint32_t>(permitted >> shift);
    data.words[i].inheritable = static_cast<uint32_t>(inheritable >> shift);
  }
  return syscall(SYS_capset, &data.header, data.words) == 0;
}

bool SetAmbient(uint64_t ambient) {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return false;
  for (int i = 0; i < kCapabilities; ++i) {
    if ((ambient >> i & 1) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0) return false;
  }
  return true;
}

bool DropFromBoundingSet(uint64_t bounding) {
  for (int i = 0; i < kCapabilities; ++i) {
    if ((bounding >> i & 1) != 0 || prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 1) continue;
    if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) return false;
  }
  return true;
}

// All permitted capabilities become ambient.
bool KeepAll() {
  CapabilityData data;
  if (syscall(SYS_capget, &data.header, data.words) != 0) return false;
  const uint64_t permitted = data.words[0].permitted | uint64_t{data.words[1].permitted} << 32;
  return SetCapabilities(permitted, permitted) && SetAmbient(permitted);
}

CredentialFailure Failed(const char* step) { return {.step = step, .error = errno}; }

}  // namespace

CredentialFailure ApplyCredentials(const Credentials& credentials, bool groups_dropped) {
  // While there still is CAP_SETPCAP.
  if (credentials.capabilities && !DropFromBoundingSet(credentials.capabilities->bounding)) {
    return Failed("drop from the bounding set");
  }
  bool groups_stay = false;
  if (credentials.groups && SetGroups(*credentials.groups) != 0 && !groups_dropped) {
    const CredentialFailure failure = Failed(kSetGroups);
    groups_stay = failure.error == EPERM && !HasGroups(*credentials.groups);
    if (failure.error != EPERM || (groups_stay && !credentials.may_keep_groups)) return failure;
  }
  if (credentials.gid &&
      syscall(SYS_setresgid, *credentials.gid, *credentials.gid, *credentials.gid) != 0) {
    return Failed(kSetGid);
  }
  const bool keeps = credentials.keep_capabilities || credentials.capabilities.has_value();
  if (keeps && prctl(PR_SET_KEEPCAPS, 1) != 0) return Failed("keep capabilities");
  if (credentials.uid &&
      syscall(SYS_setresuid, *credentials.uid, *credentials.uid, *credentials.uid) != 0) {
    return Failed(kSetUid);
  }
  if (credentials.capabilities) {
    const CapabilitySets& sets = *credentials.capabilities;
    if (!SetCapabilities(sets.permitted, sets.inheritable)) return Failed("set capabilities");
    if (!SetAmbient(sets.ambient)) return Failed("set ambient capabilities");
  } else if (credentials.keep_capabilities && !KeepAll()) {
    return Failed("keep capabilities");
  }
  if (credentials.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Failed("set no_new_privs");
  }
  return {.groups_stay = groups_stay};
}

}  // namespace nsctl::cmd
