package dev.stapes.model;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads devices from Incus's keys, and the checks that their records share. */
final class DeviceCodec {
  private static final Pattern RATE = Pattern.compile("([1-9]\\d{0,9})iops");

  /** The kernel keeps operations a second in 32 bits. */
  private static final long MOST_OPERATIONS = 0xFFFF_FFFFL;

  private static final Pattern MAC = Pattern.compile("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}");
  private static final Pattern INTERFACE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}");
  private static final long MAX_ID = 0xFFFF_FFFEL;

  private DeviceCodec() {}

  static Device parse(String name, Map<String, String> config) {
    Reader reader = new Reader("device " + Names.device(name), new TreeMap<>(config));
    String type =
        reader.text("type").orElseThrow(() -> reader.error("has no type: \"" + config + "\""));
    Device device =
        reader.named(
            () ->
                switch (type) {
                  case "disk" -> disk(reader);
                  case "nic" -> nic(reader);
                  case "unix-char" -> unixChar(reader);
                  case "tpm" -> new Device.Tpm();
                  case "none" -> new Device.None();
                  default -> new Device.Raw(type, reader.takeAll());
                });
    reader.finish();
    return device;
  }

  private static Device disk(Reader reader) {
    return new Device.Disk(
        reader.text("path").orElse(""),
        reader.text("source"),
        reader.text("pool"),
        reader.value("size", Size::parse),
        reader.flag("readonly", false),
        reader.flag("recursive", false),
        reader.flag("required", true),
        ioLimits(reader),
        bootPriority(reader),
        diskIo(reader));
  }

  /** {@code auto} is Incus's word for no choice. */
  private static Device.DiskIo diskIo(Reader reader) {
    Device.DiskIo.Bus[] buses = Device.DiskIo.Bus.values();
    Device.DiskIo.Cache[] caches = Device.DiskIo.Cache.values();
    return new Device.DiskIo(
        reader
            .text("io.bus")
            .filter(text -> !text.equals("auto"))
            .map(text -> choice("io.bus", text, buses, Device.DiskIo.Bus::text)),
        reader
            .text("io.cache")
            .map(text -> choice("io.cache", text, caches, Device.DiskIo.Cache::text)));
  }

  private static <T> T choice(String key, String text, T[] all, Function<T, String> name) {
    return Arrays.stream(all)
        .filter(each -> name.apply(each).equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                StapesException.invalid(
                    key,
                    "must be one of "
                        + Arrays.stream(all).map(name).toList()
                        + ": \""
                        + text
                        + "\""));
  }

  /** {@code limits.max} stands for both, and before both. */
  private static Device.IoLimits ioLimits(Reader reader) {
    Optional<String> read = reader.text("limits.read");
    Optional<String> write = reader.text("limits.write");
    Optional<String> both = reader.text("limits.max");
    return new Device.IoLimits(both.or(() -> read), both.or(() -> write));
  }

  private static Device nic(Reader reader) {
    String kind = reader.need("nictype");
    if (!kind.equals("p2p")) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED, "nic", "nictype must be p2p: \"" + kind + "\"");
    }
    return new Device.Nic(
        Device.Nic.Kind.P2P,
        reader.text("name"),
        reader.text("host_name"),
        reader.text("hwaddr"),
        reader.value("mtu", text -> (int) number(text, 10)),
        bootPriority(reader));
  }

  private static Optional<Integer> bootPriority(Reader reader) {
    return reader
        .value("boot.priority", ConfigType.integer(0, Integer.MAX_VALUE).parse())
        .map(Math::toIntExact);
  }

  private static Device unixChar(Reader reader) {
    Optional<String> source = reader.text("source");
    Optional<String> path = reader.text("path");
    String either =
        source.or(() -> path).orElseThrow(() -> reader.error("needs a source or a path"));
    return new Device.UnixChar(
        source.orElse(either),
        path.orElse(either),
        reader.value("uid", text -> number(text, 10)).orElse(0L),
        reader.value("gid", text -> number(text, 10)).orElse(0L),
        reader.value("mode", text -> (int) number(text, 8)).orElse(0660),
        reader.flag("required", true));
  }

  private static long number(String text, int radix) {
    try {
      return Long.parseLong(text, radix);
    } catch (NumberFormatException e) {
      throw new StapesException(
          StapesException.Kind.INVALID, "number", "not a number: \"" + text + "\"", e);
    }
  }

  static SortedMap<String, String> start(Device device) {
    SortedMap<String, String> config = new TreeMap<>();
    config.put("type", device.type());
    return config;
  }

  static void flag(Map<String, String> config, String key, boolean value, boolean usual) {
    if (value != usual) {
      config.put(key, Boolean.toString(value));
    }
  }

  static void number(Map<String, String> config, String key, Optional<Integer> value) {
    value.ifPresent(number -> config.put(key, Integer.toString(number)));
  }

  static void checkBootPriority(String subject, Optional<Integer> priority) {
    priority.ifPresent(
        value -> require(value >= 0, subject, "boot priority must be 0 or more: " + value));
  }

  static void checkDisk(
      String path, Optional<String> source, Optional<String> pool, boolean recursive) {
    if (path.isEmpty()) {
      require(pool.isPresent() && source.isPresent(), "disk", "needs path, or a pool and a source");
    } else {
      absolute("disk path", path);
    }
    if (path.equals("/")) {
      require(source.isEmpty(), "disk path", "the root disk has no source: " + source);
      require(!recursive, "disk path", "the root disk cannot be recursive");
      pool.ifPresent(Names::pool);
      return;
    }
    String from =
        source.orElseThrow(() -> StapesException.invalid("disk " + path, "needs a source"));
    if (pool.isPresent()) {
      Names.pool(pool.get());
      checkVolumeSource(from);
    } else {
      absolute("disk source", from);
    }
  }

  /** The name of a volume, maybe with the names of a directory in it behind. */
  private static void checkVolumeSource(String from) {
    String[] parts = from.split("/", -1);
    Names.volume(parts[0]);
    for (String part : parts) {
      boolean name = !part.isEmpty() && !part.equals(".") && !part.equals("..");
      require(
          name && part.chars().noneMatch(Character::isISOControl),
          "disk source",
          "must be a volume, or one and a directory in it, such as data/www: \"" + from + "\"");
    }
  }

  static void checkRate(String rate) {
    Matcher operations = RATE.matcher(rate);
    if (operations.matches()) {
      require(
          Long.parseLong(operations.group(1)) <= MOST_OPERATIONS,
          "I/O limit",
          "must be at most " + MOST_OPERATIONS + "iops: \"" + rate + "\"");
    } else {
      require(Size.parse(rate).bytes() > 0, "I/O limit", "must be more than 0: \"" + rate + "\"");
    }
  }

  static void checkNic(
      Optional<String> name,
      Optional<String> hostName,
      Optional<String> address,
      Optional<Integer> mtu) {
    name.ifPresent(DeviceCodec::interfaceName);
    hostName.ifPresent(DeviceCodec::interfaceName);
    address.ifPresent(
        mac ->
            require(
                MAC.matcher(mac).matches() && (Integer.parseInt(mac.substring(0, 2), 16) & 1) == 0,
                "nic",
                "not a unicast MAC address: \"" + mac + "\""));
    mtu.ifPresent(
        value ->
            require(value >= 68 && value <= 65535, "nic", "MTU must be 68 to 65535: " + value));
  }

  private static void interfaceName(String name) {
    require(
        INTERFACE.matcher(name).matches(),
        "nic",
        "interface name must be 1 to 15 letters, digits or _ . @ -: \"" + name + "\"");
  }

  static void checkUnixChar(String source, String path, long uid, long gid, int mode) {
    absolute("unix-char source", source);
    absolute("unix-char path", path);
    require(uid >= 0 && uid <= MAX_ID, "unix-char", "uid out of range: " + uid);
    require(gid >= 0 && gid <= MAX_ID, "unix-char", "gid out of range: " + gid);
    require(mode >= 0 && mode <= 0777, "unix-char", "mode must be 0 to 0777: " + mode);
  }

  /** An absolute path without {@code .}, {@code ..}, empty parts or control characters. */
  private static void absolute(String what, String path) {
    boolean clean = path.equals("/") || path.matches("(/[^/\\p{Cntrl}]+)+");
    for (String part : path.split("/", -1)) {
      clean &= !part.equals(".") && !part.equals("..");
    }
    require(clean, what, "must be an absolute path without . or ..: \"" + path + "\"");
  }

  private static void require(boolean holds, String subject, String problem) {
    if (!holds) {
      throw StapesException.invalid(subject, problem);
    }
  }

  /** Takes keys one by one, so that what is left over is unknown. */
  private record Reader(String subject, TreeMap<String, String> left) {
    Optional<String> text(String key) {
      return Optional.ofNullable(left.remove(key)).filter(value -> !value.isEmpty());
    }

    String need(String key) {
      return text(key).orElseThrow(() -> error("needs " + key));
    }

    <T> Optional<T> value(String key, Function<String, T> parse) {
      return text(key).map(parse);
    }

    boolean flag(String key, boolean usual) {
      return value(key, ConfigType.BOOL.parse()).orElse(usual);
    }

    SortedMap<String, String> takeAll() {
      SortedMap<String, String> all = new TreeMap<>(left);
      left.clear();
      return all;
    }

    StapesException error(String problem) {
      return StapesException.invalid(subject, problem);
    }

    Device named(java.util.function.Supplier<Device> read) {
      try {
        return read.get();
      } catch (StapesException e) {
        throw e.subject().equals(subject)
            ? e
            : new StapesException(e.kind(), subject, String.valueOf(e.getMessage()), e);
      }
    }

    void finish() {
      if (!left.isEmpty()) {
        throw error("unknown key \"" + left.firstKey() + "\"");
      }
    }
  }
}
