package dev.stapes.lxc.driver;

import dev.stapes.model.ExecSpec;
import dev.stapes.spi.ShellWords;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/** What the script {@code exec} reads about one program. */
final class ExecRequest {
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "LANG", "C.UTF-8");

  /** Variables that a shell sets, reads or computes itself. */
  private static final Set<String> SPECIAL =
      Set.of(
          "CDPATH",
          "ENV",
          "EPOCHREALTIME",
          "EPOCHSECONDS",
          "FUNCNAME",
          "HISTFILE",
          "HISTFILESIZE",
          "HISTSIZE",
          "IFS",
          "LINENO",
          "MAIL",
          "MAILCHECK",
          "MAILPATH",
          "OLDPWD",
          "OPTARG",
          "OPTIND",
          "PPID",
          "PS1",
          "PS2",
          "PS4",
          "PWD",
          "RANDOM",
          "REPLY",
          "SHLVL",
          "TMOUT");

  private ExecRequest() {}

  /** Whether a variable of this name is to a shell what any other is. */
  static boolean isPlain(String name) {
    return !SPECIAL.contains(name) && !name.startsWith("_");
  }

  /**
   * The text of the request.
   *
   * @param input whether it is given something to read
   * @param terminal number of a terminal in the container's devpts
   */
  static String text(ExecSpec spec, boolean input, OptionalInt terminal) {
    TreeMap<String, String> environment = new TreeMap<>(DEFAULTS);
    if (spec.user() == 0) {
      environment.put("USER", "root");
    }
    spec.terminal().ifPresent(size -> environment.put("TERM", "xterm"));
    environment.putAll(spec.environment());

    List<String> odd = new ArrayList<>();
    StringBuilder variables = new StringBuilder("variables() {\n  :\n");
    environment.forEach(
        (name, value) -> {
          if (!isPlain(name)) {
            odd.add(name + "=" + value);
          } else {
            variables.append("  export ").append(name).append('=');
            variables.append(ShellWords.quote(value)).append('\n');
          }
        });
    String group = spec.group().map(gid -> Long.toString(gid)).orElse(spec.user() == 0 ? "0" : "");
    return variables
        .append("}\n_tty=")
        .append(terminal.isPresent() ? Integer.toString(terminal.getAsInt()) : "")
        .append("\n_in=")
        .append(input ? "yes" : "")
        .append("\n_user=")
        .append(spec.user())
        .append(':')
        .append(group)
        .append("\n_dir=")
        .append(ShellWords.quote(spec.directory().orElse("")))
        .append("\n_odd=")
        .append(ShellWords.quote(ShellWords.quote(odd)))
        .append("\nset -- ")
        .append(ShellWords.quote(spec.command()))
        .append("\nreturn\n")
        .toString();
  }
}
