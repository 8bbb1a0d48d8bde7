#include "engines/sha1.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

// FIPS 180-4's examples, and texts around the size of a block.
TEST(Sha1, IsAsDefined) {
  struct Case {
    std::string name;
    std::string text;
    std::string digest;
  };
  for (const Case& row : {
           Case{"empty", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
           Case{"short", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
           Case{"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
           Case{"many", std::string(1'000'000, 'a'), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
           Case{"55 bytes", std::string(55, 'x'), "cef734ba81a024479e09eb5a75b6ddae62e6abf1"},
           Case{"64 bytes", std::string(64, 'x'), "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163"},
       }) {
    EXPECT_EQ(absl::BytesToHexString(Sha1(row.text)), row.digest) << row.name;
  }
}

}  // namespace
}  // namespace nsctl::engines
