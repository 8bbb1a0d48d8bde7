#!/bin/bash
# Network namespaces as ip-netns(8) makes, names and numbers them: nsctl tells the same names and
# numbers as "ip netns" and lsns. $1 is nsctl.
set -uo pipefail

if [[ ${2:-} != inside ]]; then
  command -v ip >/dev/null || { echo "SKIPPED: no ip-netns(8)"; exit 0; }
  if ! unshare --net --mount true 2>/dev/null; then
    echo "SKIPPED: no network namespace can be made here (CAP_SYS_ADMIN)"
    exit 0
  fi
  # In namespaces of its own, whose names and numbers nobody else sees, and which end with it.
  exec unshare --net --mount "$0" "$PWD/$1" inside
fi

readonly nsctl=$1
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

mount -t tmpfs none /run || { echo "FAILED: mount" >&2; exit 1; }
for name in first second numberless; do
  ip netns add "$name" || { echo "FAILED: ip netns add $name" >&2; exit 1; }
done
ip netns set first 4711
ip netns set second auto

inode_of() { stat -Lc %i "/run/netns/$1"; }

# "NSID NAME" of what has a number, as ip-netns(8) prints: "nsid 4711 (iproute2 netns name: first)".
theirs=$(ip netns list-id | sed -n 's/^nsid \([0-9]*\) (iproute2 netns name: \(.*\))$/\1 \2/p' | sort)
[[ $(wc -l <<<"$theirs") == 2 ]] || fail "ip netns list-id says: $theirs"
[[ $theirs == *"4711 first"* ]] || fail "ip netns list-id says: $theirs"

list=$("$nsctl" list --type net --noheadings --columns NS,NETNSID,NSFS 2>/dev/null)
ours=
for name in first second numberless; do
  line=$(grep "^ *$(inode_of "$name") " <<<"$list") || fail "no $name in: $list"
  read -r _ nsid path <<<"$line"
  if [[ $name == numberless ]]; then
    # The column has nothing for it.
    [[ $nsid == "/run/netns/$name" || $path == "/run/netns/$name" ]] || fail "$name: $line"
    [[ $nsid =~ ^[0-9]+$ ]] && fail "a number for $name: $line"
    continue
  fi
  [[ $path == "/run/netns/$name" ]] || fail "path of $name: $line"
  ours+="$nsid $name"$'\n'
done
ours=$(sort <<<"${ours%$'\n'}")
[[ $ours == "$theirs" ]] || fail "numbers: nsctl says «$ours», ip-netns(8) «$theirs»"

# The same as data, with names; absent is absent.
json=$("$nsctl" list --type net -o json 2>/dev/null)
for name in first second numberless; do
  one=$(tr -d ' \n' <<<"$json" | grep -o "\"inode\":$(inode_of "$name"),[^{}]*\"names\":\[\"$name\"\]")
  [[ -n $one ]] || fail "names of $name in JSON"
  [[ $name == numberless && $one == *nsid* ]] && fail "nsid of $name in JSON: $one"
  [[ $name == first && $one != *'"nsid":4711'* ]] && fail "nsid of $name in JSON: $one"
done

# lsns knows those that a process is in.
if command -v lsns >/dev/null; then
  nsenter --net=/run/netns/first sleep 60 &
  sleeper=$!
  trap 'kill "$sleeper"' EXIT
  for ((i = 0; i < 100; i++)); do
    [[ $(readlink "/proc/$sleeper/ns/net") == "net:[$(inode_of first)]" ]] && break
    sleep 0.05
  done
  theirs=$(lsns --type net --noheadings --raw --output NS,NETNSID,NSFS | grep "^$(inode_of first) ")
  ours=$("$nsctl" list --type net --noheadings --columns NS,NETNSID,NSFS 2>/dev/null |
    grep "^ *$(inode_of first) ")
  read -r -a theirs_words <<<"$theirs"
  read -r -a ours_words <<<"$ours"
  [[ ${theirs_words[*]} == "${ours_words[*]}" ]] || fail "lsns says «$theirs», nsctl «$ours»"
fi

# From elsewhere the numbers are others', the names are those of one's own mounts.
"$nsctl" inspect "net:$(inode_of first)" 2>/dev/null | grep -Eq '^ *Nsid:? +4711$' ||
  fail "inspect: $("$nsctl" inspect "net:$(inode_of first)" 2>/dev/null)"

exit "$failed"
