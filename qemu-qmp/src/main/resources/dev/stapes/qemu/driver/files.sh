# Files of a guest, for the host. Whatever POSIX shell the guest has executes it, with the programs of coreutils or busybox.
#   $1 beneath: a link or .. that leaves the root of a request is an error; else it stays there, as with chroot(2)
# Requests are lines that it evaluates: one of the functions below with its arguments, in quotes. The first of most is the root,
# without a slash at its end, and the second a path below. A reply is text, a NUL, and a line: ok, or fail, a kind, and why.
# What a reply to get_ holds besides has the length that was asked for; behind put_ come as many bytes as it says.
# Files that are read and written are open here as 3 to 8.
_beneath=$1
LC_ALL=C PATH=${PATH-}:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 077
_n='
'
exec 9<&0 </dev/null 2>/dev/null

ok() { printf '\0ok\n'; }

# $1 a kind   $2 why, of which the last line counts: an error comes behind the name that it is about
fail() {
  _why=${2:-}
  printf '\0fail %s %.8000s\n' "$1" "${_why##*"$_n"}"
  return 1
}

# Runs a program; where it fails that is the reply.
try() { _said=$("$@" 2>&1 >/dev/null) || fail failed "$_said"; }

is() { [ -e "$1" ] || [ -L "$1" ]; }

# Sets _at to where path $2 leads in root $1; with $3 a link at its end is followed. Only its last part may be missing.
find_() {
  _root=$1 _rest=$2/ _in= _links=40
  while [ -n "$_rest" ]; do
    _part=${_rest%%/*} _rest=${_rest#*/}
    case $_part in
    '' | .) continue ;;
    ..)
      if [ -n "$_in" ]; then
        _in=${_in%/*}
      elif [ "$_beneath" = beneath ]; then
        fail invalid "it leaves the tree"
        return 1
      fi
      continue
      ;;
    esac
    if [ ! -d "$_root$_in/." ]; then
      if is "$_root$_in"; then fail invalid "a part is no directory"; else fail missing; fi
      return 1
    fi
    _in=$_in/$_part
    if [ -L "$_root$_in" ] && [ -n "$_rest$3" ]; then
      if [ $((_links -= 1)) -lt 0 ]; then
        fail invalid "too many links"
        return 1
      fi
      _to=$(readlink "$_root$_in" && echo .)
      _to=${_to%"$_n".} _in=${_in%/*}
      case $_to in
      '')
        fail missing
        return 1
        ;;
      /*)
        if [ "$_beneath" = beneath ]; then
          fail invalid "it leaves the tree"
          return 1
        fi
        _in=
        ;;
      esac
      _rest=$_to/$_rest
    fi
  done
  _at=$_root${_in:-/.}
}

there() { find_ "$@" && { is "$_at" || fail missing; }; }

# Where something can be made.
free() { find_ "$@" && { ! is "$_at" || fail exists; }; }

stat_() { there "$1" "$2" && stat -c '%f %u %g %s %Y %t %T %h %i %y' "$_at" && ok; }

list_() {
  there "$1" "$2" yes || return
  [ -d "$_at" ] || { fail invalid "no directory"; return; }
  [ -r "$_at" ] || { fail denied "not to be read"; return; }
  for _name in "$_at"/* "$_at"/.[!.]* "$_at"/..?*; do
    ! is "$_name" || printf '%s/' "${_name##*/}"
  done
  ok
}

readlink_() {
  there "$1" "$2" || return
  [ -L "$_at" ] || { fail invalid "no link"; return; }
  readlink "$_at" && ok
}

directory_() {
  there "$1" "$2" yes || return
  [ -d "$_at" ] || { fail invalid "no directory"; return; }
  printf %s "${_at%/.}" && ok
}

mkdir_() { free "$1" "$2" && try mkdir "$_at" && try chmod "$3" "$_at" && ok; }
symlink_() { free "$1" "$2" && try ln -s -- "$3" "$_at" && ok; }
mkfifo_() { free "$1" "$2" && try mkfifo "$_at" && try chmod "$3" "$_at" && ok; }
mknod_() { free "$1" "$2" && try mknod "$_at" "$4" "$5" "$6" && try chmod "$3" "$_at" && ok; }

hardlink_() {
  there "$1" "$2" || return
  _old=$_at
  free "$1" "$3" && try ln "$_old" "$_at" && ok
}

rename_() {
  there "$1" "$2" || return
  _old=$_at
  find_ "$1" "$3" || return
  if is "$_at"; then
    if [ "$(stat -c '%d %i' "$_old")" = "$(stat -c '%d %i' "$_at")" ]; then
      ok
      return
    elif [ -d "$_at" ] && [ ! -L "$_at" ]; then
      [ -d "$_old" ] && [ ! -L "$_old" ] || { fail invalid "a directory is there"; return; }
      empty "$_at" || { fail exists "not empty"; return; }
    elif [ -d "$_old" ] && [ ! -L "$_old" ]; then
      fail invalid "what is there is no directory"
      return
    fi
  fi
  case $_at in "$_old"/*) fail invalid "into itself"; return ;; esac
  _parent=${_at%/*}/.
  [ -d "$_parent" ] || { fail missing; return; }
  [ "$(stat -c %d "$_old")" = "$(stat -c %d "$_parent")" ] || { fail invalid "to another file system"; return; }
  if [ -d "$_at" ]; then
    try mv -f -T "$_old" "$_at" && ok
  else
    try mv -f "$_old" "$_at" && ok
  fi
}

empty() {
  for _name in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    ! is "$_name" || return
  done
}

remove_() {
  there "$1" "$2" || return
  case $_at in */.) fail invalid "the root itself"; return ;; esac
  if [ -d "$_at" ] && [ ! -L "$_at" ]; then
    empty "$_at" || { fail exists "not empty"; return; }
    try rmdir "$_at" && ok
  else
    try rm -f "$_at" && ok
  fi
}

remove_all_() {
  there "$1" "$2" || return
  case $_at in */.) fail invalid "the root itself"; return ;; esac
  try rm -rf "$_at" && ok
}

chown_() { there "$1" "$2" && try chown -h "$3" "$_at" && ok; }

chmod_() {
  there "$1" "$2" || return
  [ ! -L "$_at" ] || { fail invalid "a link has no permissions"; return; }
  try chmod "$3" "$_at" && ok
}

# Not every touch(1) has nanoseconds.
touch_() {
  there "$1" "$2" || return
  touch -h -d "@$3$4" "$_at" || try touch -h -d "@$3" "$_at" && ok
}

resize_() {
  there "$1" "$2" || return
  [ -f "$_at" ] && [ ! -L "$_at" ] || { fail invalid "no regular file"; return; }
  has truncate && try truncate -s "$3" "$_at" && ok
}

has() { command -v "$1" >/dev/null || fail unsupported "the guest has no $1"; }
xattrs_() {
  there "$1" "$2" && has getfattr || return
  getfattr -h -d -m - -e hex --absolute-names "$_at" && ok || fail failed "its attributes cannot be read"
}
set_xattr_() { there "$1" "$2" && has setfattr && try setfattr -h -n "$3" -v "$4" "$_at" && ok; }

# $3 the number under which it is open
read_() {
  there "$1" "$2" yes || return
  [ -f "$_at" ] || { fail invalid "no regular file"; return; }
  eval "command exec $3<\"\$_at\"" || { fail denied "not to be read"; return; }
  stat -L -c %s "/proc/$$/fd/$3" && ok
}

# $4 its permissions where it is new   $5 owner:group, where it gets them and the permissions in any case
write_() { find_ "$1" "$2" yes && open_ "$3" '>' "$4" "$5"; }
append_() { find_ "$1" "$2" yes && open_ "$3" '>>' "$4" ''; }
create_() { free "$1" "$2" && set -C && { open_ "$3" '>' "$4" '' || :; } && set +C; }

open_() {
  _new=
  if is "$_at"; then
    [ -f "$_at" ] || { fail invalid "no regular file"; return; }
  else
    _new=yes
  fi
  case $_at in */.) _parent=$_at ;; *) _parent=${_at%/*}/. ;; esac
  [ -d "$_parent" ] || { fail missing; return; }
  if ! eval "command exec $1$2\"\$_at\""; then
    _said=$(eval ": $2\"\$_at\"" 2>&1)
    fail failed "${_said:-it cannot be opened}"
    return
  fi
  [ -z "$4" ] || try chown "$4" "/proc/$$/fd/$1" || return
  [ -z "$4$_new" ] || try chmod "$3" "/proc/$$/fd/$1" || return
  ok
}

# Reads $2 bytes at most, and fills up with zeros; the reply is how far that went.
get_() {
  _bad=
  dd bs="$2" count=1 <&"$1" || _bad=yes
  read -r _name _to <"/proc/$$/fdinfo/$1"
  [ "$((_to - $3))" -ge "$2" ] || dd if=/dev/zero bs="$(($2 - _to + $3))" count=1
  [ -z "$_bad" ] || { fail failed "it cannot be read"; return; }
  printf %s "$_to" && ok
}

put_() {
  if [ -n "$_whole" ]; then
    _said=$(dd bs="$2" count=1 iflag=fullblock <&9 2>&1 >&"$1")
  else
    _said=$(dd bs=1 count="$2" <&9 | { cat 2>&1 >&"$1" || { cat >/dev/null && false; }; })
  fi && ok || fail failed "${_said%%"$_n"*}"
}

shut_() { eval "exec $1<&-" && ok; }

# Not every dd(1) can wait for a whole block.
_whole=
[ "$(printf abc | dd bs=3 count=1 iflag=fullblock)" != abc ] || _whole=yes
if [ "$(stat -c %h /proc/self/fd/9 2>/dev/null)" ]; then ok; else fail unsupported "no stat(1) or no /proc"; fi
while IFS= read -r _line <&9; do
  eval "$_line"
done
