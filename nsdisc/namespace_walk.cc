#include "nsdisc/namespace_walk.h"

#include <cstring>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;

// What the program notes: how many members, whether it came round, then the members.
constexpr int16_t kCountAt = 0;
constexpr int16_t kCompleteAt = 8;
constexpr uint32_t kMembersAt = 16;

// linux/bpf.h of Linux 6.9.
constexpr uint8_t kJumpConditionally = 0xe0;

// On the program's stack, from its frame pointer.
constexpr int16_t kPointerAt = -8;
constexpr int16_t kHolderAt = -16;
constexpr int16_t kOffsetAt = -24;
constexpr int16_t kMemberAt = -32;

class Assembler {
 public:
  struct Label {
    std::vector<size_t> jumps;
    size_t at = 0;
  };

  void Move(uint8_t to, uint8_t from) { Emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void Set(uint8_t to, int32_t value) { Emit(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
  void Add(uint8_t to, uint8_t from) { Emit(BPF_ALU64 | BPF_ADD | BPF_X, to, from, 0, 0); }
  void AddNumber(uint8_t to, int32_t value) { Emit(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value); }
  void Multiply(uint8_t to, int32_t value) { Emit(BPF_ALU64 | BPF_MUL | BPF_K, to, 0, 0, value); }
  void Load(uint8_t to, uint8_t from, int16_t offset) {
    Emit(BPF_LDX | BPF_MEM | BPF_DW, to, from, offset, 0);
  }
  void Store(uint8_t to, int16_t offset, uint8_t from) {
    Emit(BPF_STX | BPF_MEM | BPF_DW, to, from, offset, 0);
  }
  void StoreNumber(uint8_t to, int16_t offset, int32_t value) {
    Emit(BPF_ST | BPF_MEM | BPF_DW, to, 0, offset, value);
  }
  // The address of the first value of a map; takes two instructions.
  void SetToMapValue(uint8_t to, int map_fd) {
    Emit(BPF_LD | BPF_IMM | BPF_DW, to, BPF_PSEUDO_MAP_VALUE, 0, map_fd);
    Emit(0, 0, 0, 0, 0);
  }
  void Call(bpf_func_id function) { Emit(BPF_JMP | BPF_CALL, 0, 0, 0, function); }
  void Exit() { Emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

  void JumpUnlessZero(uint8_t what, Label* target) {
    Jump(BPF_JMP | BPF_JNE | BPF_K, what, 0, 0, target);
  }
  void JumpIfAtLeast(uint8_t what, int32_t value, Label* target) {
    Jump(BPF_JMP | BPF_JGE | BPF_K, what, 0, value, target);
  }
  void JumpIfEqual(uint8_t a, uint8_t b, Label* target) {
    Jump(BPF_JMP | BPF_JEQ | BPF_X, a, b, 0, target);
  }
  void JumpIfLess(uint8_t a, uint8_t b, Label* target) {
    Jump(BPF_JMP | BPF_JLT | BPF_X, a, b, 0, target);
  }
  // Taken once the kernel thinks that the program has run for long enough.
  void JumpIfTooLong(Label* target) { Jump(BPF_JMP | kJumpConditionally, 0, 0, 0, target); }

  void Place(Label* label) { label->at = instructions_.size(); }

  // Once all labels are placed.
  void Resolve(const Label& label) {
    for (const size_t jump : label.jumps) {
      instructions_[jump].off =
          static_cast<int16_t>(static_cast<int64_t>(label.at) - static_cast<int64_t>(jump) - 1);
    }
  }

  std::vector<bpf_insn> Take() { return std::move(instructions_); }

 private:
  void Emit(uint8_t code, uint8_t to, uint8_t from, int16_t offset, int32_t value) {
    bpf_insn instruction = {};
    instruction.code = code;
    instruction.dst_reg = to & 0xf;
    instruction.src_reg = from & 0xf;
    instruction.off = offset;
    instruction.imm = value;
    instructions_.push_back(instruction);
  }

  void Jump(uint8_t code, uint8_t a, uint8_t b, int32_t value, Label* target) {
    target->jumps.push_back(instructions_.size());
    Emit(code, a, b, 0, value);
  }

  std::vector<bpf_insn> instructions_;
};

template <typename T>
T Load(absl::string_view image, uint32_t offset) {
  T value;
  std::memcpy(&value, image.data() + offset, sizeof(value));
  return value;
}

}  // namespace

// R6: what is noted. R7: the list's member at hand. R8: the first one. R9: when to give up.
std::vector<bpf_insn> NamespaceWalkProgram(const NamespaceLayout& layout, int map_fd,
                                           uint32_t capacity) {
  Assembler as;
  Assembler::Label next_member, done, end;
  const auto read_pointer = [&] {
    as.Move(BPF_REG_1, BPF_REG_10);
    as.AddNumber(BPF_REG_1, kPointerAt);
    as.Set(BPF_REG_2, sizeof(uint64_t));
    as.Call(BPF_FUNC_probe_read_kernel);
    as.JumpUnlessZero(BPF_REG_0, &end);
  };
  as.Load(BPF_REG_2, BPF_REG_1, 0);
  as.Store(BPF_REG_10, kHolderAt, BPF_REG_2);
  as.Load(BPF_REG_2, BPF_REG_1, 8);
  as.Store(BPF_REG_10, kOffsetAt, BPF_REG_2);
  as.Load(BPF_REG_8, BPF_REG_1, 16);
  as.Load(BPF_REG_9, BPF_REG_1, 24);
  as.SetToMapValue(BPF_REG_6, map_fd);
  as.StoreNumber(BPF_REG_6, kCountAt, 0);
  as.StoreNumber(BPF_REG_6, kCompleteAt, 0);
  as.Call(BPF_FUNC_ktime_get_ns);
  as.Add(BPF_REG_9, BPF_REG_0);

  as.Call(BPF_FUNC_get_current_task);
  as.Move(BPF_REG_3, BPF_REG_0);
  as.Load(BPF_REG_1, BPF_REG_10, kHolderAt);
  as.Add(BPF_REG_3, BPF_REG_1);
  read_pointer();
  as.Load(BPF_REG_3, BPF_REG_10, kPointerAt);
  as.Load(BPF_REG_1, BPF_REG_10, kOffsetAt);
  as.Add(BPF_REG_3, BPF_REG_1);
  read_pointer();
  as.Load(BPF_REG_1, BPF_REG_10, kPointerAt);
  as.Add(BPF_REG_8, BPF_REG_1);
  as.Move(BPF_REG_7, BPF_REG_8);

  as.Place(&next_member);
  as.JumpIfTooLong(&end);
  as.Load(BPF_REG_1, BPF_REG_6, kCountAt);
  as.JumpIfAtLeast(BPF_REG_1, static_cast<int32_t>(capacity), &end);
  as.Multiply(BPF_REG_1, static_cast<int32_t>(layout.image_size));
  as.Add(BPF_REG_1, BPF_REG_6);
  as.AddNumber(BPF_REG_1, kMembersAt);
  as.Store(BPF_REG_10, kMemberAt, BPF_REG_1);
  as.Set(BPF_REG_2, static_cast<int32_t>(layout.image_size));
  as.Move(BPF_REG_3, BPF_REG_7);
  as.AddNumber(BPF_REG_3, -static_cast<int32_t>(layout.next));
  as.Call(BPF_FUNC_probe_read_kernel);
  as.JumpUnlessZero(BPF_REG_0, &end);
  as.Load(BPF_REG_1, BPF_REG_10, kMemberAt);
  as.Load(BPF_REG_7, BPF_REG_1, static_cast<int16_t>(layout.next));
  as.Load(BPF_REG_2, BPF_REG_6, kCountAt);
  as.AddNumber(BPF_REG_2, 1);
  as.Store(BPF_REG_6, kCountAt, BPF_REG_2);
  as.JumpIfEqual(BPF_REG_7, BPF_REG_8, &done);
  as.Call(BPF_FUNC_ktime_get_ns);
  as.JumpIfLess(BPF_REG_0, BPF_REG_9, &next_member);
  as.Place(&end);
  as.Set(BPF_REG_0, 0);
  as.Exit();
  as.Place(&done);
  as.StoreNumber(BPF_REG_6, kCompleteAt, 1);
  as.Set(BPF_REG_0, 0);
  as.Exit();
  for (const Assembler::Label* label : {&next_member, &done, &end}) as.Resolve(*label);
  return as.Take();
}

uint32_t WalkSize(const NamespaceLayout& layout, uint32_t capacity) {
  return kMembersAt + capacity * layout.image_size;
}

std::array<uint64_t, 4> WalkArguments(const NamespaceLayout& layout,
                                      const NamespaceLayout::Start& start, absl::Duration time) {
  return {start.holder, start.pointer, uint64_t{start.common} + layout.next,
          static_cast<uint64_t>(absl::ToInt64Nanoseconds(time))};
}

absl::StatusOr<NamespaceWalk> ParseNamespaceWalk(const NamespaceLayout& layout, NamespaceType type,
                                                 uint32_t capacity, absl::string_view noted) {
  const char* const name = base::InfoOf(type).name;
  const uint32_t flag = base::InfoOf(type).clone_flag;
  const uint64_t count =
      noted.size() < WalkSize(layout, capacity) ? 0 : Load<uint64_t>(noted, kCountAt);
  if (count == 0 || count > capacity) {
    return absl::DataLossError(absl::StrCat("no list of ", name, " namespaces where it should be"));
  }
  NamespaceWalk walk;
  walk.complete = Load<uint64_t>(noted, kCompleteAt) != 0;
  walk.is_full = !walk.complete && count == capacity;
  uint64_t operations = 0;
  uint64_t others = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const absl::string_view image =
        noted.substr(kMembersAt + i * layout.image_size, layout.image_size);
    if (i == 0) operations = Load<uint64_t>(image, layout.operations);
    const ListedNamespace one{type, Load<uint64_t>(image, layout.kernel_id),
                              Load<uint32_t>(image, layout.inode)};
    // The functions are those of all namespaces of the type, and of nothing else.
    const bool is_namespace = operations != 0 &&
                              Load<uint64_t>(image, layout.operations) == operations &&
                              Load<uint32_t>(image, layout.type) == flag;
    if (i == 0) {
      if (!is_namespace) {
        return absl::DataLossError(
            absl::StrCat("no ", name, " namespace where the scanner's own should be"));
      }
      walk.own = one;
    }
    if (!is_namespace) {
      ++others;
      continue;
    }
    // An id is overwritten while what had it is freed.
    if (Load<uint32_t>(image, layout.references) == 0) continue;
    if (layout.active_references.has_value() &&
        Load<int32_t>(image, *layout.active_references) <= 0) {
      continue;
    }
    if (one.inode != 0 && one.kernel_id != 0) walk.found.push_back(one);
  }
  if (others > 1 || (walk.complete && others != 1)) {
    return absl::DataLossError(
        absl::StrCat("the list of ", name, " namespaces has ", others, " members that are none"));
  }
  absl::c_sort(walk.found, [](const ListedNamespace& a, const ListedNamespace& b) {
    return a.kernel_id < b.kernel_id;
  });
  return walk;
}

}  // namespace nsctl::nsdisc
