// The parser of HTTP/1.1 responses, fed with bytes as they arrive (RFC 9112).
//
// It knows what engines send: a head, and a body that is delimited by Content-Length, by chunks or
// by the connection's end. What is ambiguous is refused, not guessed: the peer may be a stranger.

#ifndef NSCTL_ENGINES_HTTP_RESPONSE_H_
#define NSCTL_ENGINES_HTTP_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nsctl::engines {

// Status line and fields in all; trailers have the same limit.
inline constexpr size_t kMaxHttpHead = 64 << 10;
// The line before a chunk, with its extensions.
inline constexpr size_t kMaxHttpChunkLine = 1024;

struct HttpHead {
  // 100 to 599.
  int status = 0;
  // Names in lower case, in the order sent; values without blanks around them. Any bytes but CR, LF
  // and NUL.
  std::vector<std::pair<std::string, std::string>> fields;

  // The value of the first field of that (lower-case) name; nullptr where there is none. It lives
  // as long as this object.
  const std::string* Find(absl::string_view name) const;
};

class HttpResponseParser {
 public:
  // `head_only`: the response to HEAD, which has no body whatever its fields say.
  explicit HttpResponseParser(bool head_only = false) : head_only_(head_only) {}

  // Takes all of `bytes`, appending what they hold of the body to `body`. Interim responses (1xx)
  // are skipped, but for 101, behind which everything belongs to another protocol: the body.
  //
  // Errors: INVALID_ARGUMENT, naming what is malformed; RESOURCE_EXHAUSTED past a limit above. What
  // `body` got before stays valid. Nothing is fed after an error.
  absl::Status Feed(absl::string_view bytes, std::string* body);

  // The connection ended. DATA_LOSS where the response is cut short by that.
  absl::Status Finish();

  bool has_head() const { return state_ > State::kFields; }
  // Valid once has_head().
  const HttpHead& head() const { return head_; }
  // The body is complete.
  bool done() const { return state_ == State::kDone; }

 private:
  // In the order that a response goes through.
  enum class State : uint8_t {
    kStatusLine,
    kFields,
    kChunkLine,
    kChunk,
    kChunkEnd,
    kTrailers,
    kCounted,
    kUntilEnd,
    kDone,
  };

  absl::Status TakeBodyBytes(absl::string_view* bytes, std::string* body);
  absl::Status TakeLineBytes(absl::string_view* bytes);
  absl::Status TakeLine(absl::string_view line);
  absl::Status TakeStatusLine(absl::string_view line);
  absl::Status TakeField(absl::string_view line);
  absl::Status TakeChunkLine(absl::string_view line);
  absl::Status EndHead();

  bool head_only_;
  State state_ = State::kStatusLine;
  HttpHead head_;
  // The line that has begun.
  std::string line_;
  // Bytes of the head, or of the trailers, so far.
  size_t section_size_ = 0;
  // Of the chunk, or of the whole body.
  uint64_t remaining_ = 0;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_HTTP_RESPONSE_H_
