#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "engines/http_response.h"

namespace {

struct Parsed {
  absl::Status status;
  std::string body;
  bool done = false;
};

Parsed Parse(absl::string_view text, size_t step, bool head_only) {
  nsctl::engines::HttpResponseParser parser(head_only);
  Parsed parsed;
  while (parsed.status.ok() && !text.empty()) {
    parsed.status = parser.Feed(text.substr(0, step), &parsed.body);
    text.remove_prefix(step < text.size() ? step : text.size());
  }
  if (parsed.status.ok()) parsed.status = parser.Finish();
  parsed.done = parser.done();
  if (parsed.status.ok() && (!parsed.done || !parser.has_head())) std::abort();
  return parsed;
}

}  // namespace

// However the bytes are cut, the result is the same, and no body is longer than what was sent.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > 16 << 10) return 0;
  const bool head_only = data[0] == 'H' && size % 2 == 0;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const Parsed whole = Parse(text, size, head_only);
  for (const size_t step : {1, 5}) {
    const Parsed pieces = Parse(text, step, head_only);
    if (pieces.status != whole.status || pieces.done != whole.done) std::abort();
    if (pieces.body != whole.body || whole.body.size() > size) std::abort();
  }
  if (absl::StrContains(whole.status.message(), '\n')) std::abort();
  return 0;
}
