# shellcheck shell=bash
# Sourced. Installs what tools/packages.txt lists and the machine lacks.

# packages_listed SECTION...: the packages of these sections, one per line.
packages_listed() {
  local list=$NSCTL_ROOT/tools/packages.txt section line
  for section in "$@"; do
    grep -qxF "[$section]" "$list" || {
      echo "tools/packages.txt has no section [$section]" >&2
      return 1
    }
  done
  section=
  while IFS= read -r line; do
    line=${line%%#*}
    line=${line//[[:space:]]/}
    case $line in
      '') ;;
      '['*']') section=${line:1:-1} ;;
      *) [[ " $* " == *" $section "* ]] && printf '%s\n' "$line" ;;
    esac
  done <"$list"
  return 0
}

# packages_missing SECTION...: those of them that are not installed.
packages_missing() {
  local wanted installed
  wanted=$(packages_listed "$@") || return 1
  [[ -n $wanted ]] || return 0
  # One call for all of them; it fails when it does not know one, and leaves
  # that one out, which is the answer wanted here. Architecture-qualified names
  # ("a:amd64") are cut to what the list says.
  # shellcheck disable=SC2086 # one argument per package
  installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' \
    $wanted 2>/dev/null | sed -n 's/^installed //p' || true)
  grep -vxF -f <(printf '%s\n' "$installed") <<<"$wanted" || true
}

# packages_ensure SECTION...: installs the missing ones or fails.
packages_ensure() {
  local missing
  if ! command -v dpkg-query >/dev/null; then
    echo "nsctl's tools install from Debian 12; dpkg-query is missing here" >&2
    return 1
  fi
  missing=$(packages_missing "$@") || return 1
  [[ -n $missing ]] || return 0
  missing=${missing//$'\n'/ }

  if ((EUID != 0)); then
    {
      echo "These Debian packages are missing, and only root can install them:"
      echo "  $missing"
      echo "Run the same command with sudo, or:"
      echo "  sudo apt-get install --no-install-recommends $missing"
    } >&2
    return 1
  fi

  echo "Installing from Debian: $missing" >&2
  # The package lists of a fresh machine are empty, and old ones name files that
  # are gone; either way the first attempt fails and the lists are fetched.
  # shellcheck disable=SC2086 # one argument per package
  if ! _packages_apt install --no-install-recommends $missing 2>/dev/null; then
    _packages_apt update && _packages_apt install --no-install-recommends $missing
  fi || {
    echo "apt-get could not install: $missing" >&2
    return 1
  }
}

# apt-get without questions, and with nothing on stdout, which is the caller's.
_packages_apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq --yes \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}
