// JSON over HTTP as engines speak it: a document, a list, a stream of events. Sizes are limited as
// they arrive, and a list or a stream needs the memory of one element.

#ifndef NSCTL_ENGINES_HTTP_JSON_H_
#define NSCTL_ENGINES_HTTP_JSON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/http_client.h"
#include "engines/json_text.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::engines {

// Of one document, element or event.
inline constexpr size_t kMaxJsonValue = 8 << 20;

// Errors of these: those of HttpCall, ParseJson and JsonFramer, with `target`'s path before them.
absl::StatusOr<Json> GetJson(const Connector& connect, const std::string& target,
                             const CallLimits& limits, HttpHead* head = nullptr);

// Calls `visit` for each element of the array, whose error ends the call.
absl::Status GetJsonArray(const Connector& connect, const std::string& target,
                          const CallLimits& limits,
                          absl::FunctionRef<absl::Status(const Json&)> visit);

// As GetJsonArray, of an array that is the member `name` of the answer.
absl::Status GetJsonListMember(const Connector& connect, const std::string& target,
                               absl::string_view name, const CallLimits& limits,
                               absl::FunctionRef<absl::Status(const Json&)> visit);

// Calls `accepted` once the stream was granted, which `limits.deadline` is for, and then `visit`
// for each value, nullptr for one that is no JSON, until the stream ends (OK), breaks or is
// stopped. A server that sends its head with the first event granted the stream if it did not
// refuse it within a moment.
enum class StreamHead { kAtOnce, kWithFirstEvent };
absl::Status StreamJson(const Connector& connect, const std::string& target,
                        const CallLimits& limits, absl::FunctionRef<void()> accepted,
                        absl::FunctionRef<void(const Json*)> visit,
                        StreamHead head = StreamHead::kAtOnce);

// RFC 3339, as Go prints times. False, and nothing set, for what is no time and for Go's zero time.
bool SetTime(const std::string& text, google::protobuf::Timestamp* timestamp);
// Seconds since 1970; false where that is not positive, or too large for a timestamp.
bool SetTime(std::optional<int64_t> seconds, google::protobuf::Timestamp* timestamp);

// The members of the object `json` whose values are strings, as labels.
void SetLabels(const Json& json, Labels* labels);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_HTTP_JSON_H_
