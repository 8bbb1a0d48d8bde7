#!/bin/bash
# The package holds what it should, a page for every command among it, and the
# same input makes the same bytes.
#
#   deb_test.sh MAKE_DEB NSCTL LICENSE
set -euo pipefail

make_deb=$PWD/$1 nsctl=$PWD/$2 license=$PWD/$3
export SOURCE_DATE_EPOCH=1700000000 NSCTL_REVISION=test
export NSCTL_MAINTAINER='Nobody <nobody@example.org>'
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
failures=0

fail() {
  echo "FAIL: $*" >&2
  failures=$((failures + 1))
}

mkdir "$scratch/first" "$scratch/second"
package=$("$make_deb" "$nsctl" "$license" "$scratch/first")
again=$(umask 077 && TZ=Asia/Tokyo LANG=C "$make_deb" "$nsctl" "$license" "$scratch/second")
cmp -- "$package" "$again" || fail "the same input made another package"

version=$("$nsctl" version)
[[ $(dpkg-deb --field "$package" Version) == "${version#nsctl }-1" ]] || fail "its version"
[[ -z $(dpkg-deb --field "$package" Depends) ]] || fail "it depends on something"

tree=$scratch/tree
dpkg-deb --extract "$package" "$tree"
[[ $("$tree/usr/bin/nsctl" version) == "$version" ]] || fail "its nsctl does not run"
for shell in bash:bash-completion/completions/nsctl zsh:zsh/vendor-completions/_nsctl \
  fish:fish/vendor_completions.d/nsctl.fish; do
  cmp -- "$tree/usr/share/${shell#*:}" <("$nsctl" completion "${shell%%:*}") ||
    fail "completion of ${shell%%:*}"
done
gzip -dc "$tree/usr/share/doc/nsctl/changelog.Debian.gz" | grep -q '^nsctl (.*) bookworm;' ||
  fail "its changelog"

# commands WORD...: the names that `nsctl help WORD...` lists.
commands() {
  "$nsctl" help "$@" | sed -n '/^Commands:/,/^$/p' | awk -F '  +' 'NR > 1 { print $2 }' |
    tr -d , | tr ' ' '\n' | grep . || true
}
# page NAME: the text of a manual page as it is read.
page() {
  MANWIDTH=79 LC_ALL=C.UTF-8 man --warnings --local-file "$tree/usr/share/man/man1/$1.1.gz" \
    2>"$scratch/warnings" | col -b
}

names=()
for command in $(commands); do
  names+=("nsctl-$command")
  for below in $(commands "$command"); do
    names+=("nsctl-$command-$below")
  done
done
((${#names[@]} > 20)) || fail "help lists only ${#names[@]} commands"
for name in nsctl "${names[@]}"; do
  [[ -e $tree/usr/share/man/man1/$name.1.gz ]] || fail "no page $name(1)"
  command -v man >/dev/null || continue
  text=$(page "$name")
  [[ $text == *NAME*SYNOPSIS* ]] || fail "$name(1) cannot be read"
  [[ ! -s $scratch/warnings ]] || fail "$name(1): $(head -n 1 "$scratch/warnings")"
done
if command -v man >/dev/null; then
  text=$(page nsctl-fs-cp)
  # Backslashes and dots at the beginning of lines are what pages lose first.
  "$nsctl" help fs cp | grep -o -- '--[a-z-]*' | sort -u | while IFS= read -r option; do
    grep -qF -- "$option" <<<"$text" || echo "$option"
  done >"$scratch/lost"
  [[ ! -s $scratch/lost ]] || fail "nsctl-fs-cp(1) lacks $(tr '\n' ' ' <"$scratch/lost")"
  # shellcheck disable=SC1003 # backslashes are meant
  [[ $(page nsctl-why) == *'\x3a is a colon and \\ a'* ]] || fail "nsctl-why(1) loses backslashes"
fi
((failures == 0))
