#include "engines/http_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/http_client.h"
#include "engines/json_framer.h"
#include "engines/json_list_member.h"
#include "engines/json_text.h"

namespace nsctl::engines {
namespace {

// A server that refuses a stream does so at once.
constexpr absl::Duration kRefusalTime = absl::Milliseconds(100);

absl::string_view PathOf(absl::string_view target) { return target.substr(0, target.find('?')); }

absl::Status ReadStream(HttpExchange& exchange, const CallLimits& limits,
                        absl::FunctionRef<void(const Json*)> visit) {
  const auto take = [&visit](absl::string_view text) {
    const absl::StatusOr<Json> value = ParseJson(text);
    visit(value.ok() ? &*value : nullptr);
    return absl::OkStatus();
  };
  JsonFramer framer(JsonFramer::Shape::kSequence, kMaxJsonValue);
  std::string body;
  while (true) {
    body.clear();
    NSCTL_ASSIGN_OR_RETURN(const bool more, exchange.Read(limits, &body));
    if (!more) return framer.Finish(take);
    NSCTL_RETURN_IF_ERROR(framer.Feed(body, take));
  }
}

}  // namespace

absl::StatusOr<Json> GetJson(const Connector& connect, const std::string& target,
                             const CallLimits& limits, HttpHead* head) {
  CallLimits less = limits;
  less.max_bytes = std::min(limits.max_bytes, kMaxJsonValue);
  std::string body;
  absl::Status status = HttpCall(
      connect, {.target = target}, less,
      [&body](absl::string_view piece) {
        body.append(piece.data(), piece.size());
        return absl::OkStatus();
      },
      head);
  if (!status.ok()) return base::Annotate(status, PathOf(target));
  absl::StatusOr<Json> json = ParseJson(body);
  if (!json.ok()) return base::Annotate(json.status(), PathOf(target));
  return json;
}

absl::Status GetJsonArray(const Connector& connect, const std::string& target,
                          const CallLimits& limits,
                          absl::FunctionRef<absl::Status(const Json&)> visit) {
  JsonFramer framer(JsonFramer::Shape::kArray, kMaxJsonValue);
  const auto take = [&visit](absl::string_view text) {
    NSCTL_ASSIGN_OR_RETURN(const Json element, ParseJson(text));
    return visit(element);
  };
  absl::Status status =
      HttpCall(connect, {.target = target}, limits,
               [&framer, &take](absl::string_view piece) { return framer.Feed(piece, take); });
  if (status.ok()) status = framer.Finish(take);
  return base::Annotate(status, PathOf(target));
}

absl::Status GetJsonListMember(const Connector& connect, const std::string& target,
                               absl::string_view name, const CallLimits& limits,
                               absl::FunctionRef<absl::Status(const Json&)> visit) {
  JsonListMember list(name, kMaxJsonValue);
  const auto take = [&visit](absl::string_view text) {
    NSCTL_ASSIGN_OR_RETURN(const Json element, ParseJson(text));
    return visit(element);
  };
  absl::Status status =
      HttpCall(connect, {.target = target}, limits,
               [&list, &take](absl::string_view piece) { return list.Feed(piece, take); });
  if (status.ok()) status = list.Finish();
  return base::Annotate(status, PathOf(target));
}

absl::Status StreamJson(const Connector& connect, const std::string& target,
                        const CallLimits& limits, absl::FunctionRef<void()> accepted,
                        absl::FunctionRef<void(const Json*)> visit, StreamHead head) {
  const auto fail = [&target](const absl::Status& status) {
    return base::Annotate(status, PathOf(target));
  };
  absl::StatusOr<base::OwnedFd> socket = connect();
  if (!socket.ok()) return fail(socket.status());
  absl::StatusOr<HttpExchange> exchange =
      HttpExchange::Begin(*std::move(socket), {.target = target}, limits);
  if (!exchange.ok()) return fail(exchange.status());
  CallLimits endless = limits;
  endless.deadline = absl::InfiniteFuture();
  endless.max_bytes = std::numeric_limits<size_t>::max();
  CallLimits first = limits;
  if (head == StreamHead::kWithFirstEvent) {
    first.deadline = std::min(first.deadline, absl::Now() + kRefusalTime);
  }
  bool granted = false;
  absl::Status status = exchange->AwaitHead(first);
  if (head == StreamHead::kWithFirstEvent && absl::IsDeadlineExceeded(status)) {
    granted = true;
    accepted();
    status = exchange->AwaitHead(endless);
  }
  if (!status.ok()) return fail(status);
  if (exchange->head().status >= 400) return fail(HttpFailure(*exchange, limits));
  if (!granted) accepted();
  return fail(ReadStream(*exchange, endless, visit));
}

bool SetTime(const std::string& text, google::protobuf::Timestamp* timestamp) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) || time <= absl::UnixEpoch()) {
    return false;
  }
  const timespec parts = absl::ToTimespec(time);
  timestamp->set_nanos(static_cast<int32_t>(parts.tv_nsec));
  timestamp->set_seconds(parts.tv_sec);
  return true;
}

bool SetTime(std::optional<int64_t> seconds, google::protobuf::Timestamp* timestamp) {
  // The last second of the year 9999, which a timestamp's JSON can hold.
  constexpr int64_t kLast = 253'402'300'799;
  if (!seconds.has_value() || *seconds <= 0 || *seconds > kLast) return false;
  timestamp->set_seconds(*seconds);
  timestamp->set_nanos(0);
  return true;
}

void SetLabels(const Json& json, Labels* labels) {
  if (!json.is_object()) return;
  // Members are in the order of their names.
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) continue;
    Label* const label = labels->Add();
    label->set_name(name);
    label->set_value(TextOf(value));
  }
}

}  // namespace nsctl::engines
