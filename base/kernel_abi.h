// Kernel interfaces that the oldest supported distribution's headers (Linux 6.1) do not know:
// numbers, flags and structures, spelled and laid out as in the kernel's own headers.
//
// The names differ from the kernel's macros and structures (kNsGetId for NS_GET_ID, MntIdReq for
// struct mnt_id_req; members keep theirs) so that this header works beside any version of
// <linux/*.h>. Nothing here calls the kernel; the wrappers in this folder do.
// That a constant is defined says nothing about the running kernel: see feature_probe.h.
//
// Source: include/uapi/linux/{nsfs,pidfd,mount,fanotify,magic,sched,stat}.h of Linux 6.18 to 7.0.

#ifndef NSCTL_BASE_KERNEL_ABI_H_
#define NSCTL_BASE_KERNEL_ABI_H_

#include <fcntl.h>
#include <linux/ioctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace nsctl::base::abi {

// From 424 on every architecture gives a system call the same number, but for an offset on some.
static_assert(SYS_openat2 == 437, "architecture with its own system call numbers");
inline constexpr long kSysStatmount = 457;
inline constexpr long kSysListmount = 458;
inline constexpr long kSysListns = 470;

// Not in all versions of <sched.h>.
inline constexpr uint32_t kCloneNewTime = 0x00000080;

// nsfs.h: requests on a namespace's descriptor.
inline constexpr unsigned long kNsGetUserns = _IO(0xb7, 0x1);
inline constexpr unsigned long kNsGetParent = _IO(0xb7, 0x2);
inline constexpr unsigned long kNsGetNstype = _IO(0xb7, 0x3);
inline constexpr unsigned long kNsGetOwnerUid = _IO(0xb7, 0x4);
inline constexpr unsigned long kNsGetMntnsId = _IOR(0xb7, 0x5, uint64_t);
inline constexpr unsigned long kNsGetPidFromPidns = _IOR(0xb7, 0x6, int);
inline constexpr unsigned long kNsGetTgidFromPidns = _IOR(0xb7, 0x7, int);
inline constexpr unsigned long kNsGetPidInPidns = _IOR(0xb7, 0x8, int);
inline constexpr unsigned long kNsGetTgidInPidns = _IOR(0xb7, 0x9, int);

struct MntNsInfo {
  uint32_t size;
  uint32_t nr_mounts;
  uint64_t mnt_ns_id;
};
static_assert(sizeof(MntNsInfo) == 16);

inline constexpr unsigned long kNsMntGetInfo = _IOR(0xb7, 10, MntNsInfo);
inline constexpr unsigned long kNsMntGetNext = _IOR(0xb7, 11, MntNsInfo);
inline constexpr unsigned long kNsMntGetPrev = _IOR(0xb7, 12, MntNsInfo);
inline constexpr unsigned long kNsGetId = _IOR(0xb7, 13, uint64_t);

// The payload of struct file_handle for a namespace.
struct NsfsFileHandle {
  uint64_t ns_id;
  uint32_t ns_type;
  uint32_t ns_inum;
};
static_assert(sizeof(NsfsFileHandle) == 16);
inline constexpr int kFileidNsfs = 0xf1;
// Stands for nsfs's own root where open_by_handle_at(2) wants a mount's descriptor.
inline constexpr int kFdNsfsRoot = -10003;

// The argument of listns(2).
struct NsIdReq {
  uint32_t size;
  uint32_t spare;
  uint64_t ns_id;
  uint32_t ns_type;
  uint32_t spare2;
  uint64_t user_ns_id;
};
static_assert(sizeof(NsIdReq) == 32);
inline constexpr uint64_t kListnsCurrentUser = ~uint64_t{0};

// pidfd.h: flags of pidfd_open(2) and requests on a pidfd.
inline constexpr unsigned int kPidfdThread = O_EXCL;

// The request for a namespace is _IO(kPidfsIoctlMagic, n); namespace_type.h has the n of each type.
inline constexpr unsigned int kPidfsIoctlMagic = 0xff;

struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroupid;
  uint32_t pid;
  uint32_t tgid;
  uint32_t ppid;
  uint32_t ruid;
  uint32_t rgid;
  uint32_t euid;
  uint32_t egid;
  uint32_t suid;
  uint32_t sgid;
  uint32_t fsuid;
  uint32_t fsgid;
  int32_t exit_code;
};
// The first published version. The kernel fills any later one only as far as it knows it.
static_assert(sizeof(PidfdInfo) == 64 && offsetof(PidfdInfo, exit_code) == 60);

inline constexpr unsigned long kPidfdGetInfo = _IOWR(kPidfsIoctlMagic, 11, PidfdInfo);
inline constexpr uint64_t kPidfdInfoPid = 1 << 0;
inline constexpr uint64_t kPidfdInfoCreds = 1 << 1;
inline constexpr uint64_t kPidfdInfoCgroupid = 1 << 2;
inline constexpr uint64_t kPidfdInfoExit = 1 << 3;

// What statfs(2) says of a pidfd where pidfds have inodes of their own.
inline constexpr uint64_t kPidFsMagic = 0x50494446;

// mount.h: the argument of listmount(2) and statmount(2).
struct MntIdReq {
  uint32_t size;
  uint32_t mnt_ns_fd;
  uint64_t mnt_id;
  uint64_t param;
  uint64_t mnt_ns_id;
};
// Kernels that do not know mnt_ns_id take the longer structure while that is 0.
static_assert(sizeof(MntIdReq) == 32 && offsetof(MntIdReq, mnt_ns_id) == 24);
// MntIdReq::mnt_id for all mounts of the namespace.
inline constexpr uint64_t kLsmtRoot = ~uint64_t{0};
inline constexpr unsigned int kListmountReverse = 1 << 0;

// mount.h: the result of statmount(2).
struct Statmount {
  uint32_t size;
  uint32_t mnt_opts;
  uint64_t mask;
  uint32_t sb_dev_major;
  uint32_t sb_dev_minor;
  uint64_t sb_magic;
  uint32_t sb_flags;
  uint32_t fs_type;
  uint64_t mnt_id;
  uint64_t mnt_parent_id;
  uint32_t mnt_id_old;
  uint32_t mnt_parent_id_old;
  uint64_t mnt_attr;
  uint64_t mnt_propagation;
  uint64_t mnt_peer_group;
  uint64_t mnt_master;
  uint64_t propagate_from;
  uint32_t mnt_root;
  uint32_t mnt_point;
  uint64_t mnt_ns_id;
  uint32_t fs_subtype;
  uint32_t sb_source;
  uint32_t opt_num;
  uint32_t opt_array;
  uint32_t opt_sec_num;
  uint32_t opt_sec_array;
  uint64_t supported_mask;
  uint32_t mnt_uidmap_num;
  uint32_t mnt_uidmap;
  uint32_t mnt_gidmap_num;
  uint32_t mnt_gidmap;
  uint64_t spare2[43];
  // Strings follow: the uint32_t fields above are offsets from here.
};
static_assert(sizeof(Statmount) == 512);
static_assert(offsetof(Statmount, mnt_id) == 40 && offsetof(Statmount, mnt_root) == 104);
static_assert(offsetof(Statmount, supported_mask) == 144 && offsetof(Statmount, spare2) == 168);

inline constexpr uint64_t kStatmountSbBasic = 0x1;
inline constexpr uint64_t kStatmountMntBasic = 0x2;
// Makes the kernel walk the propagation tree for every mount: quadratic in large slave namespaces.
inline constexpr uint64_t kStatmountPropagateFrom = 0x4;
inline constexpr uint64_t kStatmountMntRoot = 0x8;
inline constexpr uint64_t kStatmountMntPoint = 0x10;
inline constexpr uint64_t kStatmountFsType = 0x20;
inline constexpr uint64_t kStatmountMntNsId = 0x40;
inline constexpr uint64_t kStatmountMntOpts = 0x80;
inline constexpr uint64_t kStatmountFsSubtype = 0x100;
inline constexpr uint64_t kStatmountSbSource = 0x200;
inline constexpr uint64_t kStatmountOptArray = 0x400;
inline constexpr uint64_t kStatmountOptSecArray = 0x800;
inline constexpr uint64_t kStatmountSupportedMask = 0x1000;
inline constexpr uint64_t kStatmountMntUidmap = 0x2000;
inline constexpr uint64_t kStatmountMntGidmap = 0x4000;

// stat.h: statx(2)'s stx_mnt_id is then the 64-bit id that statmount(2) takes.
inline constexpr unsigned int kStatxMntIdUnique = 0x4000;

// fanotify.h: watching a mount namespace.
inline constexpr unsigned int kFanReportMnt = 0x4000;
inline constexpr unsigned int kFanMarkMntns = 0x110;
inline constexpr uint64_t kFanMntAttach = 0x01000000;
inline constexpr uint64_t kFanMntDetach = 0x02000000;

// asm-generic/socket.h: getsockopt(2).
inline constexpr int kSoNetnsCookie = 71;

}  // namespace nsctl::base::abi

#endif  // NSCTL_BASE_KERNEL_ABI_H_
