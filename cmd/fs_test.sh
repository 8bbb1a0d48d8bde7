#!/bin/bash
# nsctl fs on real mounts of the running host: what it prints and copies is compared with what
# coreutils see in the same place, and what is hostile must neither hang nor lead outside.
set -uo pipefail

readonly nsctl=$PWD/$1
readonly silent_fuse=$PWD/$2
readonly lab=$TEST_TMPDIR/lab
readonly out=$TEST_TMPDIR/out
mkdir "$lab" "$out"
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# Runs nsctl fs with the words after $3; compares its status, what it writes, and its stderr, for
# which $3 is a pattern.
expect() {
  local status=$1 stdout=$2 pattern=$3 actual actual_status err
  shift 3
  actual=$(timeout 60 "$nsctl" fs "$@" 2>"$out/stderr")
  actual_status=$?
  err=$(<"$out/stderr")
  [[ $actual_status == "$status" ]] || fail "$*: exit status $actual_status, not $status: $err"
  [[ $actual == "$stdout" ]] || fail "$*: stdout is \"$actual\", not \"$stdout\""
  # shellcheck disable=SC2053 # a pattern
  # shellcheck disable=SC2053
  [[ $err == $pattern ]] || fail "$*: stderr is \"$err\", not \"$pattern\""
  (($(wc -l <"$out/stderr") <= 1)) || fail "$*: more than one line: $err"
}

if ! unshare --mount true 2>/dev/null; then
  echo "SKIPPED: needs CAP_SYS_ADMIN"
  exit 0
fi

# A process in a mount namespace of its own, where $lab holds more. It, and the FUSE server in it,
# end with the other end of "keep".
mkfifo "$out/ready" "$out/keep"
echo outside >"$lab/victim"
# shellcheck disable=SC2016 # for the inner shell to expand
# shellcheck disable=SC2016
unshare --mount --propagation private bash -c '
  lab=$1 out=$2 silent_fuse=$3
  mount -t tmpfs -o mode=755 lab "$lab" && cd "$lab" || exit 1
  mkdir -p etc run var silent a/b dev endless auto/indirect auto/direct secret
  mknod dev/null c 1 3 && mknod dev/fuse c 10 229 && mknod dev/disk b 254 0 && echo x >dev/file
  ln -s /tmp/secret abs
  ln -s /proc/self/environ conf
  ln -s /proc/thread-self/environ thread
  echo web >etc/hostname
  ln -s ../run var/run
  ln -s "$lab/etc/hostname" run/abs
  ln -s ../../../../../../../../../../../../etc run/up
  ln -s loop loop
  for i in {1..41}; do ln -s "chain$((i + 1))" "chain$i"; done
  echo end >chain42
  ln -s nowhere/x dangling
  mkdir bound mnt && mount --bind bound mnt && rmdir bound
  touch hosts hosts.new && mount --bind hosts.new hosts && rm hosts.new
  mkfifo etc/passwd
  mknod null c 1 3
  printf x >"$(printf "new\nline\033[31m\377:back\\\\slash")"
  truncate -s 64M sparse
  printf data | dd of=sparse bs=1 seek=33554432 conv=notrunc status=none
  chmod 4755 etc/hostname
  touch -h -d "2001-02-03 04:05:06" run/abs run/up etc/hostname a/b
  fuse=none
  if [[ -c /dev/fuse ]]; then
    coproc "$silent_fuse" "$lab/silent" <"$out/keep" 2>&1
    read -r fuse <&"${COPROC[0]}"
  fi
  endless_server=
  if [[ $fuse == mounted ]]; then
    "$silent_fuse" "$lab/endless" endless <"$out/keep" >"$out/endless" 2>&1 &
    endless_server=$!
    for ((i = 0; i < 100; i++)); do [[ ! -s $out/endless ]] || break; sleep 0.1; done
  fi
  mkfifo "$out/autofs" && exec 7<>"$out/autofs"
  auto=none
  if mount -t autofs -o fd=7,pgrp=1,minproto=5,maxproto=5,direct auto auto/direct 2>/dev/null &&
    mount -t autofs -o fd=7,pgrp=1,minproto=5,maxproto=5,indirect auto auto/indirect; then
    auto=mounted
  fi
  echo "$fuse ${COPROC_PID-0} $auto $endless_server" >"$out/ready"
  read -r _ <"$out/keep"
' bash "$lab" "$out" "$silent_fuse" &
readonly pid=$!
exec 9<>"$out/keep"
read -r fuse server auto endless_server <"$out/ready"
pin=
leave() {
  local i
  exec 9>&-
  kill "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  # It ends with the last descriptor of "keep": what was left behind waiting for it must have none.
  for ((i = 0; i < 100; i++)); do
    kill -0 "$server" 2>/dev/null || kill -0 "$endless_server" 2>/dev/null || break
    sleep 0.1
  done
  ((i < 100)) || { kill "$server"; echo "FAIL: the FUSE server was not let go"; exit 1; }
  [[ -z $pin ]] || umount -l "$pin"
}
trap leave EXIT
readonly inside=/proc/$pid/root$lab
readonly at=$pid:$lab

# As coreutils see it.
export TZ=UTC
for directory in etc run a dev; do
  expect 0 "$(LC_ALL=C ls "$inside/$directory")" '' ls "$at/$directory"
  expect 0 "$(LC_ALL=C ls -ln "$inside/$directory")" '' ls -l "$at/$directory"
  expect 0 "$(LC_ALL=C ls -lnar "$inside/$directory")" '' ls -lar "$at/$directory"
  expect 0 "$(LC_ALL=C ls -i1 "$inside/$directory")" '' ls -i "$at/$directory"
done
expect 0 web '' cat "$at/etc/hostname"
expect 0 web '' cat "$at/run/abs"
expect 0 web '' cat "$at/var/run/../etc/hostname"
expect 0 "$lab/etc/hostname" '' readlink "$at/run/abs"
expect 0 "$lab/etc/hostname" '' readlink -f "$at/var/run/abs"
expect 0 "$lab/none" '' readlink -f "$at/none"
expect 1 '' "*[(]ENOENT[)] at component \"none\"" readlink -f "$at/none/.."
expect 0 "$lab/such" '' readlink -m "$at/none/../such"
expect 0 "$lab/nowhere/x/y" '' readlink -m "$at/dangling/x/../y"
expect 0 "$lab/etc/hostname/x" '' readlink -m "$at/run/abs/x"
expect 0 / '' readlink -m "$pid:/none/../.."
expect 1 '' "*[(]ELOOP[)]*" readlink -m "$at/none/../loop/x"
expect 1 '' "*which is a magic link*" readlink -m "$pid:/none/../proc/$pid/root/etc"
# Mounts of what was removed.
expect 0 "$lab/mnt" '' readlink -f "$at/mnt"
expect 0 "$lab/hosts" '' readlink -f "$at/hosts"
[[ $("$nsctl" fs resolve --noheadings "$at/mnt") == "$lab/mnt "* ]] || fail "resolve of a removed mount"
[[ $("$nsctl" fs stat -o json "$at/etc/hostname") == *"\"inode\": \"$(stat -c %i "$inside/etc/hostname")\""* ]] ||
  fail "stat tells another inode"
[[ $("$nsctl" fs resolve --noheadings "$at/var/run/abs") == "$lab/etc/hostname "*" $(stat -c %i "$inside/etc/hostname") "* ]] ||
  fail "resolve leads elsewhere"
# Above the root is the root.
expect 0 "$(cat /etc/hostname)" '' cat "$pid:/../../etc/hostname"

# What was printed can be pasted.
name=$("$nsctl" fs ls "$at" | grep back)
expect 0 x '' cat "$at/$name"

# A mount namespace by its number, by files of it, and one that no process is in.
expect 0 web '' cat "$(readlink "/proc/$pid/ns/mnt"):$lab/etc/hostname"
expect 0 web '' cat "/proc/$pid/ns/mnt:$lab/etc/hostname"
expect 0 web '' cat "/proc/$pid/root:$lab/etc/hostname"
expect 0 web '' cat "$inside:etc/hostname"
mkdir "$out/pin"
if mount --bind "$out/pin" "$out/pin" && mount --make-private "$out/pin"; then
  pin=$out/pin
  touch "$pin/mnt"
  # shellcheck disable=SC2016 # for the inner shell to expand
  # shellcheck disable=SC2016
  if taskset -c 0 unshare --mount="$pin/mnt" sh -c 'mount -t tmpfs idle "$0"; echo idle >"$0/file"' "$lab"; then
    expect 0 idle '' cat "$pin/mnt:$lab/file"
    expect 0 idle '' cat "mnt:[$(stat -c %i "$pin/mnt")]:$lab/file"
  fi
fi

# Links of procfs whose text is refused have a row all the same.
"$nsctl" fs ls -l --strict "/:/proc/1" >"$out/list" 2>"$out/stderr"
status=$?
[[ $(<"$out/list") != *'??????'* ]] || fail "a row is lost where only its link is denied"
if ! readlink /proc/1/cwd >/dev/null; then
  ((status == 3)) || fail "a link that is denied is no gap"
  [[ $(<"$out/stderr") == *"readlink: EACCES: where it leads to is unknown" ]] || fail "the gap of a link"
  row=$(LC_ALL=C ls -ldn /proc/1/cwd 2>/dev/null)
  expect 3 "${row/\/proc/\/:\/proc}" \
    '*readlink: EACCES*' ls -ld --strict "/:/proc/1/cwd"
  "$nsctl" fs stat --strict "/:/proc/1/cwd" >"$out/list" 2>/dev/null
  (($? == 3)) || fail "stat of a link that is denied"
  [[ $(<"$out/list") == *"Type: symbolic link"* ]] || fail "stat of a link that is denied says nothing"
fi

# What is not mounted yet is not empty.
if [[ $auto == mounted ]]; then
  for kind in direct indirect; do
    expect 3 '' "*EREMOTE: not mounted: autofs is not triggered" ls --strict "$at/auto/$kind"
    expect 3 '' "*EREMOTE: not mounted: autofs is not triggered" \
      cp -r --strict "$at/auto/$kind" "$out/auto-$kind"
  done
  expect 3 '' "*2 files*EREMOTE: not mounted: autofs is not triggered" \
    cp -r --strict "$at/auto" "$out/auto"
else
  echo "no autofs here"
fi

# Wrong in every way: one line that names the component.
expect 1 '' "*nsctl: fs: *[(]ENOENT[)] at component \"none\"" cat "$at/etc/none/x"
expect 1 '' "*[(]ENOENT[)] at component \"abs\", a link to \"/tmp/secret\", of which \"tmp\" is missing" \
  cat "$inside:abs/x"
expect 2 '' "*--timeout is a number of seconds above 0*" ls --timeout 0 "$at"
expect 2 '' "*--limit is a number above 0*" ls --limit 0 "$at"
expect 3 hostname '*limit of entries: what is past that is left out' ls --strict --limit 1 "$at/etc"
expect 1 '' "*[(]ENOTDIR[)] at component \"hostname\"" cat "$at/etc/hostname/x"
expect 1 '' "*[(]ELOOP[)] at component \"loop\"" cat "$at/loop"
expect 1 '' "*[(]ELOOP[)] at component \"chain1\"" cat "$at/chain1"
expect 0 end '' cat "$at/chain3"
expect 1 '' "*[(]ELOOP[)] at component \"exe\"*" cat "$pid:/proc/$pid/exe"
expect 1 '' "*[(]ELOOP[)] at component \"root\", which is a magic link*" cat "$pid:/proc/$pid/root/etc/hostname"

# What a procfs has of its reader is no part of the target.
export SECRET=of-the-operator
readonly reader='which means this process and nothing of the target'
for way in conf thread; do
  refused="nsctl: fs: resolve *Leads to the reader itself [(]ELOOP[)] at component \"$way\", $reader"
  expect 1 '' "$refused" cat "$at/$way"
  expect 1 '' "$refused" cp -L "$at/$way" "$out/reader"
  expect 1 '' "$refused" ls -lL "$at/$way"
  expect 1 '' "$refused" stat -L "$at/$way"
  expect 1 '' "$refused" resolve "$at/$way"
  expect 1 '' "$refused" readlink -f "$at/$way"
  [[ ! -e $out/reader ]] || fail "the reader's environment was copied"
done
expect 0 /proc/self/environ '' readlink "$at/conf"
for link in self thread-self; do
  expect 1 '' "*[(]ELOOP[)] at component \"$link\", $reader" cat "$pid:/proc/$link/environ"
  expect 1 '' "*[(]ELOOP[)] at component \"$link\", $reader" cp -r "$pid:/proc/$link/" "$out/reader"
  expect 1 '' "*[(]ELOOP[)] at component \"$link\", $reader" cat "/:/proc/$link/environ"
  [[ $("$nsctl" fs readlink "$pid:/proc/$link") == [1-9]* ]] || fail "the link itself is not read"
done
expect 1 '' "*[(]ELOOP[)] at component \"self\", $reader" cat "/proc:self/environ"
expect 1 '' "*[(]ELOOP[)] at component \"mounts\", $reader" cat "$pid:/proc/mounts"
expect 0 "$(cat "/proc/$pid/comm")" '' cat "$pid:/proc/$pid/comm"
expect 1 '' "*open $at/run/abs: is a symbolic link*" cat -P "$at/run/abs"
expect 1 '' "*[(]EXDEV[)] at component \"${lab##*/}\", which is a mount point" resolve -x "$at/etc"
expect 2 '' "*\"$pid:/etc\"" ls "$pid/etc"
expect 2 '' "*nsctl help fs ls" help ls
expect 1 '' "*/etc/passwd: is a FIFO, which is not opened" cat "$at/etc/passwd"
expect 1 '' "nsctl: fs: open $at/null: is a character device, which is not opened" cat "$at/null"
expect 0 '' '' cat --special "$at/null"
expect 1 '' "*: more than the limit of 4096 bytes" cp --limit 4K "$at/sparse" "$out/limited"
[[ ! -e $out/limited ]] || fail "a file over the limit was left"
expect 1 '' "nsctl: fs: no process 4194304: *" ls 4194304:/
expect 1 '' "nsctl: fs: no process $pid:1: *[(]ESRCH[)]" ls "$pid:1:/"
expect 1 '' "*has no files*" ls "/proc/$pid/ns/net"
expect 1 '' "*no container container:no-such-container*" ls "container:no-such-container:/"

# Copies.
expect 3 '' "*missing: *" cp -r --strict "$at/etc" "$out/etc"
[[ $(<"$out/etc/hostname") == web && ! -e $out/etc/passwd ]] || fail "a copy of etc"
[[ $(stat -c %a "$out/etc/hostname") == 755 ]] || fail "a set-user-ID bit was copied"
expect 0 '' '' cp -rp "$at/run" "$at/a" "$out"
[[ $(readlink "$out/run/up") == "$(readlink "$inside/run/up")" ]] || fail "a link was followed"
[[ $(stat -c %Y "$out/a/b") == 981173106 ]] || fail "a time was not kept"
mkdir "$out/two"
expect 1 '' "*will not overwrite just-created $out/two/hostname with $pid:/etc/hostname" \
  cp "$at/etc/hostname" "$pid:/etc/hostname" "$out/two/"
[[ $(<"$out/two/hostname") == web ]] || fail "a copy took the place of another"
expect 1 '' "nsctl: fs: copy a directory to $out/two/hostname: *[(]ENOTDIR[)]" \
  cp -r "$at/etc" "$out/two/hostname"
expect 1 '' "nsctl: fs: copy to $out/none/x: *[(]ENOENT[)]" cp "$at/etc/hostname" "$out/none/x"
expect 0 '' '' cp "$at/sparse" "$out"
cmp "$inside/sparse" "$out/sparse" || fail "a sparse file was not copied well"
(($(stat -c %b "$out/sparse") <= 2048)) || fail "holes were filled"
ln -s "$lab/victim" "$out/trap"
mkdir "$out/tree" && ln -s "$lab" "$out/tree/etc"
expect 1 '' "*is a symbolic link*" cp "$at/etc/hostname" "$out/trap"
expect 1 '' "*[(]ENOTDIR[)]*" cp -r "$at/etc" "$out/tree"
expect 1 '' "nsctl: fs: copy to /proc/$pid/root/tmp/: leads through a magic link of procfs*" \
  cp "$at/etc/hostname" "/proc/$pid/root/tmp/x"
expect 1 '' "*leads through a magic link of procfs*" cp "$at/etc/hostname" "/proc/$pid/root/tmp"
expect 2 '' "*nothing is copied into a target*" cp "$at/etc/hostname" "$at/etc/x"
expect 1 '' "*is a character special file*" cp "$at/etc/hostname" /dev/null
expect 1 '' "*[(]EISDIR[)]" cp "$at/etc" "$out/x"
[[ -c /dev/null && $(<"$lab/victim") == outside && $(ls "$lab") == victim ]] ||
  fail "something outside was written to"
expect 0 '' '' cp "$at/$name" "$out"
[[ $(<"$out/"$'new\nline\e[31m\xff:back\\slash') == x ]] || fail "a name was not kept"

# What fails in great number is counted after some lines.
mkdir "$out/taken" "$lab/many"
for i in {1..100}; do
  echo >"$lab/many/$i"
  mkdir -p "$out/taken/many/$i"
done
"$nsctl" fs cp -r "$lab:many" "$out/taken" 2>"$out/stderr" && fail "a copy in the place of directories"
(($(wc -l <"$out/stderr") == 21)) || fail "$(wc -l <"$out/stderr") lines of failures"
[[ $(tail -n 1 "$out/stderr") == "nsctl: fs: and more failures: 80 times EISDIR" ]] ||
  fail "the last line of failures: $(tail -n 1 "$out/stderr")"
rm -r "$lab/many"

# An interrupted copy leaves no half file.
yes | head -c 300000000 >"$lab/long"
"$nsctl" fs cp "$lab:long" "$out/long" 2>"$out/stderr" &
copier=$!
for ((i = 0; i < 1000; i++)); do
  [[ -z $(find "$out" -name '.nsctl-*') ]] || break
done
kill -TERM "$copier"
wait "$copier"
if [[ -e $out/long ]]; then
  cmp "$lab/long" "$out/long" || fail "an interrupted copy left half a file"
fi
[[ -z $(find "$out" -name '.nsctl-*') ]] || fail "a temporary file was left"

# A directory without an end: what was read in time, or up to the limit, and a gap.
if [[ $fuse == mounted ]]; then
  for options in "" -l "-o json --limit 5000" "-o jsonl --limit 5000"; do
    SECONDS=0
    # shellcheck disable=SC2086 # words
    # shellcheck disable=SC2086
    "$nsctl" fs ls $options --strict --timeout 0.5 "$at/endless" >"$out/list" 2>"$out/stderr"
    (($? == 3)) || fail "an endless directory, $options: $(head -c 300 "$out/stderr")"
    [[ -s $out/list ]] || fail "nothing of an endless directory was listed"
    ((SECONDS < 30)) || fail "ls $options of an endless directory took $SECONDS s"
  done
  expect 3 1 '*limit of entries*' ls --strict --limit 1 "$at/endless"
fi

# A server that took the request and says nothing: whoever asked cannot be killed, and nsctl comes
# back all the same.
if [[ $fuse == mounted ]]; then
  SECONDS=0
  expect 1 '' "*no answer from device *within 500ms" cat --timeout 0.5 "$at/silent/file"
  expect 1 '' "*no answer from device *within 500ms" ls --timeout 0.5 "$at/silent"
  expect 1 '' "*no answer from device *within 500ms" ls -lR --timeout 0.5 "$at/silent"
  expect 1 '' "*no answer from device *within 500ms" ls -d --timeout 0.5 "$at/silent"
  # Below an operand it is a gap, called as the kernel would.
  "$nsctl" fs ls -R --strict --timeout 0.5 -o json "$at" >"$out/list" 2>/dev/null
  (($? == 3)) || fail "a list with a gap"
  [[ $(<"$out/list") == *'"error": "ETIMEDOUT"'* ]] || fail "the gap of a silent server"
  expect 1 '' "*no answer from device *within 500ms" cp --timeout 0.5 "$at/silent/file" "$out/silent"
  ((SECONDS < 60)) || fail "a silent server was waited for"
  [[ ! -e $out/silent ]] || fail "half a file was left"
else
  echo "no FUSE here: $fuse"
fi

((failures == 0))
