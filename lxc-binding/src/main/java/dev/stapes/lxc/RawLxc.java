package dev.stapes.lxc;

import dev.stapes.model.StapesException;
import java.util.ArrayList;
import java.util.List;

/** {@code raw.lxc}: lines of an LXC configuration that the user adds to the generated one. */
public final class RawLxc {
  /** What the driver decides, or what would let a container's config run programs of the host. */
  private static final List<String> OWNED =
      List.of(
          "lxc.include",
          "lxc.arch",
          "lxc.uts.name",
          "lxc.rootfs",
          "lxc.idmap",
          "lxc.init",
          "lxc.execute.cmd",
          "lxc.ephemeral",
          "lxc.log",
          "lxc.console",
          "lxc.monitor",
          "lxc.hook",
          "lxc.cgroup.dir",
          "lxc.cgroup.relative",
          "lxc.namespace",
          "lxc.seccomp.profile",
          "lxc.signal",
          "lxc.net",
          "lxc.pty",
          "lxc.tty",
          "lxc.autodev");

  /** Of these, what is the user's all the same. */
  private static final List<String> FREE = List.of("lxc.console.size");

  private RawLxc() {}

  /**
   * Reads the lines.
   *
   * @throws StapesException INVALID, quoting a line that is no item or an item that is not free
   */
  public static List<LxcConfig.Item> parse(String text) {
    List<LxcConfig.Item> items = new ArrayList<>();
    text.lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
        .forEach(line -> items.add(item(line)));
    return items;
  }

  private static LxcConfig.Item item(String line) {
    int equals = line.indexOf('=');
    if (equals < 0) {
      throw StapesException.invalid("raw.lxc", "not \"key = value\": \"" + line + "\"");
    }
    String key = line.substring(0, equals).strip();
    String value = line.substring(equals + 1).strip();
    for (String owned : OWNED) {
      if ((key.equals(owned) || key.startsWith(owned + ".")) && !FREE.contains(key)) {
        throw StapesException.invalid(
            "raw.lxc", "\"" + key + "\" cannot be set here, the driver decides it");
      }
    }
    try {
      return new LxcConfig.Item(key, value);
    } catch (StapesException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "raw.lxc", "not an item: \"" + line + "\"", e);
    }
  }
}
