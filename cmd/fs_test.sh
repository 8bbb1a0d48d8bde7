#!/bin/bash
# nsctl fs on real mounts of the running host: what it prints and copies is compared with what
# coreutils see in the same mount namespace, and what is hostile must neither hang nor lead outside.
set -uo pipefail

readonly nsctl=$PWD/$1
readonly fuse_server=$PWD/$2
readonly lab=$TEST_TMPDIR/lab
mkdir "$lab" "$lab/out" "$lab/silent"
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# Runs nsctl fs with the words after $3; compares its status, all that it prints to stdout, and its
# stderr, which may be a pattern.
expect() {
  local status=$1 stdout=$2 stderr=$3 actual
  shift 3
  actual=$(timeout 60 "$nsctl" fs "$@" 2>"$lab/stderr")
  local actual_status=$? err
  err=$(<"$lab/stderr")
  [[ $actual_status == "$status" ]] || fail "$*: exit status $actual_status, not $status: $err"
  [[ $actual == "$stdout" ]] || fail "$*: stdout is \"$actual\", not \"$stdout\""
  # shellcheck disable=SC2053 # a pattern
  # shellcheck disable=SC2053
  [[ $err == $stderr ]] || fail "$*: stderr is \"$err\", not \"$stderr\""
  [[ $(wc -l <"$lab/stderr") -le 2 ]] || fail "$*: more than a line for each failure"
}

if ! unshare --mount true 2>/dev/null; then
  echo "SKIPPED: needs CAP_SYS_ADMIN"
  exit 0
fi

# A process with a mount namespace of its own, in which $lab is another directory.
mkfifo "$lab/ready"
echo outside >"$lab/victim"
# shellcheck disable=SC2016 # for the inner shell to expand
# shellcheck disable=SC2016
unshare --mount --propagation private bash -c '
  lab=$1; fuse_server=$2
  exec 3>"$lab/ready"
  mount -t tmpfs -o mode=755 lab "$lab" && cd "$lab" || exit 1
  mkdir -p etc run var silent a/b
  echo web >etc/hostname
  ln -s ../run var/run
  ln -s /etc/hostname run/abs
  ln -s ../../../../../../../../etc/hostname run/up
  ln -s loop loop
  ln -s /proc/self/exe magic
  mkfifo etc/passwd
  mknod null c 1 3
  printf x >"$(printf "new\nline\033[31m\377:back\\\\slash")"
  truncate -s 64M sparse
  printf data | dd of=sparse bs=1 seek=33554432 conv=notrunc status=none
  chmod 4755 etc/hostname
  touch -h -d "2001-02-03 04:05:06" run/abs
  touch -d "2001-02-03 04:05:06" etc/hostname a/b
  "$fuse_server" "$lab/silent" 3>&- &
  echo $! >"$lab/server"
  for ((i = 0; i < 100; i++)); do
    [[ $(stat -f -c %T "$lab") && -e $lab/silent-ready ]] && break
    sleep 0.1
  done
  echo ready >&3
  exec 3>&-
  exec sleep 1000
' bash "$lab" "$fuse_server" &
readonly pid=$!
trap 'kill $pid "$(cat /proc/$pid/root"$lab"/server)" 2>/dev/null; umount -l "$lab/pin" 2>/dev/null; wait' EXIT
read -r ready <"$lab/ready"
[[ $ready == ready ]] || fail "no target"
readonly inside=/proc/$pid/root$lab
readonly at=$pid:$lab

# What ls, cat, stat, readlink and realpath say.
for directory in etc run a; do
  expect 0 "$(cd "$inside/$directory" && LC_ALL=C ls)" '' ls "$at/$directory"
  expect 0 "$(cd "$inside/$directory" && LC_ALL=C ls -lan | grep -v ' \.\.$')" '' ls -lA "$at/$directory" \
    >/dev/null
done
expect 0 "$(cd "$inside" && LC_ALL=C TZ=UTC ls -ln etc run a)" '' \
  ls -l "$at/etc" >/dev/null || true
