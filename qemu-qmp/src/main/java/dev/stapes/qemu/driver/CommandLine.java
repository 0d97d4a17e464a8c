package dev.stapes.qemu.driver;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The command line of a running QEMU, without what two runs of the same machine may differ in. */
final class CommandLine {
  /** Options with a value that do not say what the guest sees. */
  private static final Set<String> OF_ONE_RUN = Set.of("-name", "-incoming", "-add-fd");

  private static final Pattern ID = Pattern.compile("(?:^|,)id=([^,]+)|\"id\":\"([^\"]+)\"");

  private CommandLine() {}

  /** That of a process. */
  static List<String> of(long pid) throws IOException {
    byte[] bytes = Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline"));
    return parse(new String(bytes, StandardCharsets.UTF_8));
  }

  /** What /proc has of it. */
  static List<String> parse(String text) {
    String[] all = text.split("\0", -1);
    List<String> kept = new ArrayList<>();
    for (int i = 1; i < all.length; i++) {
      boolean last = i + 1 == all.length;
      if (!last && OF_ONE_RUN.contains(all[i])) {
        i++;
      } else if (!last && all[i].equals("-object") && all[i + 1].contains("\"throttle-group\"")) {
        i++; // limits of the host
      } else if (!all[i].isEmpty()) {
        kept.add(all[i]);
      }
    }
    return kept;
  }

  /** The devices with an id. */
  static Set<String> devices(List<String> arguments) {
    Set<String> ids = new java.util.HashSet<>();
    for (int i = 0; i + 1 < arguments.size(); i++) {
      if (arguments.get(i).equals("-device")) {
        ids.addAll(idOf(arguments.get(i + 1)));
      }
    }
    return ids;
  }

  private static Set<String> idOf(String device) {
    Matcher matcher = ID.matcher(device);
    return matcher
        .results()
        .map(found -> found.group(1) == null ? found.group(2) : found.group(1))
        .collect(Collectors.toSet());
  }
}
