# Sourced by ./bench: fetches the programs that Stapes is compared with from Debian's packages and unpacks them below a
# directory of ours. Nothing is installed: no daemon starts, no unit is enabled, no hook of lxcfs becomes part of every
# container of this machine, and the machine's package sources stay as they are.
# shellcheck shell=bash

# The peers, each with the packages that it needs beyond what may be there already.
PEERS=(
  "incus incus-base incus-client lxcfs"
  "runc runc"
  "podman podman runc conmon"
  "fio fio"
)

# What shows that a peer is on this machine already.
peer_program() {
  case $1 in
    incus) printf '/usr/libexec/incus/incusd\n' ;;
    *) command -v "$1" || true ;;
  esac
}

# fetch_peers <directory> <peer>...: leaves in it root/ (what the packages contain), versions (one "package version" a line)
# and missing (one "peer: reason" a line).
fetch_peers() {
  local dir=$1 peer name
  shift
  mkdir -p "$dir/root/usr" "$dir/done"
  : >"$dir/missing"
  for peer in "${PEERS[@]}"; do
    name=${peer%% *}
    [[ " $* " = *" $name "* ]] || continue
    if [ -x "$(peer_program "$name")" ] || [ -e "$dir/done/$name" ]; then
      continue
    fi
    # shellcheck disable=SC2086 # the packages are words
    if fetch_packages "$dir" ${peer#* } >"$dir/log" 2>&1; then
      : >"$dir/done/$name"
    else
      printf '%s: %s\n' "$name" "$(peer_failure "$dir/log")" >>"$dir/missing"
    fi
  done
  peer_versions "$dir" >"$dir/versions"
}

peer_failure() {
  local reason
  reason=$(grep -E '^(E:|Err:| .* : (Depends|Breaks))' "$1" | head -n 1) || true
  [ -n "$reason" ] || reason=$(tail -n 1 "$1")
  printf '%s\n' "${reason:-its packages could not be fetched}"
}

# apt with lists and a cache of our own: the machine's sources, and its backports where they have them.
private_apt() {
  local dir=$1
  shift
  apt-get -o "Dir::Etc::SourceList=$dir/apt/sources.list" -o "Dir::State::Lists=$dir/apt/lists" -o "Dir::Cache=$dir/apt/cache" \
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o APT::Update::Post-Invoke= "$@"
}

backports() {
  local archive suite
  suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $suite" \
    'Component: main' | head -n 1)
  [ -z "$archive" ] ||
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s-backports main\n' "$archive" "$suite"
}

own_sources() {
  [ ! -f /etc/apt/sources.list ] || cat /etc/apt/sources.list
}

update_lists() {
  local dir=$1
  [ ! -e "$dir/apt/updated" ] || return 0
  mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
  # The machine's own lists say where its archive is; without them there is no telling.
  [ -n "$(backports)" ] || apt-get update
  { own_sources && backports; } >"$dir/apt/sources.list"
  if ! private_apt "$dir" update -o APT::Update::Error-Mode=any; then
    own_sources >"$dir/apt/sources.list"
    private_apt "$dir" update
  fi
  : >"$dir/apt/updated"
}

fetch_packages() {
  local dir=$1 file
  shift
  command -v apt-get dpkg-deb || {
    printf 'only Debian packages can be fetched from here\n'
    return 1
  }
  update_lists "$dir" || return 1
  rm -f "$dir"/apt/cache/archives/*.deb
  private_apt "$dir" install -y --download-only --no-install-recommends --reinstall "$@" || return 1
  for file in "$dir"/apt/cache/archives/*.deb; do
    unpack_package "$dir" "$file" || return 1
  done
}

# Everything goes below usr, as on a machine where /bin, /sbin and /lib are links to there.
unpack_package() {
  local dir=$1 place
  dpkg-deb -x "$2" "$dir/root" || return 1
  for place in bin sbin lib lib64; do
    [ -d "$dir/root/$place" ] || continue
    mkdir -p "$dir/root/usr/$place"
    cp -a "$dir/root/$place/." "$dir/root/usr/$place/" && rm -r "${dir:?}/root/$place"
  done
  dpkg-deb --show --showformat '${Package} ${Version}\n' "$2" >>"$dir/unpacked"
}

peer_versions() {
  {
    [ ! -f "$1/unpacked" ] || cat "$1/unpacked"
    dpkg-query --show --showformat '${db:Status-Abbrev}${Package} ${Version}\n' incus-base lxc liblxc1 runc podman btrfs-progs \
      util-linux busybox-static tar libarchive-tools squashfs-tools zstd xz-utils skopeo umoci fio \
      zfsutils-linux lvm2 2>/dev/null | sed -n 's/^ii *//p' || true # some are not there
  } | sort -u
}
