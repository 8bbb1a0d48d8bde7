// Where members of the kernel's own structures are, as the kernel describes them (BTF).
//
//   NSCTL_ASSIGN_OR_RETURN(std::string bytes, ReadFileAt(..., "/sys/kernel/btf/vmlinux", kMaxBtf));
//   NSCTL_ASSIGN_OR_RETURN(const Btf btf, Btf::Parse(bytes));
//   const std::optional<BtfMember> inode = btf.FindMember("net", "ns.inum");
//
// Only what that takes is read: structures, unions and the sizes of types. Functions, enumerations
// and the rest are stepped over.

#ifndef NSCTL_BASE_BTF_H_
#define NSCTL_BASE_BTF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nsctl::base {

// More than any kernel has; distributions' have 5 to 8 MiB.
inline constexpr size_t kMaxBtf = 64 << 20;

// In bytes.
struct BtfMember {
  uint32_t offset = 0;
  uint32_t size = 0;

  friend bool operator==(const BtfMember&, const BtfMember&) = default;
};

class Btf {
 public:
  // The description of one kernel, or one program, in this machine's byte order; `bytes` must
  // outlive the result. Every type's head is checked here, members and names where they are asked
  // for.
  // Errors: INVALID_ARGUMENT, naming the type, where it is no BTF, cut, or inconsistent;
  // UNIMPLEMENTED for another version of the format, or a kind of type whose length is not known.
  // Source: Documentation/bpf/btf.rst.
  static absl::StatusOr<Btf> Parse(absl::string_view bytes);

  // The member `path` ("ns.inum") of the structure or union with that name. What is in members
  // without a name counts as the outer one's own, as in C. nullopt where there is none, where it is
  // a bit field, and where its place or size is not told in a sound way. Of several structures with
  // that name the first one that has it.
  std::optional<BtfMember> FindMember(absl::string_view structure, absl::string_view path) const;

  // nullopt where there is no structure or union with that name.
  std::optional<uint32_t> SizeOf(absl::string_view structure) const;

 private:
  struct Type;
  class Search;
  struct Structure {
    uint32_t id;
    uint32_t name;
  };

  absl::Status Index();
  Type TypeAt(uint32_t id) const;
  absl::string_view NameAt(uint32_t offset) const;
  bool IsNamed(const Structure& structure, absl::string_view name) const;
  std::optional<uint32_t> SizeOfType(uint32_t id) const;

  absl::string_view types_;
  absl::string_view names_;
  // Of each type, by id, from the start of the types; type 0 is void and has none.
  std::vector<uint32_t> offsets_;
  // Structures and unions that have a name.
  std::vector<Structure> structures_;
};

}  // namespace nsctl::base

#endif  // NSCTL_BASE_BTF_H_
