#!/usr/bin/env bash
# qemu10.sh <directory>: fetches QEMU 10 from the backports of this machine's release, beside the QEMU that is installed, so that
# tests can run with both. It is unpacked, not installed, with all libraries but the C library; bin/ in the directory has
# qemu10-system-x86_64, qemu10-img and qemu10-storage-daemon, which run from there: a test with @RequiresTool finds them where
# bin/ is on the PATH. What cannot be had is in missing, with the reason. A second call returns at once.
# Sourced it defines fetch_qemu10.
# shellcheck shell=bash

# shellcheck source=build-support/peers.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/peers.sh"

QEMU10_PACKAGES=(qemu-system-x86 qemu-system-common qemu-system-data qemu-utils)
QEMU10_PROGRAMS=(qemu-system-x86_64 qemu-img qemu-storage-daemon)

# fetch_qemu10 <directory>
fetch_qemu10() {
  local dir
  mkdir -p "$1"
  dir=$(readlink -f "$1")
  : >"$dir/missing"
  [ ! -e "$dir/done" ] || return 0
  rm -rf "$dir/root" "$dir/apt" "$dir/bin" "$dir/unpacked"
  if unpack_qemu10 "$dir" >"$dir/log" 2>&1; then
    wrap_qemu10 "$dir"
    mv "$dir/unpacked" "$dir/versions"
    rm -rf "$dir/apt"
    : >"$dir/done"
  else
    printf 'qemu10: %s\n' "$(peer_failure "$dir/log")" >"$dir/missing"
  fi
}

unpack_qemu10() {
  local dir=$1 suite file
  mkdir -p "$dir/root/usr"
  suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  update_lists "$dir" || return 1
  # Whatever is installed here: all that it depends on is unpacked with it.
  : >"$dir/apt/status"
  private_apt "$dir" -o Dir::State::status="$dir/apt/status" install -y --download-only --no-install-recommends \
    -t "$suite-backports" "${QEMU10_PACKAGES[@]}" || return 1
  for file in "$dir"/apt/cache/archives/*.deb; do
    case ${file##*/} in
      libc6_*) continue ;; # goes with the dynamic loader, which is the machine's
    esac
    unpack_package "$dir" "$file" || return 1
  done
  grep -q '^qemu-system-x86 1:10[.]' "$dir/unpacked" || {
    printf 'the newest QEMU of %s-backports is %s\n' "$suite" "$(sed -n 's/^qemu-system-x86 //p' "$dir/unpacked")"
    return 1
  }
}

# QEMU finds its firmware and its modules relative to where the program is.
wrap_qemu10() {
  local dir=$1 program wrapper
  mkdir -p "$dir/bin"
  for program in "${QEMU10_PROGRAMS[@]}"; do
    wrapper=$dir/bin/qemu10-${program#qemu-}
    cat >"$wrapper" <<END
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")/root/usr
LD_LIBRARY_PATH=\$root/lib/x86_64-linux-gnu exec "\$root/bin/$program" "\$@"
END
    chmod 755 "$wrapper"
  done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  [ $# = 1 ] || {
    printf 'usage: %s <directory>\n' "$0" >&2
    exit 1
  }
  fetch_qemu10 "$1"
  cat "$1/missing" >&2
  [ ! -s "$1/missing" ]
fi
