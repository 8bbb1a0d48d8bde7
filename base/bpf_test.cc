#include "base/bpf.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::testing::HasSubstr;

bpf_insn Instruction(uint8_t code, uint8_t to, uint8_t from, int16_t offset, int32_t value) {
  bpf_insn instruction = {};
  instruction.code = code;
  instruction.dst_reg = to & 0xf;
  instruction.src_reg = from & 0xf;
  instruction.off = offset;
  instruction.imm = value;
  return instruction;
}

// Adds its second argument to the value.
std::vector<bpf_insn> Adder(int map_fd) {
  return {
      Instruction(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_1, 8, 0),
      Instruction(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_7, BPF_PSEUDO_MAP_VALUE, 0, map_fd),
      Instruction(0, 0, 0, 0, 0),
      Instruction(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_8, BPF_REG_7, 0, 0),
      Instruction(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_8, BPF_REG_6, 0, 0),
      Instruction(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_8, 0, 0),
      Instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
      Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
}

TEST(Bpf, RunsAProgramAsOftenAsItIsTold) {
  const absl::StatusOr<OwnedFd> map = CreateBpfValue("test", sizeof(uint64_t));
  NSCTL_SKIP_IF_LACKING(map.status(), "CAP_BPF");
  ASSERT_THAT(map, IsOk());
  const std::vector<bpf_insn> adder = Adder(map->get());
  const absl::StatusOr<OwnedFd> program = LoadBpfProgram({"test", "Apache-2.0", adder});
  NSCTL_SKIP_IF_LACKING(program.status(), "CAP_PERFMON");
  ASSERT_THAT(program, IsOk());

  ASSERT_THAT(RunBpfProgram(*program, std::vector<uint64_t>{1, 40}), IsOk());
  ASSERT_THAT(RunBpfProgram(*program, std::vector<uint64_t>{1, 2}), IsOk());

  uint64_t value = 0;
  ASSERT_THAT(ReadBpfValue(*map, absl::MakeSpan(reinterpret_cast<char*>(&value), sizeof(value))),
              IsOk());
  EXPECT_EQ(value, 42U);
}

TEST(Bpf, NeedsTheArgumentsThatAreRead) {
  const absl::StatusOr<OwnedFd> map = CreateBpfValue("test", sizeof(uint64_t));
  NSCTL_SKIP_IF_LACKING(map.status(), "CAP_BPF");
  ASSERT_THAT(map, IsOk());
  const std::vector<bpf_insn> adder = Adder(map->get());
  const absl::StatusOr<OwnedFd> program = LoadBpfProgram({"test", "Apache-2.0", adder});
  NSCTL_SKIP_IF_LACKING(program.status(), "CAP_PERFMON");
  ASSERT_THAT(program, IsOk());

  EXPECT_THAT(RunBpfProgram(*program, std::vector<uint64_t>{1}), HasErrno(EINVAL));
}

TEST(Bpf, SaysWhyTheVerifierRefuses) {
  NSCTL_SKIP_IF_LACKING(CreateBpfValue("test", 8).status(), "CAP_BPF");
  // It returns what was never set.
  const std::vector<bpf_insn> wrong = {Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};

  const absl::Status status = LoadBpfProgram({"test", "Apache-2.0", wrong}).status();

  NSCTL_SKIP_IF_LACKING(ErrnoOf(status) == EPERM ? status : absl::OkStatus(), "CAP_PERFMON");
  EXPECT_THAT(status, HasErrno(EACCES));
  EXPECT_THAT(std::string(status.message()), HasSubstr("R0 !read_ok"));
}

// bpf_probe_read_kernel is for programs under licenses that the kernel has named.
TEST(Bpf, LetsOnlySomeLicensesReadTheKernel) {
  NSCTL_SKIP_IF_LACKING(CreateBpfValue("test", 8).status(), "CAP_BPF");
  const std::vector<bpf_insn> reader = {
      Instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0),
      Instruction(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -8),
      Instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 8),
      Instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0),
      Instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
      Instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
      Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };

  const absl::Status refused = LoadBpfProgram({"test", "Apache-2.0", reader}).status();
  const absl::Status taken = LoadBpfProgram({"test", "Dual MIT/GPL", reader}).status();

  NSCTL_SKIP_IF_LACKING(taken, "CAP_PERFMON, and a kernel that is not locked down");
  EXPECT_THAT(taken, IsOk());
  EXPECT_THAT(refused, HasErrno(EINVAL));
}

TEST(Bpf, FailsOnWhatIsNoProgramAndNoMap) {
  char value[8];

  EXPECT_FALSE(RunBpfProgram(FdRef(-1), std::vector<uint64_t>{1}).ok());
  EXPECT_FALSE(ReadBpfValue(FdRef(-1), absl::MakeSpan(value)).ok());
}

}  // namespace
}  // namespace nsctl::base
