# Runs one program, tells its process group and its exit code. Not the leader of its session.
# Own variables start with an underscore, so that none of the program's is among them.
cd /dev/.stapes || exit 1
_b=/dev/.stapes/busybox
set -f
umask 022
_id=$1
exec 3<>"./$_id.s" 9>&-
# Sets _tty _user _dir _odd and the arguments; defines variables().
. "./$_id.q"

# primary UID: group and home of a user, from the image's own list.
primary() {
  _found=$1 _home=/
  while IFS=: read -r _n _p _u _g _c _h _s; do
    if [ "$_u" = "$1" ]; then
      _found=$_g _home=$_h
      return
    fi
  done </etc/passwd
}

if [ -n "$_tty" ]; then
  exec 0<>"/dev/pts/$_tty" 1>&0 5>&0
else
  # Opening both ends first means not to wait for the other side.
  exec 4<>"./$_id.i" 0<"./$_id.i" 4>&-
  exec 4<>"./$_id.o" 1>"./$_id.o" 4>&-
  exec 4<>"./$_id.e" 5>"./$_id.e" 4>&-
fi
# This shell is in the process group that signals are sent to; the program gets the defaults.
trap : HUP INT QUIT USR1 USR2 PIPE ALRM TERM TSTP TTIN TTOU WINCH 37

(
  read -r -n 60 _pid _x _x _x _pgid _x </proc/self/stat
  [ -z "$_tty" ] || _pgid=$_pid
  echo "p $_pgid" >&3
  exec 2>&5 3>&- 5>&-
  _uid=${_user%:*} _gid=${_user#*:} _home=/root
  if [ -z "$_gid" ] || [ "$_uid" != 0 ]; then
    primary "$_uid" 2>/dev/null
    _gid=${_gid:-$_found}
  fi
  if [ -n "$_dir" ]; then
    cd "$_dir" 2>/dev/null || { echo "cannot enter $_dir" >&2; exit 126; }
  else
    cd "$_home" 2>/dev/null || cd /
  fi
  unset OLDPWD PWD SHLVL
  export HOME="$_home"
  variables
  _name=$1 _file=$1
  case $1 in
  */*) ;;
  *)
    _file=
    IFS=:
    for _d in $PATH; do
      _d=${_d:-.}
      if [ -f "$_d/$_name" ] && [ -x "$_d/$_name" ]; then
        _file=$_d/$_name
        break
      fi
    done
    unset IFS
    ;;
  esac
  [ -n "$_file" ] || { echo "$_name: not found" >&2; exit 127; }
  shift
  if [ "$_uid:$_gid:$_tty$_odd" = 0:0: ]; then
    exec -a "$_name" "$_file" "$@"
  fi
  if [ -n "$_odd" ]; then
    # Variables that a shell has its own idea of.
    eval "set -- \"\$_b\" env -- $_odd \"\$_file\" \"\$@\""
  else
    # Through programs that know nothing of a zeroth argument: a last shell sets it.
    set -- "$_b" sh -c 'unset OLDPWD PWD SHLVL; exec -a "$0" "$@"' "$_name" "$_file" "$@"
  fi
  [ "$_uid:$_gid" = 0:0 ] || set -- "$_b" nsenter -S "$_uid" -G "$_gid" "$@"
  [ -z "$_tty" ] || set -- "$_b" setsid -c "$@"
  exec "$@"
) 2>/dev/null
_code=$?
exec 0</dev/null 1>/dev/null 5>/dev/null
echo "x $_code" >&3
