#include "cmd/snapshot_pieces.h"

namespace nsctl::cmd {

using nsdisc::Snapshot;

void ForEachSnapshotPiece(const Snapshot& snapshot, RecordSink sink) {
  Snapshot piece;
  piece.set_format(snapshot.format());
  piece.set_producer(snapshot.producer());
  if (snapshot.has_taken_at()) *piece.mutable_taken_at() = snapshot.taken_at();
  if (snapshot.has_host()) *piece.mutable_host() = snapshot.host();
  if (snapshot.has_scanner()) *piece.mutable_scanner() = snapshot.scanner();
  if (snapshot.has_options()) *piece.mutable_options() = snapshot.options();
  if (snapshot.has_scanner()) *piece.mutable_scanner() = snapshot.scanner();
  if (snapshot.has_statistics()) *piece.mutable_statistics() = snapshot.statistics();
  *piece.mutable_cgroups() = snapshot.cgroups();
  *piece.mutable_engines() = snapshot.engines();
  *piece.mutable_pods() = snapshot.pods();
  sink(piece);

  // Clearing keeps the memory of the element for the next one.
  piece.Clear();
  for (const nsdisc::Namespace& ns : snapshot.namespaces()) {
    *piece.add_namespaces() = ns;
    sink(piece);
    piece.clear_namespaces();
  }
  for (const engines::Container& container : snapshot.containers()) {
    *piece.add_containers() = container;
    sink(piece);
    piece.clear_containers();
  }
  for (const nsdisc::Process& process : snapshot.processes()) {
    *piece.add_processes() = process;
    sink(piece);
    piece.clear_processes();
  }
  for (const mounttree::MountNamespace& mounts : snapshot.mounts()) {
    *piece.add_mounts() = mounts;
    sink(piece);
    piece.clear_mounts();
  }
  for (const nsdisc::Gap& gap : snapshot.gaps()) {
    *piece.add_gaps() = gap;
    sink(piece);
    piece.clear_gaps();
  }

  piece.Clear();
  piece.set_complete(snapshot.complete());
  sink(piece);
}

}  // namespace nsctl::cmd
