package dev.stapes.qemu.driver;

import dev.stapes.model.ExecSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Commands for a guest's shell that reach the processes of a session. */
final class Signals {
  /** Sends a signal to all processes of a session; field 6 of /proc/PID/stat, see proc(5). */
  private static final String SIGNAL =
      """
      for f in /proc/[0-9]*/stat; do
        read -r s <"$f" || continue
        r=${s##*) }
        set -- "$1" "$2" $r
        [ "$6" != "$2" ] || kill -"$1" "${s%% *}"
      done 2>/dev/null
      """;

  /** The same for the end of a session, and of those that move its input and output. */
  private static final String END =
      """
      session=$1
      shift
      for f in /proc/[0-9]*/stat; do
        read -r s <"$f" || continue
        r=${s##*) }
        i=0
        for w in $r; do
          i=$((i + 1))
          [ "$i:$w" != "4:$session" ] || kill -9 "${s%% *}"
          [ "$i" -lt 4 ] || break
        done
      done 2>/dev/null
      [ "$#" = 0 ] || kill -9 "$@" 2>/dev/null
      """;

  /** Changes the size of the terminal of a session: its leader has it as standard input. */
  private static final String RESIZE =
      """
      command -v stty >/dev/null 2>&1 || exit 127
      stty -F /proc/$1/fd/0 cols $2 rows $3
      """;

  /** The exit code where the guest lacks a program for it. */
  static final int NO_PROGRAM = 127;

  private Signals() {}

  /** Sends a signal to all processes of a session. */
  static List<String> command(int number, long session) {
    return List.of(
        "/bin/sh", "-c", SIGNAL, "stapes", Integer.toString(number), Long.toString(session));
  }

  /** Kills all processes of a session, where there is one, and some others. */
  static List<String> end(Optional<Long> session, List<String> others) {
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", END, "stapes"));
    command.add(session.map(number -> Long.toString(number)).orElse("none"));
    command.addAll(others);
    return command;
  }

  /** Changes the size of the terminal of a session. */
  static List<String> resize(long session, ExecSpec.TerminalSize size) {
    return List.of(
        "/bin/sh",
        "-c",
        RESIZE,
        "stapes",
        Long.toString(session),
        Integer.toString(size.columns()),
        Integer.toString(size.rows()));
  }
}
