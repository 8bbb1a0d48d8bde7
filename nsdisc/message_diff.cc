#include "nsdisc/message_diff.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

namespace nsctl::nsdisc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsMessage(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

// Every field that the type knows, by number.
template <typename Visit>
void ForEachField(const Descriptor& type, const Visit& visit) {
  for (int i = 0; i < type.field_count(); ++i) visit(*type.field(i));
}

// Element `index` of a list, or the value where `index` is negative.
std::string ValueText(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_list = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(is_list ? reflection.GetRepeatedInt32(message, &field, index)
                                  : reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(is_list ? reflection.GetRepeatedUInt32(message, &field, index)
                                  : reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(is_list ? reflection.GetRepeatedInt64(message, &field, index)
                                  : reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(is_list ? reflection.GetRepeatedUInt64(message, &field, index)
                                  : reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(is_list ? reflection.GetRepeatedDouble(message, &field, index)
                                  : reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::StrCat(is_list ? reflection.GetRepeatedFloat(message, &field, index)
                                  : reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (is_list ? reflection.GetRepeatedBool(message, &field, index)
                      : reflection.GetBool(message, &field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return (is_list ? reflection.GetRepeatedEnum(message, &field, index)
                      : reflection.GetEnum(message, &field))
          ->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return is_list ? reflection.GetRepeatedString(message, &field, index)
                     : reflection.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageText(is_list ? reflection.GetRepeatedMessage(message, &field, index)
                                 : reflection.GetMessage(message, &field));
  }
  return "";
}

// What says nothing where it is not set: "", false and the first word of an enum; 0 may be a
// number.
bool IsLeftOut(const FieldDescriptor& field, const std::string& value) {
  if (field.is_repeated() || field.has_presence()) return false;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    return value == field.default_value_enum()->name();
  }
  return value.empty() || value == "false";
}

std::vector<std::string> ValuesOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<std::string> values;
  if (field.is_repeated()) {
    const int size = reflection.FieldSize(message, &field);
    for (int i = 0; i < size; ++i) values.push_back(ValueText(message, field, i));
  } else if (!field.has_presence() || reflection.HasField(message, &field)) {
    values.push_back(ValueText(message, field, -1));
  }
  return values;
}

// What stands in the order of `list` and is not in `other`, as often as it is there more often.
std::vector<std::string> Without(const std::vector<std::string>& list,
                                 std::vector<std::string> other) {
  absl::c_sort(other);
  std::vector<std::string> rest;
  for (const std::string& one : list) {
    const auto found = absl::c_lower_bound(other, one);
    if (found == other.end() || *found != one) {
      rest.push_back(one);
    } else {
      other.erase(found);
    }
  }
  return rest;
}

class Comparison {
 public:
  explicit Comparison(absl::FunctionRef<bool(absl::string_view)> is_ignored)
      : is_ignored_(is_ignored) {}

  void Compare(const Message& before, const Message& after, absl::string_view prefix) {
    ForEachField(*before.GetDescriptor(), [&](const FieldDescriptor& field) {
      const std::string path = absl::StrCat(prefix, field.name());
      if (is_ignored_(path)) return;
      if (IsMessage(field) && !field.is_repeated()) {
        // An absent message is as one without fields.
        Compare(before.GetReflection()->GetMessage(before, &field),
                after.GetReflection()->GetMessage(after, &field), absl::StrCat(path, "."));
        return;
      }
      const std::vector<std::string> old_values = ValuesOf(before, field);
      const std::vector<std::string> new_values = ValuesOf(after, field);
      if (old_values == new_values) return;
      FieldChange change;
      for (std::string& one : Without(old_values, new_values)) {
        *change.add_before() = std::move(one);
      }
      for (std::string& one : Without(new_values, old_values)) *change.add_after() = std::move(one);
      if (change.before().empty() && change.after().empty()) return;
      change.set_field(path);
      changes_.push_back(std::move(change));
    });
  }

  std::vector<FieldChange> Take() { return std::move(changes_); }

 private:
  absl::FunctionRef<bool(absl::string_view)> is_ignored_;
  std::vector<FieldChange> changes_;
};

void AddPaths(const Descriptor& type, const std::string& prefix, std::vector<std::string>* paths) {
  ForEachField(type, [&](const FieldDescriptor& field) {
    paths->push_back(prefix + field.name());
    if (IsMessage(field) && !field.is_repeated()) {
      AddPaths(*field.message_type(), absl::StrCat(prefix, field.name(), "."), paths);
    }
  });
}

}  // namespace

std::vector<FieldChange> DiffMessages(const Message& before, const Message& after,
                                      absl::FunctionRef<bool(absl::string_view)> is_ignored) {
  Comparison comparison(is_ignored);
  comparison.Compare(before, after, "");
  return comparison.Take();
}

std::string MessageText(const Message& message) {
  std::string text;
  ForEachField(*message.GetDescriptor(), [&](const FieldDescriptor& field) {
    for (const std::string& value : ValuesOf(message, field)) {
      if (IsLeftOut(field, value)) continue;
      absl::StrAppend(&text, text.empty() ? "" : " ", field.name());
      if (IsMessage(field)) {
        absl::StrAppend(&text, " { ", value, value.empty() ? "}" : " }");
      } else {
        absl::StrAppend(&text, "=", value);
      }
    }
  });
  return text;
}

std::vector<std::string> FieldPaths(const Descriptor& type) {
  std::vector<std::string> paths;
  AddPaths(type, "", &paths);
  return paths;
}

}  // namespace nsctl::nsdisc
