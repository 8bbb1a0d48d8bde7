#!/bin/bash
# Asks `nsctl why` and `nsctl inspect` about namespaces made for it on the running host. $1 is nsctl.
set -u
export LC_ALL=C.UTF-8

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
  if [[ -n $scene ]]; then
    umount "$scene/net" 2>/dev/null
    rm -rf -- "$scene"
  fi
}
trap cleanup EXIT

if ! unshare --net true 2>/dev/null; then
  echo "SKIPPED: no network namespace can be made here (CAP_SYS_ADMIN)"
  exit 0
fi

# expect_line WHAT LINE TEXT: one line of TEXT, without its branches, begins with LINE.
expect_line() {
  local line
  while read -r line; do
    line=${line##*[├└]─ }
    [[ ${line:0:${#2}} == "$2" ]] && return
  done <<<"$3"
  fail "$1: no line «$2» in:"$'\n'"$3"
}

scene=$(mktemp -d)
touch "$scene/net"
unshare --net="$scene/net" true || { echo "FAILED: unshare" >&2; exit 1; }
net="net:[$(stat -Lc %i "$scene/net")]"
own_mnt=$(readlink /proc/self/ns/mnt)

# Held by nothing but the file; looking at it does not make nsctl a holder.
text=$("$nsctl" why "$scene/net" 2>/dev/null) || fail "why of a path"
expect_line "a mount" "mounted at \"$scene/net\" in $own_mnt" "$text"
grep -q "descriptor .* of \"nsctl\"" <<<"$text" && fail "nsctl holds what it looks at: $text"
grep -Fq -e "$net ends with these" -e "$net may have more" <<<"$text" || fail "no conclusion: $text"

# A process that is in it, has it open, and has a socket in it.
coproc HOLDER {
  # shellcheck disable=SC2016 # for Perl
  exec nsenter --net="$scene/net" perl -MSocket -e '
    open(my $file, "<", "/proc/self/ns/net") or die;
    open(my $mounted, "<", $ARGV[0]) or die;
    socket(my $socket, AF_INET, SOCK_DGRAM, 0) or die;
    $| = 1;
    print "ready ", fileno($file), " ", fileno($mounted), " ", fileno($socket), "\n";
    <STDIN>' "$scene/net"
}
holder=$HOLDER_PID
read -r line file mounted socket <&"${HOLDER[0]}" || line=
[[ $line == ready ]] || fail "the holder did not start"
text=$("$nsctl" why "$net" 2>/dev/null) || fail "why of a namespace"
expect_line "a process" "process \"perl\" ($holder)" "$text"
expect_line "a descriptor" "descriptor $file of \"perl\" ($holder)" "$text"
expect_line "a descriptor by a mount" "descriptor $mounted of \"perl\" ($holder)" "$text"
inode=$(readlink "/proc/$holder/fd/$socket")
expect_line "a socket" "$inode, descriptor $socket of \"perl\" ($holder)" "$text"
text=$("$nsctl" why "$holder" --type net 2>/dev/null) || fail "why of a process"
expect_line "of a process" "$inode, descriptor $socket of \"perl\" ($holder)" "$text"
"$nsctl" snapshot -o pb 2>/dev/null | "$nsctl" why "$net" --from - >"$scene/saved" 2>/dev/null ||
  fail "why of a snapshot"
expect_line "a snapshot" "$inode, descriptor $socket of \"perl\" ($holder)" "$(cat "$scene/saved")"

# Graphviz reads what is drawn.
"$nsctl" why "$net" -o dot 2>/dev/null | dot -Tsvg >"$scene/svg" || fail "dot refuses the graph"
grep -q "socket $socket" "$scene/svg" || fail "the graph lacks the socket"
"$nsctl" tree --details -o dot 2>/dev/null | dot -Tsvg >/dev/null || fail "dot refuses the tree"

text=$("$nsctl" inspect "$holder" 2>/dev/null) || fail "inspect of a process"
grep -q "^PID: *$holder$" <<<"$text" || fail "inspect lacks the PID: $text"
grep -Fq "$net fd $mounted" <<<"$text" || fail "inspect lacks what the process holds: $text"
text=$("$nsctl" inspect "$scene/net" 2>/dev/null) || fail "inspect of a path"
grep -q "^Held by: *process 1$" <<<"$text" || fail "inspect lacks a holder: $text"

"$nsctl" why "$scene" >/dev/null 2>&1 && fail "a directory is no namespace"
exit $failed
