#include "cmd/proto_json.h"

#include <set>
#include <string>

#include "cmd/caps.pb.h"
#include "cmd/containers.pb.h"
#include "cmd/doctor.pb.h"
#include "cmd/exec.pb.h"
#include "cmd/fs.pb.h"
#include "cmd/inspect.pb.h"
#include "cmd/list.pb.h"
#include "cmd/mounts.pb.h"
#include "cmd/ps.pb.h"
#include "cmd/tree.pb.h"
#include "cmd/version.pb.h"
#include "cmd/why.pb.h"
#include "engines/container.pb.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "nsdisc/diff.pb.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::nsctl::nsdisc::Snapshot;

Snapshot MakeSnapshot() {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        format: "nsctl.snapshot.v1"
        taken_at { seconds: 1735689600 nanos: 500000000 }
        options { threads: all types: net types: mnt }
        namespaces {
          type: net
          inode: 4026531840
          device_major: 0
          kernel_id: 18446744073709551615
          owner_uid: 0
          leaders: -1
          leaders: 2
          clock_offsets { seconds: -5 }
        }
        processes {
          pid: 1
          start_time: 9007199254740993
          name: "a\"b\\\\c\n\tü"
          kernel_thread: true
          namespaces {}
          command_line: ""
          command_line: "x"
          scheduling { policy: rr nice: -20 }
        }
        cgroups { frozen: false }
        complete: true
      )pb",
      &snapshot));
  snapshot.add_namespaces()->set_type(static_cast<nsdisc::Namespace::Type>(99));
  return snapshot;
}

std::string Json(const Message& message) {
  StringWriter out;
  JsonWriter json(&out, JsonWriter::kCompact);
  WriteProtoJson(message, &json);
  return out.text();
}

TEST(WriteProtoJson, AgreesWithProtobuf) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string expected;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(MakeSnapshot(), &expected, options).ok());

  EXPECT_EQ(Json(MakeSnapshot()), expected);
}

TEST(WriteProtoJson, IsReadBackByProtobuf) {
  Snapshot read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(Json(MakeSnapshot()), &read).ok());

  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read, MakeSnapshot()));
}

TEST(WriteProtoJson, WritesAnEmptyMessage) { EXPECT_EQ(Json(Snapshot()), "{}"); }

// Names the field of `type`, or of a message in it, that WriteProtoJson could not write.
std::string FindUnwritable(const Descriptor* type, std::set<const Descriptor*>* seen) {
  if (!seen->insert(type).second) return "";
  if (type->full_name() == "google.protobuf.Timestamp") return "";
  if (type->file()->package() == "google.protobuf") return type->full_name();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    switch (field->type()) {
      case FieldDescriptor::TYPE_DOUBLE:
      case FieldDescriptor::TYPE_FLOAT:
      case FieldDescriptor::TYPE_BYTES:
      case FieldDescriptor::TYPE_GROUP:
        return field->full_name();
      default:
        break;
    }
    if (field->is_map() || field->json_name().empty()) return field->full_name();
    if (field->message_type() == nullptr) continue;
    const std::string found = FindUnwritable(field->message_type(), seen);
    if (!found.empty()) return found;
  }
  return "";
}

TEST(WriteProtoJson, CanWriteEverySchema) {
  std::set<const Descriptor*> seen;
  for (const Descriptor* type :
       {Snapshot::descriptor(), NamespaceList::descriptor(), NamespaceTree::descriptor(),
        DoctorReport::descriptor(), ProcessTree::descriptor(), CapabilityReport::descriptor(),
        nsdisc::SnapshotDiff::descriptor(), ExecReport::descriptor(), MountList::descriptor(),
        VersionInfo::descriptor(), FsList::descriptor(), FsStat::descriptor(),
        FsLinks::descriptor(), FsResolution::descriptor(), WhyAlive::descriptor(),
        Inspection::descriptor(), ContainerList::descriptor(), engines::Change::descriptor()}) {
    EXPECT_EQ(FindUnwritable(type, &seen), "");
  }
}

}  // namespace
}  // namespace nsctl::cmd
