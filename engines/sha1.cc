#include "engines/sha1.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace nsctl::engines {
namespace {

constexpr size_t kBlock = 64;
constexpr int kRounds = 80;

using Digest = std::array<uint32_t, 5>;

struct Round {
  uint32_t mixed;
  uint32_t constant;
};

Round RoundOf(int round, uint32_t b, uint32_t c, uint32_t d) {
  if (round < 20) return {(b & c) | (~b & d), 0x5a827999};
  if (round < 40) return {b ^ c ^ d, 0x6ed9eba1};
  if (round < 60) return {(b & c) | (b & d) | (c & d), 0x8f1bbcdc};
  return {b ^ c ^ d, 0xca62c1d6};
}

void TakeBlock(absl::string_view block, Digest* digest) {
  std::array<uint32_t, kRounds> words = {};
  for (size_t i = 0; i < kBlock; ++i) {
    words[i / 4] = words[i / 4] << 8 | static_cast<unsigned char>(block[i]);
  }
  for (size_t i = 16; i < kRounds; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  auto [a, b, c, d, e] = *digest;
  for (int i = 0; i < kRounds; ++i) {
    const Round round = RoundOf(i, b, c, d);
    const uint32_t next =
        std::rotl(a, 5) + round.mixed + e + round.constant + words[static_cast<size_t>(i)];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  *digest = {(*digest)[0] + a, (*digest)[1] + b, (*digest)[2] + c, (*digest)[3] + d,
             (*digest)[4] + e};
}

}  // namespace

std::string Sha1(absl::string_view text) {
  std::string padded(text);
  padded += static_cast<char>(0x80);
  while (padded.size() % kBlock != kBlock - 8) padded += '\0';
  const uint64_t bits = static_cast<uint64_t>(text.size()) * 8;
  for (int shift = 56; shift >= 0; shift -= 8) padded += static_cast<char>(bits >> shift & 0xff);
  Digest digest = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (size_t at = 0; at < padded.size(); at += kBlock) {
    TakeBlock(absl::string_view(padded).substr(at, kBlock), &digest);
  }
  std::string bytes;
  for (const uint32_t word : digest) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift & 0xff);
  }
  return bytes;
}

}  // namespace nsctl::engines
