#include "base/btf.h"

#include <linux/btf.h>

#include <cstring>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace nsctl::base {
namespace {

// linux/btf.h of Linux 5.16 to 6.0; older headers lack them.
constexpr uint32_t kKindDeclTag = 17;
constexpr uint32_t kKindTypeTag = 18;
constexpr uint32_t kKindEnum64 = 19;

constexpr uint32_t kPointerSize = 8;
// Deeper than the kernel itself accepts (MAX_RESOLVE_DEPTH), and so many members in one search that
// no structure of a kernel comes near.
constexpr int kMaxDepth = 32;
constexpr int kMaxMembersSearched = 1 << 16;

// What follows the head of a type of this kind; nullopt for kinds that are not known.
std::optional<size_t> TailSize(uint32_t kind, uint32_t length) {
  switch (kind) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case kKindDeclTag:
      return sizeof(uint32_t);
    case BTF_KIND_ARRAY:
      return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return length * sizeof(btf_member);
    case BTF_KIND_ENUM:
      return length * sizeof(btf_enum);
    case BTF_KIND_FUNC_PROTO:
      return length * sizeof(btf_param);
    case BTF_KIND_DATASEC:
      return length * sizeof(btf_var_secinfo);
    case kKindEnum64:
      return length * 3 * sizeof(uint32_t);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case kKindTypeTag:
      return 0;
    default:
      return std::nullopt;
  }
}

absl::Status Unsound(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("BTF: ", what));
}

template <typename T>
T Load(absl::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

}  // namespace

struct Btf::Type {
  uint32_t kind = 0;
  // Of members, parameters and the like.
  uint32_t length = 0;
  // Members' places then tell the width of bit fields, too.
  bool kind_flag = false;
  uint32_t name = 0;
  uint32_t size_or_type = 0;
  absl::string_view tail;

  bool is_structure() const { return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION; }
};

absl::StatusOr<Btf> Btf::Parse(absl::string_view bytes) {
  if (bytes.size() < sizeof(btf_header)) return Unsound("shorter than its header");
  const auto header = Load<btf_header>(bytes, 0);
  if (header.magic != BTF_MAGIC) return Unsound("another magic number");
  if (header.version != BTF_VERSION) {
    return absl::UnimplementedError(absl::StrCat("BTF: version ", header.version));
  }
  const auto is_inside = [&](uint64_t offset, uint64_t length) {
    return header.hdr_len + offset + length <= bytes.size();
  };
  if (header.hdr_len < sizeof(btf_header) || bytes.size() > kMaxBtf ||
      !is_inside(header.type_off, header.type_len) || !is_inside(header.str_off, header.str_len)) {
    return Unsound("sections outside of it");
  }
  Btf btf;
  btf.types_ = bytes.substr(size_t{header.hdr_len} + header.type_off, header.type_len);
  btf.names_ = bytes.substr(size_t{header.hdr_len} + header.str_off, header.str_len);
  NSCTL_RETURN_IF_ERROR(btf.Index());
  return btf;
}

absl::Status Btf::Index() {
  offsets_.push_back(0);
  for (size_t at = 0; at < types_.size();) {
    const size_t id = offsets_.size();
    if (types_.size() - at < sizeof(btf_type)) return Unsound(absl::StrCat("type ", id, " is cut"));
    const auto head = Load<btf_type>(types_, at);
    const std::optional<size_t> tail = TailSize(BTF_INFO_KIND(head.info), BTF_INFO_VLEN(head.info));
    if (!tail.has_value()) {
      return absl::UnimplementedError(
          absl::StrCat("BTF: type ", id, " is of kind ", BTF_INFO_KIND(head.info)));
    }
    if (types_.size() - at - sizeof(btf_type) < *tail) {
      return Unsound(absl::StrCat("type ", id, " is cut"));
    }
    offsets_.push_back(static_cast<uint32_t>(at));
    const uint32_t kind = BTF_INFO_KIND(head.info);
    if ((kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION) && head.name_off != 0) {
      structures_.push_back({static_cast<uint32_t>(id), head.name_off});
    }
    at += sizeof(btf_type) + *tail;
  }
  return absl::OkStatus();
}

// Void for an id that there is not.
Btf::Type Btf::TypeAt(uint32_t id) const {
  if (id == 0 || id >= offsets_.size()) return {};
  const auto head = Load<btf_type>(types_, offsets_[id]);
  Type type;
  type.kind = BTF_INFO_KIND(head.info);
  type.length = BTF_INFO_VLEN(head.info);
  type.kind_flag = BTF_INFO_KFLAG(head.info);
  type.name = head.name_off;
  type.size_or_type = head.size;
  type.tail =
      types_.substr(offsets_[id] + sizeof(btf_type), TailSize(type.kind, type.length).value_or(0));
  return type;
}

// Empty where the names do not tell it.
absl::string_view Btf::NameAt(uint32_t offset) const {
  if (offset >= names_.size()) return "";
  const size_t end = names_.find('\0', offset);
  return end == absl::string_view::npos ? "" : names_.substr(offset, end - offset);
}

// A name that cannot be read is none. There are ten thousand to compare, so no end is looked for.
bool Btf::IsNamed(const Structure& structure, absl::string_view name) const {
  if (name.empty() || structure.name >= names_.size()) return false;
  const absl::string_view rest = names_.substr(structure.name);
  return rest.size() > name.size() && rest[name.size()] == '\0' && absl::StartsWith(rest, name);
}

std::optional<uint32_t> Btf::SizeOfType(uint32_t id) const {
  uint64_t count = 1;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const Type type = TypeAt(id);
    switch (type.kind) {
      case BTF_KIND_INT:
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_ENUM:
      case BTF_KIND_FLOAT:
      case kKindEnum64:
        count *= type.size_or_type;
        break;
      case BTF_KIND_PTR:
        count *= kPointerSize;
        break;
      case BTF_KIND_ARRAY: {
        const auto array = Load<btf_array>(type.tail, 0);
        count *= array.nelems;
        id = array.type;
        if (count > std::numeric_limits<uint32_t>::max()) return std::nullopt;
        continue;
      }
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_CONST:
      case BTF_KIND_RESTRICT:
      case kKindTypeTag:
        id = type.size_or_type;
        continue;
      default:
        return std::nullopt;
    }
    if (count > std::numeric_limits<uint32_t>::max()) return std::nullopt;
    return static_cast<uint32_t>(count);
  }
  return std::nullopt;
}

// For one member: what was looked at counts over all structures that are on the way.
class Btf::Search {
 public:
  explicit Search(const Btf& btf) : btf_(btf) {}

  std::optional<BtfMember> Find(uint32_t structure, absl::string_view path, int depth) {
    const Type type = btf_.TypeAt(structure);
    if (!type.is_structure() || depth == 0) return std::nullopt;
    const size_t dot = path.find('.');
    const absl::string_view first = path.substr(0, dot);
    for (uint32_t i = 0; i < type.length; ++i) {
      if (++searched_ > kMaxMembersSearched) return std::nullopt;
      const auto member = Load<btf_member>(type.tail, i * sizeof(btf_member));
      const bool has_name = member.name_off != 0;
      if (has_name && btf_.NameAt(member.name_off) != first) continue;
      const std::optional<uint32_t> offset = ByteOffset(type, member);
      if (!offset.has_value()) continue;
      if (!has_name) {
        std::optional<BtfMember> inner = Find(StructureOf(member.type), path, depth - 1);
        if (inner.has_value()) return Shifted(*inner, *offset);
        continue;
      }
      if (dot == absl::string_view::npos) {
        const std::optional<uint32_t> size = btf_.SizeOfType(member.type);
        if (!size.has_value()) return std::nullopt;
        return Shifted({0, *size}, *offset);
      }
      const std::optional<BtfMember> inner =
          Find(StructureOf(member.type), path.substr(dot + 1), depth - 1);
      return inner.has_value() ? Shifted(*inner, *offset) : std::nullopt;
    }
    return std::nullopt;
  }

 private:
  // nullopt for a bit field.
  static std::optional<uint32_t> ByteOffset(const Type& type, const btf_member& member) {
    uint32_t bits = member.offset;
    if (type.kind_flag) {
      if (BTF_MEMBER_BITFIELD_SIZE(member.offset) != 0) return std::nullopt;
      bits = BTF_MEMBER_BIT_OFFSET(member.offset);
    }
    if (bits % 8 != 0) return std::nullopt;
    return bits / 8;
  }

  static std::optional<BtfMember> Shifted(const BtfMember& member, uint32_t offset) {
    if (member.offset > std::numeric_limits<uint32_t>::max() - offset) return std::nullopt;
    return BtfMember{member.offset + offset, member.size};
  }

  // What is behind names for types and qualifiers.
  uint32_t StructureOf(uint32_t id) const {
    for (int depth = 0; depth < kMaxDepth; ++depth) {
      const Type type = btf_.TypeAt(id);
      switch (type.kind) {
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_CONST:
        case kKindTypeTag:
          id = type.size_or_type;
          continue;
        default:
          return id;
      }
    }
    return 0;
  }

  const Btf& btf_;
  int searched_ = 0;
};

std::optional<BtfMember> Btf::FindMember(absl::string_view structure,
                                         absl::string_view path) const {
  Search search(*this);
  for (const Structure& one : structures_) {
    if (!IsNamed(one, structure)) continue;
    const std::optional<BtfMember> member = search.Find(one.id, path, kMaxDepth);
    if (member.has_value()) return member;
  }
  return std::nullopt;
}

std::optional<uint32_t> Btf::SizeOf(absl::string_view structure) const {
  for (const Structure& one : structures_) {
    if (IsNamed(one, structure)) return TypeAt(one.id).size_or_type;
  }
  return std::nullopt;
}

}  // namespace nsctl::base
