#!/bin/bash
# The worlds have in them what they are asked for, and the floor sees all of it.
#
#   world_test.sh WORLD FLOOR MEASURE
set -euo pipefail

world=$1 floor=$2 measure=$3
# Mounts and processes of the worlds end with these namespaces.
if [[ ${4-} != inside ]]; then
  if ! unshare --pid --mount true 2>/dev/null; then
    echo "namespaces cannot be made here"
    exit 0
  fi
  exec unshare --pid --fork --mount --mount-proc --kill-child "$0" "$1" "$2" "$3" inside
fi

failures=0
expect() {
  if [[ $2 != "$3" ]]; then
    echo "$1: $2 instead of $3" >&2
    failures=$((failures + 1))
  fi
}

# Sets `processes`, without a process of its own for that.
count_processes() {
  local all=(/proc/[0-9]*)
  processes=${#all[@]}
}

# mounts_below_mnt: the mounts that a world has made, as mountinfo has them.
mounts_below_mnt() { awk '$5 ~ "^/mnt/"' "/proc/$WORLD_PID/mountinfo"; }

in_world() {
  local said
  coproc WORLD { exec "$world" "$@"; }
  read -r said <&"${WORLD[0]}"
  expect "$1" "$said" ready
}
end_world() {
  local pid=$WORLD_PID input=${WORLD[1]}
  exec {input}>&-
  wait "$pid"
  # What it mounted is in this mount namespace, and would be in the next world.
  if findmnt --source world --mountpoint /mnt >/dev/null; then umount --recursive /mnt; fi
}

count_processes
before=$processes
in_world sleepers 40
# The world itself and the parent of the sleepers.
count_processes
expect sleepers "$processes" "$((before + 42))"
output=$(mktemp)
# The floor sees itself as well.
"$floor" L1 >"$output"
read -r _ processes _ <"$output"
expect "processes of L1" "$processes" "$((before + 43))"
"$floor" L5+tasks 1 >"$output"
read -r _ processes _ tasks _ fds _ <"$output"
expect "processes of L5+tasks" "$processes" "$((before + 43))"
expect "tasks of L5+tasks" "$tasks" "$processes"
# 40 sleepers alone have 120.
((fds > 120)) || expect "descriptors of L5+tasks" "$fds" "more than 120"
end_world

in_world namespaces 5
mapfile -t kinds < <(readlink /proc/[0-9]*/ns/{net,mnt,uts} | sort | uniq -c | awk '$1 == 1')
expect "namespaces of their own" "${#kinds[@]}" 15
"$floor" L5+mounts >"$output"
read -r _ _ _ _ _ _ _ mounts <"$output"
rm -f -- "$output"
# Linux 6.11 and later name a mount namespace by its id. Each of these has 60 mounts.
if [[ $(printf '%s\n' 6.11 "$(uname -r)" | sort -V | head -n 1) == 6.11 ]]; then
  ((mounts >= 300)) || expect "mounts of L5+mounts" "$mounts" "300 or more"
fi
end_world

in_world netns 7
expect "bind mounts of netns" "$(mounts_below_mnt | grep -c ' - nsfs ')" 7
end_world

in_world mounts 9
expect mounts "$(mounts_below_mnt | grep -c ' - tmpfs world ')" 9
end_world

in_world fds 2000
fds=$(find /proc/[0-9]*/fd -lname /dev/null | wc -l)
((fds >= 2000)) || expect descriptors "$fds" "2000 or more"
end_world

read -r status wall cpu rss <<<"$("$measure" sh -c 'echo lost; echo lost >&2; exit 7')"
expect "status of a command" "$status" 7
((wall > 0 && cpu >= 0 && rss > 100)) || expect figures "$wall $cpu $rss" "sensible ones"
read -r status _ <<<"$("$measure" sh -c 'kill -9 $$')"
expect "status of a killed command" "$status" 137
((failures == 0))
