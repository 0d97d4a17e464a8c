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

  private static final Pattern VSOCK = Pattern.compile("\"driver\":\"vhost-vsock-");

  /** A guest that goes on is told another one. */
  private static final Pattern CONTEXT = Pattern.compile("\"guest-cid\":\\d+,");

  private static final String ROOT = "\"node-name\":\"" + QemuArguments.ROOT_NODE + "\"";

  /** The same disk to a guest, whether it is a file or a block device, and cached or not. */
  private static final Pattern BEHIND_ROOT =
      Pattern.compile(",\"cache\":\\{\"direct\":true,\"no-flush\":false}");

  private static final String ON_DEVICE = "\"driver\":\"host_device\"";

  private static final String IN_FILE = "\"driver\":\"file\"";

  private static final Pattern ID = Pattern.compile("(?:^|,)id=([^,]+)|\"id\":\"([^\"]+)\"");

  private CommandLine() {}

  /**
   * That of a process.
   *
   * @param process its directory in {@code /proc}
   */
  static List<String> of(Path process) throws IOException {
    byte[] bytes = Files.readAllBytes(process.resolve("cmdline"));
    return parse(new String(bytes, StandardCharsets.UTF_8));
  }

  /** What /proc has of it. */
  static List<String> parse(String text) {
    List<String> all = List.of(text.split("\0", -1));
    return kept(all.subList(1, all.size()));
  }

  /** Of arguments without a program. */
  static List<String> kept(List<String> all) {
    List<String> kept = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      boolean last = i + 1 == all.size();
      if (!last && OF_ONE_RUN.contains(all.get(i))) {
        i++;
      } else if (!last
          && all.get(i).equals("-object")
          && all.get(i + 1).contains("\"throttle-group\"")) {
        i++; // limits of the host
      } else if (isVsock(all.get(i))) {
        kept.add(CONTEXT.matcher(all.get(i)).replaceFirst(""));
      } else if (!all.get(i).isEmpty()) {
        kept.add(all.get(i).contains(ROOT) ? withoutHost(all.get(i)) : all.get(i));
      }
    }
    return kept;
  }

  private static String withoutHost(String root) {
    return BEHIND_ROOT.matcher(root).replaceAll("").replace(ON_DEVICE, IN_FILE);
  }

  /** Whether a device is a vsock of ours. */
  static boolean isVsock(String device) {
    return VSOCK.matcher(device).find();
  }

  /** What follows an option, each time it is there. */
  static List<String> values(List<String> arguments, String option) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i + 1 < arguments.size(); i++) {
      if (arguments.get(i).equals(option)) {
        values.add(arguments.get(i + 1));
      }
    }
    return values;
  }

  /** The devices with an id. */
  static Set<String> devices(List<String> arguments) {
    return values(arguments, "-device").stream()
        .flatMap(device -> idOf(device).stream())
        .collect(Collectors.toSet());
  }

  private static Set<String> idOf(String device) {
    Matcher matcher = ID.matcher(device);
    return matcher
        .results()
        .map(found -> found.group(1) == null ? found.group(2) : found.group(1))
        .collect(Collectors.toSet());
  }
}
