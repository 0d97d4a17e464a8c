#!/usr/bin/env bash
# Prints what a test run could leave behind on this machine, one thing a line, sorted. ./verify calls it before and after
# the tests and fails where the two differ.
#
# Mounts, loop devices, links, namespaces, tables and cgroups are the machine's own. Of processes it lists only those that
# are ours: started below ./verify (STAPES_RUN in the environment), an lxc-start or monitor of a directory in this tree
# (their titles name it), a QEMU that works in this tree (its environment is its own), or sitting in a cgroup of a
# container. Of cgroups, those named after lxc or Stapes: systemd and
# others make and remove theirs while we look.
set -euo pipefail
export LC_ALL=C
tree=$(dirname "$(dirname "$(readlink -f "$0")")")
shopt -s nullglob

mounts() {
  # Systemd mounts and unmounts these when it likes.
  awk '{ print "mount " $5 " (" $4 ")" }' /proc/self/mountinfo |
    grep -vE '^mount (/run/user/|/run/credentials/|/proc/sys/fs/binfmt_misc)' || true
}

loop_devices() {
  local file
  for file in /sys/block/loop*/loop/backing_file; do
    printf 'loop device %s: %s\n' "$(basename "${file%/loop/backing_file}")" "$(cat "$file" 2>/dev/null || true)"
  done
}

links() {
  local link
  for link in /sys/class/net/*; do
    printf 'network link %s\n' "${link##*/}"
  done
  for link in /run/netns/*; do
    printf 'network namespace %s\n' "${link##*/}"
  done
}

tables() {
  ! command -v nft >/dev/null || nft list tables 2>/dev/null | sed 's/^/nft /'
}

cgroups() {
  find /sys/fs/cgroup -mindepth 1 -type d 2>/dev/null | grep -E '/[^/]*(lxc|stapes)' | sed 's/^/cgroup /' || true
}

is_below_us() { # an ancestor of this script, or the script and its own children, is no leftover
  local pid=$1
  while [ "$pid" -gt 1 ]; do
    [ "$pid" != $$ ] || return 0
    pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) || return 0
    [ -n "$pid" ] || return 0
  done
  return 1
}

processes() {
  local dir pid ancestors=" " title
  pid=$$
  while [ "$pid" -gt 1 ]; do
    ancestors+="$pid "
    pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
  done
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    case $ancestors in *" $pid "*) continue ;; esac
    title=$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline") || continue
    [ -n "$title" ] || continue # a kernel thread, or a zombie
    if [[ $title == *lxc*"$tree"* ]] ||
      [[ $title == *guest=stapes-* && $(readlink "$dir/cwd" || true) == "$tree"/* ]] ||
      grep -qzFx "STAPES_RUN=${STAPES_RUN:-none}" "$dir/environ" 2>/dev/null ||
      grep -qE '/(lxc\.(payload|monitor)|stapes)' "$dir/cgroup" 2>/dev/null; then
      is_below_us "$pid" || printf 'process %s: %s\n' "$pid" "$title"
    fi
  done
}

files() {
  local file
  for file in /tmp/{stapes,lxc,sqlite,jna,zstd,lib}* /var/lib/{lxc,stapes}/* /run/{lxc,stapes}/* /dev/shm/*stapes* \
    "$HOME"/.local/share/lxc/* /etc/lxc/*; do
    printf 'file %s\n' "$file"
  done
  for file in /etc/subuid /etc/subgid /etc/lxc/*; do
    [ ! -f "$file" ] || printf 'content of %s: %s\n' "$file" "$(cksum <"$file")"
  done
  if [ -e "$tree/.git" ] && command -v git >/dev/null; then
    git -C "$tree" status --porcelain | sed 's/^/work tree /'
  fi
}

{
  mounts
  loop_devices
  links
  tables
  cgroups
  processes
  files
} | sort
