# Runs one program in a guest, for the host. Whatever POSIX shell the guest has executes it, so it uses nothing else.
#   $1 slot, a number   $2 uid   $3 gid, or nothing   $4 directory, or nothing   $5 yes: it is given input
#   $6 columns and rows of a terminal, or nothing   $7 a word that nobody else knows   the rest: the program, its arguments
# In the environment, which others in the guest cannot read: _variables, lines that export those of the program.
# Of the slot there are four virtio-serial ports: stapes.N.in, .out, .err and .status. A port is opened once, and ends where
# the other side lets go of it. What is said on the status port, a line each:
#   begin W   by the word: what was said before is of another one
#   pid N     it begins, as the leader of a session
#   exit N    it has ended with this code
#   cat S N   process N moves what goes through in, out or err
#   in, out, err  and does not any more; behind all that was written to an output there is the word, and a newline
#   end       and so ends this script
_slot=$1 _uid=$2 _gid=$3 _dir=$4 _given=$5 _size=$6 _word=$7
shift 7
_in= _out= _err= _status=
for _file in /sys/class/virtio-ports/*/name; do
  _name=
  read -r _name <"$_file"
  _node=${_file%/name}
  _node=/dev/${_node##*/}
  case $_name in
  stapes.$_slot.in) _in=$_node ;;
  stapes.$_slot.out) _out=$_node ;;
  stapes.$_slot.err) _err=$_node ;;
  stapes.$_slot.status) _status=$_node ;;
  esac
done
[ -n "$_status" ] || exit 125
exec 9>"$_status" || exit 125
printf 'begin %s\n' "$_word" >&9
# A shell may have programs of its own by the same name, which do less: a path says which one is meant.
_setpriv= _script= _chroot=
for _directory in /sbin /usr/sbin /bin /usr/bin; do
  [ ! -x "$_directory/setpriv" ] || _setpriv=$_directory/setpriv
  [ ! -x "$_directory/chroot" ] || _chroot=$_directory/chroot
  [ ! -x "$_directory/script" ] || _script=$_directory/script
done
_program='
  [ -z "$_size" ] || stty cols "${_size% *}" rows "${_size#* }" 2>/dev/null
  printf "pid %s\n" "$$" >&9
  exec 9>&-
  _home=/root _found=
  if [ "$_uid" != 0 ] || [ -z "$_gid" ]; then
    _home=/ _found=$_uid
    while IFS=: read -r _n _p _u _g _c _h _s; do
      if [ "$_u" = "$_uid" ]; then
        _found=$_g _home=$_h
        break
      fi
    done </etc/passwd
    _gid=${_gid:-$_found}
  fi
  if [ -n "$_dir" ]; then
    cd "$_dir" 2>/dev/null || { echo "cannot enter $_dir" >&2; exit 126; }
  else
    cd "$_home" 2>/dev/null || cd /
  fi
  export HOME="$_home"
  eval "$_variables"
  if [ "$_uid:$_gid" != 0:0 ]; then
    _file=$(command -v -- "$1") || { echo "$1: not found" >&2; exit 127; }
    if [ -n "$_setpriv" ] && "$_setpriv" --reuid 0 true 2>/dev/null; then
      set -- "$_setpriv" --reuid "$_uid" --regid "$_gid" --clear-groups -- "$@"
    elif [ -n "$_chroot" ] && "$_chroot" --userspec=0:0 --groups= / true 2>/dev/null; then
      set -- "$_chroot" --userspec="$_uid:$_gid" --groups= --skip-chdir / "$@"
    elif command -v start-stop-daemon >/dev/null 2>&1; then
      shift
      set -- start-stop-daemon -S -q -c "$_uid:$_gid" -p /dev/.none -x "$_file" -- "$@"
    else
      echo "nothing in the guest changes the user: no setpriv, chroot --userspec, start-stop-daemon" >&2
      exit 126
    fi
  fi
  unset _uid _gid _dir _variables _size _setpriv _chroot _home _found _file _n _p _u _g _c _h _s
  exec "$@"
'
export _uid _gid _dir _variables _size _setpriv _chroot
_session=
! command -v setsid >/dev/null 2>&1 || _session=setsid

run() {
  if [ -z "$_size" ]; then
    $_session sh -c "$_program" stapes "$@"
  elif [ -n "$_script" ]; then
    _words=
    for _each in sh -c "$_program" stapes "$@"; do
      _words="$_words '$(printf '%s\n' "$_each" | sed "s/'/'\\\\''/g")'"
    done
    "$_script" -q -e -c "exec $_words" /dev/null 9>&9
  else
    echo "the guest has no script(1), which makes a terminal" >&2
    (exit 126)
  fi
}

# Moves what comes on 3 to its standard output, and the word behind it, all by one process that the host can end: who writes to
# a port that the host has closed waits for ever.
move() {
  if [ "$1" = in ]; then
    cat <&3 2>/dev/null 3<&- 4>&- 9>&- &
  else
    cat - /proc/self/fd/5 <&3 2>/dev/null 3<&- 4>&- 9>&- 5<<END &
$_word
END
  fi
  printf 'cat %s %s\n' "$1" "$!" >&9
  wait "$!"
  echo "$1" >&9
}

{
  [ -z "$_given" ] || move in 3<"$_in"
} | {
  {
    {
      run "$@"
      printf 'exit %d\n' "$?" >&9
    } 2>&1 >&4 4>&- | move err 3<&0 >"$_err" 4>&-
  } 4>&1 | move out 3<&0 >"$_out"
}
echo end >&9
