package dev.stapes.storage.lvm;

import dev.stapes.testkit.FakeProgram;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The program {@code lvm} on one volume group that is not there. It knows the commands of the
 * driver and refuses all else. Several machines may have the group: a device is one machine's.
 */
final class FakeLvm implements FakeProgram {
  static final String GROUP = "vg0";

  private static final long EXTENT = 4L << 20;
  private static final long SIZE = 1L << 30;
  private static final Pattern SELECTION = Pattern.compile("lv_tags=([\\[{])(.*)[\\]}]");
  private static final Map.Entry<String, Runnable> NOTHING = Map.entry("", () -> {});

  private final Map<String, Volume> volumes;
  private final AtomicLong changes;
  private final int machine;
  private final AtomicReference<Map.Entry<String, Runnable>> before =
      new AtomicReference<>(NOTHING);
  private double dataPercent;
  private double metadataPercent;

  FakeLvm() {
    this(1, Collections.synchronizedMap(new TreeMap<>()), new AtomicLong());
  }

  private FakeLvm(int machine, Map<String, Volume> volumes, AtomicLong changes) {
    this.changes = changes;
    this.machine = machine;
    this.volumes = volumes;
  }

  /** The same group, of another machine. */
  FakeLvm beside(int other) {
    return new FakeLvm(other, volumes, changes);
  }

  /** Its number. */
  int machine() {
    return machine;
  }

  /** What {@code sanlock client status} says. */
  FakeProgram sanlock() {
    return FakeProgram.printing(
        "p -1 status\ns lvm_" + GROUP + ":" + machine + ":/dev/mapper/vg0-lvmlock:0\n");
  }

  private static final class Volume {
    final Set<String> tags = new LinkedHashSet<>();
    String pool = "";
    String origin = "";
    long size;
    long metadata;

    /** The machine that has it; 0: none. */
    int active;

    boolean open;
  }

  /** A command that was refused. */
  private static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String complaint) {
      super(complaint);
    }
  }

  /** The tags of all but what bears the mark, whatever that is; what is trash is not shown. */
  synchronized Set<String> picture() {
    Set<String> all = new TreeSet<>();
    volumes.values().stream()
        .filter(volume -> !isPool(volume) && !volume.tags.contains(VolumeTags.TRASH))
        .forEach(
            volume -> all.add(volume.tags.toString().replaceAll("stapes_[0-9a-f]{32}", "mark")));
    return all;
  }

  private static boolean isPool(Volume volume) {
    return volume.tags.stream().anyMatch(tag -> tag.startsWith(VolumeTags.pool("")));
  }

  /** How many logical volumes there are, the thin pool too. */
  synchronized int count() {
    return volumes.size();
  }

  /** How many have a device. */
  synchronized long countActive() {
    return volumes.values().stream().filter(volume -> volume.active == machine).count();
  }

  /** Its machine has died, and its leases have ended. */
  void lose() {
    synchronized (volumes) {
      volumes.values().stream()
          .filter(volume -> volume.active == machine)
          .forEach(volume -> volume.active = 0);
    }
  }

  /** Somebody uses the device of one, or nobody does. */
  synchronized void hold(String name, boolean held) {
    Objects.requireNonNull(volumes.get(name), name).open = held;
  }

  /** How many have a tag. */
  synchronized long countWith(String tag) {
    return volumes.values().stream().filter(volume -> volume.tags.contains(tag)).count();
  }

  synchronized void fill(double data, double metadata) {
    dataPercent = data;
    metadataPercent = metadata;
  }

  /** Somebody uses the device of each volume that is trash, or of none. */
  synchronized void holdTrash(boolean held) {
    volumes.values().stream()
        .filter(volume -> volume.tags.contains(VolumeTags.TRASH))
        .forEach(volume -> volume.open = held);
  }

  synchronized void rename(String from, String to) {
    Volume volume = volumes.remove(from);
    if (volume != null) {
      volumes.put(to, volume);
    }
    volumes.values().stream()
        .filter(other -> other.pool.equals(from))
        .forEach(other -> other.pool = to);
  }

  /** The name of the one with a tag. */
  synchronized String named(String tag) {
    return volumes.entrySet().stream()
        .filter(entry -> entry.getValue().tags.contains(tag))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow();
  }

  /** The name of the one with a tag that begins so. */
  synchronized String beginning(String tag) {
    return volumes.entrySet().stream()
        .filter(entry -> entry.getValue().tags.stream().anyMatch(one -> one.startsWith(tag)))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow();
  }

  /** Whether one has a device. */
  synchronized boolean isActive(String name) {
    return Objects.requireNonNull(volumes.get(name), name).active == machine;
  }

  /** A thin volume that somebody made in the only pool. */
  synchronized void add(String name, Set<String> tags) {
    Volume made = new Volume();
    made.pool = onlyPool();
    made.tags.addAll(tags);
    volumes.put(name, made);
  }

  /** One that somebody made, of a size. */
  synchronized void addPlain(String name, Set<String> tags, long size) {
    Volume made = new Volume();
    made.size = size;
    made.tags.addAll(tags);
    volumes.put(name, made);
  }

  synchronized String onlyPool() {
    return volumes.entrySet().stream()
        .filter(entry -> isPool(entry.getValue()))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow();
  }

  /** Something that happens once, right before a command with an argument. */
  void before(String argument, Runnable work) {
    before.set(Map.entry(argument, work));
  }

  @Override
  public int run(Call call) throws Exception {
    Map.Entry<String, Runnable> next = Objects.requireNonNull(before.get());
    if (call.arguments().contains(next.getKey()) && before.compareAndSet(next, NOTHING)) {
      next.getValue().run();
    }
    return runNow(call);
  }

  private synchronized int runNow(Call call) throws Exception {
    synchronized (volumes) { // of all machines
      return runAlone(call);
    }
  }

  private int runAlone(Call call) throws Exception {
    Arguments arguments = Arguments.of(call.arguments());
    try {
      switch (arguments.command()) {
        case "version" -> call.print("  LVM version:     2.03.16(2) (2022-05-18)\n");
        case "vgs" -> call.print(group(arguments));
        case "lvs" -> call.print(report(arguments));
        case "lvcreate" -> create(arguments);
        case "lvchange" -> change(arguments);
        case "lvremove" -> remove(arguments);
        case "lvextend", "lvreduce" -> resize(arguments);
        default -> throw new Refused("No such command '" + arguments.command() + "'.");
      }
      return 0;
    } catch (Refused e) {
      call.stderr()
          .write(("  " + e.getMessage()).getBytes(java.nio.charset.StandardCharsets.UTF_8));
      return 5;
    }
  }

  private String group(Arguments arguments) throws Refused {
    if (!arguments.rest().equals(List.of(GROUP))) {
      throw new Refused("Volume group \"" + arguments.rest().get(0) + "\" not found");
    }
    return "{\"report\":[{\"vg\":[{\"vg_lock_type\":\"sanlock\",\"vg_seqno\":\""
        + changes
        + "\",\"vg_size\":\""
        + SIZE
        + "\",\"vg_free\":\""
        + free()
        + "\",\"vg_extent_size\":\""
        + EXTENT
        + "\"}]}]}";
  }

  private long free() {
    return SIZE
        - volumes.values().stream()
            .filter(volume -> volume.pool.isEmpty())
            .mapToLong(volume -> volume.size)
            .sum();
  }

  private String report(Arguments arguments) throws Refused {
    if (arguments.has("--options", "seg_pe_ranges")) {
      long extents = find(arguments.rest().get(0)).size / EXTENT;
      return "{\"report\":[{\"lv\":[{\"seg_pe_ranges\":\"/dev/fake:7-" + (6 + extents) + "\"}]}]}";
    }
    List<String> rows = new ArrayList<>();
    for (Map.Entry<String, Volume> entry : volumes.entrySet()) {
      String path = GROUP + "/" + entry.getKey();
      List<String> asked = arguments.rest();
      if (asked.isEmpty() || asked.contains(GROUP) || asked.contains(path)) {
        rows.add(row(entry.getKey(), entry.getValue()));
      }
    }
    if (rows.isEmpty() && !arguments.rest().isEmpty() && !arguments.rest().contains(GROUP)) {
      throw new Refused("Failed to find logical volume \"" + arguments.rest().get(0) + "\"");
    }
    return "{\"report\":[{\"lv\":[" + String.join(",", rows) + "]}]}";
  }

  private String row(String name, Volume volume) {
    Map<String, String> fields = new TreeMap<>();
    fields.put("vg_name", GROUP);
    fields.put("lv_name", name);
    fields.put("pool_lv", volume.pool);
    fields.put("origin", volume.origin.replace(GROUP + "/", ""));
    fields.put("lv_tags", String.join(",", volume.tags));
    fields.put("lv_snapshot_invalid", "");
    fields.put("lv_size", Long.toString(volume.size));
    fields.put("lv_active", volume.active == machine ? "active" : "");
    fields.put("lv_metadata_size", volume.pool.isEmpty() ? Long.toString(volume.metadata) : "");
    fields.put("data_percent", Double.toString(dataPercent));
    fields.put("metadata_percent", Double.toString(metadataPercent));
    List<String> all = new ArrayList<>();
    fields.forEach((field, value) -> all.add("\"" + field + "\":\"" + value + "\""));
    return "{" + String.join(",", all) + "}";
  }

  private void create(Arguments arguments) throws Refused {
    Volume made = new Volume();
    boolean active =
        arguments.has("--ignoreactivationskip", "") || !arguments.has("--setactivationskip", "y");
    made.active = active && !arguments.has("--activate", "n") ? machine : 0;
    made.tags.addAll(arguments.values("--addtag"));
    if (arguments.has("--type", "thin-pool")) {
      made.size = kibibytes(arguments.value("--size"));
      made.metadata = kibibytes(arguments.value("--poolmetadatasize"));
    } else if (arguments.has("--type", "thin")) {
      made.pool = arguments.value("--thinpool");
      made.size = kibibytes(arguments.value("--virtualsize"));
    } else if (arguments.has("--type", "linear")) {
      made.size = allocated(arguments);
    } else if (own(arguments.rest().get(0)).pool.isEmpty()) {
      made.origin = arguments.rest().get(0);
      made.size = allocated(arguments);
    } else {
      Volume source = find(arguments.rest().get(0));
      made.pool = source.pool;
      made.size = source.size;
    }
    if (volumes.putIfAbsent(arguments.value("--name"), made) != null) {
      throw new Refused("Logical Volume already exists in volume group");
    }
    changes.incrementAndGet();
  }

  private long allocated(Arguments arguments) throws Refused {
    long size = (kibibytes(arguments.value("--size")) + EXTENT - 1) / EXTENT * EXTENT;
    if (size > free()) {
      throw new Refused("Volume group \"" + GROUP + "\" has insufficient free space");
    }
    return size;
  }

  private void change(Arguments arguments) throws Refused {
    for (String path : arguments.rest()) {
      boolean activates = arguments.has("--activate", "y") || arguments.has("--activate", "ey");
      Volume volume = activates ? own(path) : find(path);
      if (arguments.has("--activate", "n") && volume.active == machine && volume.open) {
        throw new Refused("Logical volume " + path + " in use.");
      }
      boolean changed = volume.tags.removeAll(arguments.values("--deltag"));
      if (volume.tags.addAll(arguments.values("--addtag")) || changed) {
        changes.incrementAndGet();
      }
      if (activates) {
        volume.active = machine;
      } else if (arguments.has("--activate", "n") && volume.active == machine) {
        volume.active = 0;
      }
    }
  }

  private void remove(Arguments arguments) throws Refused {
    List<String> complaints = new ArrayList<>();
    for (String path : arguments.rest()) {
      if (!isSelected(arguments, find(path))) {
        continue;
      }
      if (own(path).open) {
        complaints.add("Logical volume " + path + " in use.");
      } else {
        String name = path.substring(GROUP.length() + 1);
        volumes.remove(name);
        changes.incrementAndGet();
        volumes.values().removeIf(volume -> volume.pool.equals(name));
        volumes.values().removeIf(volume -> volume.origin.equals(path));
      }
    }
    if (!complaints.isEmpty()) {
      throw new Refused(String.join("\n", complaints));
    }
  }

  /** By all of its tags, or by some. */
  private static boolean isSelected(Arguments arguments, Volume volume) throws Refused {
    for (String condition : arguments.values("--select")) {
      Matcher matcher = SELECTION.matcher(condition);
      if (!matcher.matches()) {
        throw new Refused("Invalid selection: " + condition);
      }
      Set<String> wanted = new LinkedHashSet<>();
      for (String quoted : matcher.group(2).split(" && ", -1)) {
        wanted.add(quoted.substring(1, quoted.length() - 1));
      }
      boolean all = matcher.group(1).equals("[");
      if (!(all ? volume.tags.equals(wanted) : volume.tags.containsAll(wanted))) {
        return false;
      }
    }
    return true;
  }

  private void resize(Arguments arguments) throws Refused {
    String path = arguments.rest().get(0);
    Volume volume = own(path);
    if (volume.active != 0 && volumes.values().stream().anyMatch(one -> one.origin.equals(path))) {
      throw new Refused("Snapshot origin volumes can be resized only while inactive");
    }
    changes.incrementAndGet();
    for (String size : arguments.values("--size")) {
      volume.size = size.startsWith("+") ? volume.size + kibibytes(size) : kibibytes(size);
    }
    for (String size : arguments.values("--poolmetadatasize")) {
      volume.metadata += kibibytes(size);
      metadataPercent /= 2;
    }
  }

  private Volume find(String path) throws Refused {
    Volume volume =
        path.startsWith(GROUP + "/") ? volumes.get(path.substring(GROUP.length() + 1)) : null;
    if (volume == null) {
      throw new Refused("Failed to find logical volume \"" + path + "\"");
    }
    return volume;
  }

  /** One that no other machine has; tags alone need no lock. */
  private Volume own(String path) throws Refused {
    Volume volume = find(path);
    if (volume.active != 0 && volume.active != machine) {
      throw new Refused("LV locked by other host: " + path);
    }
    return volume;
  }

  private static long kibibytes(String text) {
    return Long.parseLong(text.replace("+", "").replace("k", "")) * 1024;
  }

  /** Of a command: options that take a value, and what follows them. */
  private record Arguments(
      String command, List<Map.Entry<String, String>> options, List<String> rest) {
    private static final Set<String> ALONE =
        Set.of("--yes", "--force", "--nosuffix", "--snapshot", "--ignoreactivationskip");

    static Arguments of(List<String> all) {
      List<Map.Entry<String, String>> options = new ArrayList<>();
      List<String> rest = new ArrayList<>();
      for (int i = 2; i < all.size(); i++) {
        String word = all.get(i);
        if (ALONE.contains(word)) {
          options.add(Map.entry(word, ""));
        } else if (word.startsWith("--")) {
          i++;
          options.add(Map.entry(word, all.get(i)));
        } else {
          rest.add(word);
        }
      }
      return new Arguments(all.get(1), options, rest);
    }

    List<String> values(String option) {
      return options.stream()
          .filter(one -> one.getKey().equals(option))
          .map(Map.Entry::getValue)
          .toList();
    }

    String value(String option) throws Refused {
      List<String> values = values(option);
      if (values.size() != 1) {
        throw new Refused("not one " + option + " but " + values);
      }
      return values.get(0);
    }

    boolean has(String option, String value) {
      return values(option).contains(value);
    }
  }
}
