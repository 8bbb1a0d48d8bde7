#include "cmd/snapshot_filter.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::nsctl::base::NamespaceType;
using ::nsctl::nsdisc::ScanOptions;
using ::nsctl::nsdisc::Snapshot;

Snapshot Parse(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

void ExpectEqual(const Snapshot& actual, const std::string& expected) {
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(Parse(expected), actual)) << difference;
}

constexpr char kNamespaces[] = R"pb(
  options { threads: loose }
  statistics { namespaces: 3 }
  namespaces { type: mnt inode: 11 }
  namespaces { type: user inode: 12 }
  namespaces { type: net inode: 13 owner: 12 }
)pb";

constexpr char kThreads[] = R"pb(
  options { threads: all }
  statistics { namespaces: 1 processes: 1 threads: 2 }
  namespaces { type: net inode: 13 loose_threads: 7 }
  processes {
    pid: 5
    namespaces { net: 12 mnt: 11 }
    threads {
      tid: 6
      namespaces { net: 12 mnt: 11 }
    }
    threads {
      tid: 7
      namespaces { net: 13 mnt: 11 }
    }
  }
)pb";

TEST(KeepTypes, DropsOtherTypes) {
  Snapshot snapshot = Parse(kNamespaces);

  KeepTypes({NamespaceType::kMnt, NamespaceType::kNet}, &snapshot);

  ExpectEqual(snapshot, R"pb(
    options { threads: loose types: mnt types: net }
    statistics { namespaces: 2 }
    namespaces { type: mnt inode: 11 }
    namespaces { type: net inode: 13 owner: 12 }
  )pb");
}

TEST(KeepThreads, KeepsLooseOnes) {
  Snapshot snapshot = Parse(kThreads);

  KeepThreads(ScanOptions::loose, &snapshot);

  ExpectEqual(snapshot, R"pb(
    options { threads: loose }
    statistics { namespaces: 1 processes: 1 threads: 1 }
    namespaces { type: net inode: 13 loose_threads: 7 }
    processes {
      pid: 5
      namespaces { net: 12 mnt: 11 }
      threads {
        tid: 7
        namespaces { net: 13 mnt: 11 }
      }
    }
  )pb");
}

TEST(KeepThreads, KeepsNone) {
  Snapshot snapshot = Parse(kThreads);

  KeepThreads(ScanOptions::none, &snapshot);

  ExpectEqual(snapshot, R"pb(
    options { threads: none }
    statistics { namespaces: 1 processes: 1 threads: 0 }
    namespaces { type: net inode: 13 }
    processes {
      pid: 5
      namespaces { net: 12 mnt: 11 }
    }
  )pb");
}

TEST(KeepThreads, CannotAddThreads) {
  Snapshot snapshot = Parse(kNamespaces);

  KeepThreads(ScanOptions::all, &snapshot);

  ExpectEqual(snapshot, kNamespaces);
}

TEST(AddUnrecorded, SaysNothingWhereAllWasLookedFor) {
  Snapshot snapshot = Parse(kNamespaces);

  AddUnrecorded({.types = {NamespaceType::kNet}, .threads = ScanOptions::loose}, &snapshot);

  EXPECT_THAT(snapshot.gaps(), ::testing::IsEmpty());
}

TEST(AddUnrecorded, PutsItsGapsBeforeThoseOfProcesses) {
  Snapshot snapshot = Parse(R"pb(
    options { threads: loose types: mnt }
    statistics { gaps: 1 }
    gaps { subject: "pid:1" operation: "read" error: "EACCES" count: 1 }
  )pb");

  AddUnrecorded({.types = {NamespaceType::kNet}, .threads = ScanOptions::all}, &snapshot);

  ExpectEqual(snapshot, R"pb(
    options { threads: loose types: mnt }
    statistics { gaps: 3 }
    gaps {
      subject: "host"
      operation: "scan for all threads"
      error: "ENODATA"
      consequence: "the snapshot was taken without them"
      count: 1
    }
    gaps {
      subject: "host"
      operation: "scan for net namespaces"
      error: "ENODATA"
      consequence: "the snapshot was taken without them"
      count: 1
    }
    gaps { subject: "pid:1" operation: "read" error: "EACCES" count: 1 }
  )pb");
}

TEST(KeepSections, LeavesOutTheOthersAndSaysSo) {
  Snapshot snapshot = Parse(R"pb(
    options { threads: loose mounts: true }
    statistics { namespaces: 1 processes: 1 threads: 1 mounts: 1 }
    namespaces { type: mnt inode: 11 leaders: 5 }
    processes {
      pid: 5
      cgroups: 0
      threads { tid: 6 }
    }
    cgroups { unified: "/" }
    mounts {
      inode: 11
      mounts { mount_id: 1 }
    }
  )pb");

  KeepSections({"mounts"}, &snapshot);

  ExpectEqual(snapshot, R"pb(
    options { threads: loose mounts: true left_out: "namespaces" left_out: "processes" }
    statistics { mounts: 1 }
    mounts {
      inode: 11
      mounts { mount_id: 1 }
    }
  )pb");
}

TEST(KeepSections, MissNothingThatWasNotAskedFor) {
  Snapshot snapshot = Parse(kNamespaces);

  KeepSections({"namespaces", "processes"}, &snapshot);

  ExpectEqual(snapshot, kNamespaces);
}

TEST(AddUnrecorded, SaysWhatWasLeftOut) {
  Snapshot snapshot = Parse(R"pb(options { left_out: "processes" })pb");

  AddUnrecorded({.all_capability_sets = true}, &snapshot);

  ExpectEqual(snapshot, R"pb(
    options { left_out: "processes" }
    statistics { gaps: 2 }
    gaps {
      subject: "host"
      operation: "read processes"
      error: "ENODATA"
      consequence: "the snapshot was written without them"
      count: 1
    }
    gaps {
      subject: "host"
      operation: "scan for all sets of capabilities"
      error: "ENODATA"
      consequence: "the snapshot was taken without them"
      count: 1
    }
  )pb");
}

TEST(AddUnrecorded, KnowsWhetherTheMemoryWasLookedInto) {
  Snapshot without = Parse(R"pb(statistics { sources { source: bpf state: off } })pb");
  Snapshot older = Parse("");
  Snapshot in_vain = Parse(R"pb(statistics { sources { source: bpf state: unavailable } })pb");
  Snapshot with = Parse(R"pb(statistics { sources { source: bpf } })pb");

  for (Snapshot* snapshot : {&without, &older, &in_vain, &with}) {
    AddUnrecorded({.bpf_census = true}, snapshot);
  }

  ASSERT_EQ(without.gaps_size(), 1);
  EXPECT_EQ(without.gaps(0).operation(), "BPF census");
  EXPECT_EQ(older.gaps_size(), 1);
  // It has a gap of its own that says why.
  EXPECT_THAT(in_vain.gaps(), ::testing::IsEmpty());
  EXPECT_THAT(with.gaps(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace nsctl::cmd
