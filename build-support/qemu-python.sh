#!/usr/bin/env bash
# Sourced by ./bench: fetches QEMU's own QMP client in Python, which no package has, from the source package of the QEMU that this
# machine's release has. Nothing is installed.
# shellcheck shell=bash

# shellcheck source=build-support/peers.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/peers.sh"

# fetch_qemu_python <directory>: leaves in it qemu/qmp, python-versions and python-missing (empty, or the reason).
fetch_qemu_python() {
  local dir
  mkdir -p "$1"
  dir=$(readlink -f "$1")
  : >"$dir/python-missing"
  [ ! -e "$dir/qemu/qmp/__init__.py" ] || return 0
  if ! unpack_qemu_python "$dir/python" >"$dir/python-log" 2>&1; then
    peer_failure "$dir/python-log" >"$dir/python-missing"
    return 0
  fi
  rm -rf "$dir/qemu"
  mv "$dir/python/qemu" "$dir/qemu"
  mv "$dir/python/version" "$dir/python-versions"
  rm -rf "$dir/python"
}

unpack_qemu_python() {
  local dir=$1 archive
  rm -rf "$dir"
  mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
  [ -n "$(backports)" ] || apt-get update
  backports | sed 's/^deb /deb-src /; s/-backports main$/ main/' >"$dir/apt/sources.list"
  [ -s "$dir/apt/sources.list" ] || {
    printf 'no archive of Debian among the sources of this machine\n'
    return 1
  }
  private_apt "$dir" -o Dir::Etc::SourceParts=/dev/null update -o APT::Update::Error-Mode=any || return 1
  (cd "$dir" && private_apt "$dir" -o Dir::Etc::SourceParts=/dev/null source --download-only --only-source --tar-only qemu) || return 1
  archive=$(printf '%s\n' "$dir"/qemu_*.orig.tar.*)
  tar -x -C "$dir" --strip-components=2 --wildcards -f "$archive" '*/python/qemu/qmp' || return 1
  [ -e "$dir/qemu/qmp/__init__.py" ] || {
    printf 'the source package of QEMU has no python/qemu/qmp\n'
    return 1
  }
  archive=${archive##*/qemu_}
  printf 'QEMU of Python %s\n' "${archive%.orig.tar.*}" >"$dir/version"
}
