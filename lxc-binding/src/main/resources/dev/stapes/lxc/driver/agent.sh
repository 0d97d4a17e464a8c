# Starts programs for the host, whose requests come through a FIFO, a line each:
#   r ID          start the program that ./ID.q describes
#   k SIGNAL PID  send a signal; -PID for a process group
# Who has taken a request runs that program and nothing else; another one, who was started before and has only waited,
# takes the next. "agent lead N": takes requests; "agent follow N": waits for its turn; "agent alone N": takes requests, and
# had no room for a follower when it last tried.
# Own variables start with an underscore, so that none of a program's is among them.
cd /dev/.stapes || exit 1
_b=/dev/.stapes/busybox
set -f
umask 022
_role=$1 _number=$2
_id= _asked=
_turn=./turn$((_number % 2))
# Opened for reading and writing: it waits for nobody, and outlives the process at the other end. A follower has 8 from who
# started it, so that there is always somebody who listens.
[ "$_role" = follow ] || exec 8<>./req
exec 7<>"$_turn"
[ "$_role" != lead ] || echo R 1<>./up
read -r -n 40 _x _x _x _x _group _x </proc/self/stat

# Starts who leads next; it begins when nobody has 7 open any more, by intent or by death. It is a daemon to have a session
# and a process group of its own. A job in the background (&) would ignore SIGINT and SIGQUIT, and so would every program.
follower() {
  "$_b" start-stop-daemon -S -b -q -p ./none -x "$_b" -a sh -- ./agent follow $((_number + 1)) \
    6<"$_turn" 5<>./born 4<&- 7>&- && _asked=yes
}

# Whether there is somebody who leads next, as far as can be known now. The daemon forks once more, unseen: when it cannot,
# the end of 4 tells it. Who was started in time is not waited for; 5 is open for reading, too, so that it may speak when
# nobody listens any more.
followed() {
  if [ -z "$_asked" ]; then
    follower || return 1
  elif ! read -t 0 -u 4; then
    return 0
  fi
  _asked=
  read -r -u 4 _x
}

if [ "$_role" = follow ]; then
  echo here >&5
  read -r -u 6 _x
  exec 5>&- 6<&-
fi
exec 5<>./born 4<./born 5>&-
# A shell ends when it cannot fork: say so to who waits, and be there again. The redirection of the
# command that failed may be in force: without 8 the requests that wait would be lost with the exec.
trap 'exec 8<>./req; [ -z "$_id" ] || echo f 1<>"./$_id.s"; exec "$_b" sh ./agent alone "$_number"' EXIT
# Not before nobody has wanted anything for a moment: the CPUs are for who has just started a program, and many a container
# has only one to run. One byte: what is read when the time is over would be lost with a longer one.
_what=
[ "$_role" = alone ] || read -r -n 1 -t 0.02 -u 8 _what || follower

# The next request; a part of it may have been read already.
request() {
  if [ -n "$_what" ]; then
    read -r -u 8 _first _second
  else
    read -r -u 8 _what _first _second
  fi
}

# read takes a byte at a time: what follows a line stays in the FIFO for the next one.
while request; do
  case $_what in
  r)
    _id=$_first
    ! followed || break
    echo f 1<>"./$_id.s"
    _id=
    ;;
  k) kill -s "$_first" -- "$_second" ;;
  esac
  _what=
done
[ -n "$_id" ] || exit

# From here on it is the next one's turn; a fork that fails ends this shell, and the end of 3 tells it.
trap - EXIT
exec 3<>"./$_id.s" 4<&- 7>&- 8>&-
# Sets _tty _in _user _dir _odd and the arguments; defines variables().
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
  [ -z "$_in" ] || exec 4<>"./$_id.i" 0<"./$_id.i" 4>&-
  exec 4<>"./$_id.o" 1>"./$_id.o" 4>&-
  exec 4<>"./$_id.e" 5>"./$_id.e" 4>&-
fi
# This shell is in the process group that signals are sent to; the program gets the defaults.
trap : HUP INT QUIT USR1 USR2 PIPE ALRM TERM TSTP TTIN TTOU WINCH 37

(
  # With a terminal the program leads a session, and with it a group, of its own.
  [ -z "$_tty" ] || read -r _group _x </proc/self/stat
  echo "p $_group" >&3
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
