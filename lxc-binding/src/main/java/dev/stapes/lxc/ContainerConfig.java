package dev.stapes.lxc;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Everything a container is started with, as one generated configuration: no file of the
 * distribution is included, so what a container is does not depend on the machine's defaults.
 */
public final class ContainerConfig {
  private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,62})");
  private static final Pattern CAPABILITY = Pattern.compile("[a-z_]{1,40}");

  /** What liblxc can limit, setrlimit(2) without the prefix. */
  private static final Set<String> RESOURCES =
      Set.of(
          "as",
          "core",
          "cpu",
          "data",
          "fsize",
          "locks",
          "memlock",
          "msgqueue",
          "nice",
          "nofile",
          "nproc",
          "rss",
          "rtprio",
          "rttime",
          "sigpending",
          "stack");

  private static final Pattern VALUE =
      Pattern.compile("(\\d{1,19}|unlimited)(:(\\d{1,19}|unlimited))?");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** What no container gets: they act on the whole machine. */
  private static final List<String> USUAL_DROPS =
      List.of("mac_admin", "mac_override", "sys_module", "sys_rawio", "sys_time");

  private ContainerConfig() {}

  /** Whether {@link Builder#rlimit} takes such a resource. */
  public static boolean isResource(String word) {
    return RESOURCES.contains(word);
  }

  /**
   * Starts a configuration.
   *
   * @param name host name inside
   * @param root a directory of the mount namespace that the container is started from
   */
  public static Builder of(String name, Path root) {
    return new Builder(name, root);
  }

  /** A network device of a container. */
  public sealed interface Net {
    /** Nothing but {@code lo}. */
    record Empty() implements Net {}

    /**
     * One end of a pair, the other one stays on the host.
     *
     * @param name inside
     * @param hostName on the host; empty: liblxc chooses
     * @param address hardware address; empty: the kernel chooses
     * @param mtu empty: the kernel's default
     */
    record Veth(
        String name, Optional<String> hostName, Optional<String> address, Optional<Integer> mtu)
        implements Net {}
  }

  /** Collects the parts; the last call of an option holds. */
  public static final class Builder {
    private final String name;
    private final Path root;
    private Optional<IdMapping> idMapping = Optional.empty();
    private boolean mapRoot;
    private Namespaces namespaces = Namespaces.own();
    private List<String> init = List.of("/sbin/init");
    private final List<Net> nets = new ArrayList<>();
    private String automatic = "proc:mixed sys:mixed";
    private final List<MountEntry> mounts = new ArrayList<>();
    private List<String> drops = USUAL_DROPS;
    private Optional<Path> seccomp = Optional.empty();
    private final List<LxcConfig.Item> cgroup = new ArrayList<>();
    private final SortedMap<String, String> rlimits = new TreeMap<>();
    private final SortedMap<String, String> environment = new TreeMap<>();
    private Optional<Path> console = Optional.empty();
    private long consoleSize;
    private Optional<Path> log = Optional.empty();
    private String logLevel = "WARN";
    private Optional<String> stopHook = Optional.empty();
    private Optional<String> groups = Optional.empty();
    private List<LxcConfig.Item> raw = List.of();

    private Builder(String name, Path root) {
      this.name = name;
      this.root = root;
      if (!HOST_NAME.matcher(name).matches()) {
        throw StapesException.invalid("container", "not a host name: \"" + name + "\"");
      }
      if (!root.isAbsolute()) {
        throw StapesException.invalid("container", "the root must be absolute: \"" + root + "\"");
      }
    }

    /**
     * A user namespace with this map.
     *
     * @param mapFiles whether liblxc maps the owners of the root's files (an idmapped mount); false
     *     where they appear mapped already
     */
    public Builder idMapping(IdMapping mapping, boolean mapFiles) {
      idMapping = Optional.of(mapping);
      mapRoot = mapFiles;
      return this;
    }

    /** Namespaces that it does not get of its own. */
    public Builder namespaces(Namespaces wanted) {
      namespaces = wanted;
      return this;
    }

    /**
     * Its first program, with arguments; words without blanks, since liblxc splits at them.
     *
     * @param command not empty
     */
    public Builder init(String... command) {
      for (String word : command) {
        if (word.isEmpty() || word.chars().anyMatch(c -> c <= ' ' || "\"'\\".indexOf(c) >= 0)) {
          throw StapesException.invalid("container", "not a word of a command: \"" + word + "\"");
        }
      }
      init = List.of(command);
      return this;
    }

    /** A network device more; none at all leaves {@code lo}. */
    public Builder net(Net net) {
      nets.add(net);
      return this;
    }

    /** What liblxc mounts by itself, such as {@code proc:mixed sys:mixed}. */
    public Builder automaticMounts(String words) {
      automatic = words;
      return this;
    }

    /** A mount more, in this order. */
    public Builder mount(MountEntry entry) {
      mounts.add(entry);
      return this;
    }

    /** Capabilities that it never has, such as {@code sys_time}, instead of the usual ones. */
    public Builder dropCapabilities(List<String> capabilities) {
      capabilities.forEach(word -> require(CAPABILITY, word, "a capability"));
      drops = List.copyOf(capabilities);
      return this;
    }

    /** The file with its {@link SeccompPolicy}. */
    public Builder seccomp(Path policy) {
      seccomp = Optional.of(policy);
      return this;
    }

    /**
     * Names for its cgroups instead of liblxc's own choice: {@code lxc.payload.NAME} for itself,
     * {@code lxc.monitor.NAME} for its monitor, {@code lxc.pivot.NAME} for the monitor's last
     * moments.
     */
    public Builder cgroupNames(String suffix) {
      groups = Optional.of(suffix);
      return this;
    }

    /** A shell command that the monitor runs when the container has ended. */
    public Builder stopHook(String command) {
      stopHook = Optional.of(command);
      return this;
    }

    /** An item of its cgroups, such as {@code lxc.cgroup.pids.max}, in this order. */
    public Builder cgroup(String key, String value) {
      cgroup.add(new LxcConfig.Item(key, value));
      return this;
    }

    /**
     * A resource limit of its first program.
     *
     * @param resource setrlimit(2)'s word in lower case, such as {@code nofile}
     * @param value {@code soft[:hard]}, each a number or {@code unlimited}
     */
    public Builder rlimit(String resource, String value) {
      if (!isResource(resource)) {
        throw StapesException.invalid("container", "not a resource: \"" + resource + "\"");
      }
      require(VALUE, value, "a limit");
      rlimits.put(resource, value);
      return this;
    }

    /** A variable of its first program. */
    public Builder environment(String variable, String value) {
      require(VARIABLE, variable, "a variable name");
      environment.put(variable, value);
      return this;
    }

    /**
     * Where the output of its console goes.
     *
     * @param file what is there already stays; when it is full it gets {@code .1} after its name,
     *     in place of the one before, and another is begun
     * @param size of the file, in bytes; a power of two
     */
    public Builder console(Path file, long size) {
      if (size < 4096 || Long.bitCount(size) != 1) {
        throw StapesException.invalid("console", "the size must be a power of two: " + size);
      }
      console = Optional.of(file);
      consoleSize = size;
      return this;
    }

    /** Where liblxc says what goes wrong; {@code TRACE DEBUG INFO NOTICE WARN ERROR}. */
    public Builder log(Path file, String level) {
      log = Optional.of(file);
      logLevel = level.toUpperCase(Locale.ROOT);
      return this;
    }

    /** Lines of the user, at the end; see {@link RawLxc}. */
    public Builder raw(List<LxcConfig.Item> items) {
      raw = List.copyOf(items);
      return this;
    }

    /** The configuration. */
    public LxcConfig build() {
      LxcConfig.Builder config = new LxcConfig.Builder();
      config.add("lxc.uts.name", name);
      config.add("lxc.rootfs.path", "dir:" + root);
      identities(config);
      namespaces.addTo(config);
      config.add("lxc.init.cmd", String.join(" ", init));
      networks(config);
      if (!automatic.isEmpty()) {
        config.add("lxc.mount.auto", automatic);
      }
      mounts.forEach(entry -> config.add("lxc.mount.entry", entry.toValue()));
      terminals(config);
      if (!drops.isEmpty()) {
        config.add("lxc.cap.drop", String.join(" ", drops));
      }
      seccomp.ifPresent(file -> config.add("lxc.seccomp.profile", file.toString()));
      groups.ifPresent(
          suffix -> {
            config.add("lxc.cgroup.dir.monitor", "lxc.monitor." + suffix);
            config.add("lxc.cgroup.dir.container", "lxc.payload." + suffix);
            config.add("lxc.cgroup.dir.monitor.pivot", "lxc.pivot." + suffix);
          });
      config.addAll(cgroup);
      rlimits.forEach((resource, value) -> config.add("lxc.prlimit." + resource, value));
      environment.forEach((word, value) -> config.add("lxc.environment", word + "=" + value));
      stopHook.ifPresent(command -> config.add("lxc.hook.stop", command));
      log.ifPresent(
          file -> {
            config.add("lxc.log.file", file.toString());
            config.add("lxc.log.level", logLevel);
          });
      config.addAll(raw);
      return config.build();
    }

    private void identities(LxcConfig.Builder config) {
      idMapping.ifPresent(
          mapping -> {
            if (mapRoot) {
              config.add("lxc.rootfs.options", "idmap=container");
            }
            ranges(config, "u", mapping.uids());
            ranges(config, "g", mapping.gids());
          });
    }

    private static void ranges(
        LxcConfig.Builder config, String kind, List<IdMapping.Range> ranges) {
      ranges.forEach(
          range ->
              config.add(
                  "lxc.idmap",
                  kind + " " + range.inside() + " " + range.outside() + " " + range.count()));
    }

    private void networks(LxcConfig.Builder config) {
      List<Net> all =
          nets.isEmpty() ? List.of(new Net.Empty()) : Collections.unmodifiableList(nets);
      for (int i = 0; i < all.size(); i++) {
        String prefix = "lxc.net." + i + ".";
        if (all.get(i) instanceof Net.Veth veth) {
          config.add(prefix + "type", "veth");
          config.add(prefix + "name", veth.name());
          veth.hostName().ifPresent(host -> config.add(prefix + "veth.pair", host));
          veth.address().ifPresent(address -> config.add(prefix + "hwaddr", address));
          veth.mtu().ifPresent(mtu -> config.add(prefix + "mtu", Integer.toString(mtu)));
          config.add(prefix + "flags", "up");
        } else {
          config.add(prefix + "type", "empty");
        }
      }
    }

    private void terminals(LxcConfig.Builder config) {
      config.add("lxc.autodev", "1");
      config.add("lxc.pty.max", "1024");
      config.add("lxc.tty.max", "0");
      console.ifPresent(
          file -> {
            config.add("lxc.console.logfile", file.toString());
            config.add("lxc.console.size", Long.toString(consoleSize));
            config.add("lxc.console.rotate", "1");
          });
    }

    private static void require(Pattern form, String text, String what) {
      if (!form.matcher(text).matches()) {
        throw StapesException.invalid("container", "not " + what + ": \"" + text + "\"");
      }
    }
  }
}
