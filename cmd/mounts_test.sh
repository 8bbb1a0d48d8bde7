#!/bin/bash
# Compares `nsctl mounts` with findmnt on the running host, and asks it what findmnt cannot tell, in
# mount namespaces made for it. $1 is nsctl.
set -u

nsctl=$1
failed=0
scene=

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
  if [[ -n ${holder:-} ]]; then
    kill "$holder" 2>/dev/null
    wait "$holder" 2>/dev/null
  fi
  [[ -z $scene ]] || rm -rf -- "$scene"
}
trap cleanup EXIT

if ! unshare --mount true 2>/dev/null; then
  echo "SKIPPED: no mount namespace can be made here (CAP_SYS_ADMIN)"
  exit 0
fi

# expect WHAT EXPECTED ACTUAL
expect() {
  [[ $2 == "$3" ]] || fail "$1: expected «$2», got «$3»"
}

scene=$(mktemp -d)
mkdir "$scene/data" "$scene/deep" "$scene/a b"

# A namespace of its own, in which a process waits: a mount over another, one below the hidden one,
# a name with a blank, a peer of a shared mount.
coproc HOLDER {
  # shellcheck disable=SC2016 # for the inner shell
  exec unshare --mount --propagation private bash -c '
    cd "$1" || exit
    mount -t tmpfs under data && mkdir data/deep && mount -t tmpfs below data/deep &&
      mount -t tmpfs over data && mount -t tmpfs blank "a b" && mount -t tmpfs shared deep &&
      mount --make-shared deep && mkdir deep/x && mount --bind deep "a b" && echo ready
    cd / && read -r _' bash "$scene"
}
holder=$HOLDER_PID
read -r line <&"${HOLDER[0]}" || line=
expect 'the scene' ready "$line"

# Rows are findmnt's, for this shell and for that process.
columns=ID,PARENT,MAJ:MIN,FSROOT,TARGET,FSTYPE,PROPAGATION,VFS-OPTIONS
normal() { sed 's/\\x20/ /g' | awk '{ $1 = $1 } 1' | sort; }
for pid in $$ "$holder"; do
  expect "rows of $pid" \
    "$(findmnt --task "$pid" --all --list --noheadings --output "$columns" | normal)" \
    "$("$nsctl" mounts "$pid" --list --noheadings -c "$columns" | normal)"
done

mounts() { "$nsctl" mounts "$holder" --list --noheadings "$@" | awk '{ $1 = $1 } 1'; }

expect 'what is hidden' "under overmounted
below overmounted-above
blank overmounted" "$(mounts --shadowed -S under -S below -S blank -c SOURCE,VISIBILITY)"
expect 'what a path is on' over "$(mounts -T "$scene/deep/../data" -c SOURCE)"
expect 'what a missing path is on' '' "$(mounts -T "$scene/data/deep" -c SOURCE 2>/dev/null)"
expect 'a printed path' "$scene/a b" "$(mounts -M "$scene/a\\x20b" -S blank -c TARGET)"
expect 'a held path of the target' "$scene/data mount-point
$scene/data mount-point" "$("$nsctl" mounts "$holder" --holding "$scene/data" -c TARGET,WHY --noheadings |
  awk '{ $1 = $1 } 1')"
expect 'all mounts at a path' $'under\nover' "$(mounts -M "$scene/data" -c SOURCE)"
expect 'a source' "$scene/a b" "$(mounts -S blank -c TARGET)"
expect 'peers' "$scene/a b" "$(mounts --propagation -M "$scene/deep" -c PEERS 2>/dev/null | sed -n '1s/^[^/]*//p')"
expect 'what an unmount reaches' 1 "$(mounts --propagation -M "$scene/deep" 2>/dev/null | grep -c 'a mount on .* reaches 1 other mount')"

# Who still has it: by its device, in all namespaces, with the process to reach it.
device=$(mounts -S over -c MAJ:MIN)
expect 'holders of a device' "$holder $scene/data device" \
  "$("$nsctl" mounts --holding "$device" --noheadings -c PID,TARGET,WHY 2>/dev/null | awk '{ $1 = $1 } 1')"

# By number, and from a snapshot.
inode=$(stat -Lc %i "/proc/$holder/ns/mnt")
expect 'by number' "$(mounts)" \
  "$("$nsctl" mounts "mnt:[$inode]" --list --noheadings | awk '{ $1 = $1 } 1')"
expect 'from a snapshot' "$(mounts)" \
  "$("$nsctl" snapshot --mounts -o pb 2>/dev/null |
    "$nsctl" mounts "$holder" --from - --list --noheadings | awk '{ $1 = $1 } 1')"
expect 'in lxkns JSON' true \
  "$("$nsctl" snapshot --mounts -o lxkns 2>/dev/null | python3 -c '
import json, sys
paths = json.load(sys.stdin)["mounts"][sys.argv[1]]
at = paths[sys.argv[2]]["mounts"]
print(str([(m["source"], m["hidden"]) for m in at] == [("under", True), ("over", False)] and
          paths[sys.argv[2] + "/deep"]["mounts"][0]["hidden"]).lower())' "$inode" "$scene/data")"

echo >&"${HOLDER[1]}"
exit "$failed"
