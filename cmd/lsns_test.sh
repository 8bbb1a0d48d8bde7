#!/bin/bash
# Compares nsctl with util-linux's lsns on the running host: every namespace that lsns shows, before
# and after, is shown, with the same parent and owner.
set -uo pipefail

readonly nsctl=$PWD/$1

# Namespaces of all eight types that stay while the test looks.
if unshare --mount --uts --ipc --net --pid --fork --cgroup --user --map-root-user true 2>/dev/null; then
  mkfifo "$TEST_TMPDIR/ready" "$TEST_TMPDIR/done"
  # shellcheck disable=SC2016 # for the inner shell to expand
  # shellcheck disable=SC2016
  unshare --mount --uts --ipc --net --pid --fork --cgroup --user --map-root-user \
    sh -c 'echo > "$0/ready"; read -r _ < "$0/done"' "$TEST_TMPDIR" &
  trap 'echo > "$TEST_TMPDIR/done"; wait' EXIT
  read -r _ <"$TEST_TMPDIR/ready"
fi

if ! command -v lsns >/dev/null || ! lsns --noheadings --raw --output NS,PNS,ONS >/dev/null 2>&1; then
  echo "SKIPPED: no lsns that knows the columns PNS and ONS"
  exit 0
fi

# "NS TYPE PNS ONS", sorted; lsns writes 0 for what it does not know.
look() { lsns --noheadings --raw --output NS,TYPE,PNS,ONS | sort; }

before=$(look)
ours=$("$nsctl" list --noheadings --columns NS,TYPE,PNS,ONS | tr -s ' ' | sed 's/^ //') || exit 1
after=$(look)

checked=0
failures=0
while read -r ns type parent owner; do
  line=$(grep "^$ns $type " <<<"$ours")
  checked=$((checked + 1))
  read -r _ _ our_parent our_owner <<<"$line"
  if [[ -z $line ]]; then
    echo "FAIL: nsctl does not show $type:[$ns]"
    failures=$((failures + 1))
  elif [[ $parent != 0 && $our_parent != "$parent" || $owner != 0 && $our_owner != "$owner" ]]; then
    echo "FAIL: $type:[$ns]: lsns says parent $parent, owner $owner; nsctl says $our_parent, $our_owner"
    failures=$((failures + 1))
  fi
done < <(comm -12 <(echo "$before") <(echo "$after"))

echo "$checked namespaces compared"
((checked > 0 && failures == 0))
