#include "cmd/proto_json.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"

namespace nsctl::cmd {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// One value of `field`: the whole of it, or the element `index` of a repeated one.
class FieldValue {
 public:
  FieldValue(const Message& message, const FieldDescriptor* field, int index)
      : message_(message), reflection_(*message.GetReflection()), field_(field), index_(index) {}

  void WriteTo(JsonWriter* json) const {
    switch (field_->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return json->Number(int64_t{Get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32)});
      case FieldDescriptor::CPPTYPE_UINT32:
        return json->Number(uint64_t{Get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32)});
      case FieldDescriptor::CPPTYPE_INT64:
        return json->String(
            absl::StrCat(Get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64)));
      case FieldDescriptor::CPPTYPE_UINT64:
        return json->String(
            absl::StrCat(Get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64)));
      case FieldDescriptor::CPPTYPE_BOOL:
        return json->Bool(Get(&Reflection::GetBool, &Reflection::GetRepeatedBool));
      case FieldDescriptor::CPPTYPE_ENUM:
        return WriteEnum(json);
      case FieldDescriptor::CPPTYPE_STRING:
        return WriteString(json);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return WriteProtoJson(field_->is_repeated()
                                  ? reflection_.GetRepeatedMessage(message_, field_, index_)
                                  : reflection_.GetMessage(message_, field_),
                              json);
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT:
        // The test of this file makes sure that no schema gets here.
        return json->Number(int64_t{0});
    }
  }

 private:
  template <typename T>
  T Get(T (Reflection::*single)(const Message&, const FieldDescriptor*) const,
        T (Reflection::*repeated)(const Message&, const FieldDescriptor*, int) const) const {
    return field_->is_repeated() ? (reflection_.*repeated)(message_, field_, index_)
                                 : (reflection_.*single)(message_, field_);
  }

  void WriteEnum(JsonWriter* json) const {
    const int number = Get(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue);
    const auto* value = field_->enum_type()->FindValueByNumber(number);
    if (value == nullptr) return json->Number(int64_t{number});
    json->String(value->name());
  }

  void WriteString(JsonWriter* json) const {
    std::string scratch;
    json->String(field_->is_repeated()
                     ? reflection_.GetRepeatedStringReference(message_, field_, index_, &scratch)
                     : reflection_.GetStringReference(message_, field_, &scratch));
  }

  const Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor* field_;
  int index_;
};

void WriteField(const Message& message, const FieldDescriptor* field, JsonWriter* json) {
  json->Key(field->name());
  if (!field->is_repeated()) return FieldValue(message, field, 0).WriteTo(json);
  json->BeginArray();
  const int size = message.GetReflection()->FieldSize(message, field);
  for (int i = 0; i < size; ++i) FieldValue(message, field, i).WriteTo(json);
  json->EndArray();
}

}  // namespace

void WriteProtoJson(const Message& message, JsonWriter* json) {
  using ::google::protobuf::Timestamp;
  if (message.GetDescriptor() == Timestamp::descriptor()) {
    json->String(
        google::protobuf::util::TimeUtil::ToString(static_cast<const Timestamp&>(message)));
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  json->BeginObject();
  for (const FieldDescriptor* field : fields) WriteField(message, field, json);
  json->EndObject();
}

}  // namespace nsctl::cmd
