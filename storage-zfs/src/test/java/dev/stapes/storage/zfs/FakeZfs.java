package dev.stapes.storage.zfs;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Host;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Datasets and snapshots that are not there: which of the changes that the driver asks for ZFS
 * allows, and what comes of them. What a dataset holds is a word. It knows the command lines of
 * {@link Zfs} alone; the contract in the lab VM tells whether ZFS takes them likewise.
 */
final class FakeZfs {
  private final Map<String, FakeDataset> nodes = new TreeMap<>();
  private long transactions;
  private long guids = -10; // unsigned, and so a large one
  private int padding;
  private long room = Long.MAX_VALUE;
  private boolean keepsChanged;
  private final Set<String> busy = new HashSet<>();
  private final Map<String, Runnable> before = new HashMap<>();

  /** What a program complains before it ends with 1. */
  private static final class Complaint extends Exception {
    private static final long serialVersionUID = 1L;

    Complaint(String message) {
      super(message);
    }
  }

  /** One change or question. */
  private interface Work {
    String run(List<String> arguments) throws Complaint;
  }

  private interface Answer {
    byte[] bytes() throws Complaint;
  }

  /** With one zpool, {@code tank}, that has an empty dataset, {@code tank/data}. */
  FakeZfs() {
    nodes.put("tank", new FakeDataset());
    nodes.put("tank/data", new FakeDataset());
  }

  /** A machine that has it. */
  FakeHost.Builder host() {
    return FakeHost.builder()
        .program("zfs", this::zfsOrStream)
        .program("zpool", program(this::zpool));
  }

  /** The programs of a machine, for a pool that is nowhere. */
  static Zfs programs(Host host) {
    Path nowhere = Path.of("/nonexistent");
    return new Zfs(new PoolContext(host, PoolSpec.of("p", "zfs"), nowhere, nowhere));
  }

  /** Lets a machine use a dataset or snapshot that has this component. */
  synchronized void use(String component) {
    busy.add(component);
  }

  /** Lets what was rolled back look as if something was written since, as with zvols. */
  synchronized void keepChanged() {
    keepsChanged = true;
  }

  /** Lets there be no more room than that for reservations. */
  synchronized void room(long bytes) {
    room = bytes;
  }

  /** What a property of a dataset is; {@code -} where it has none. */
  synchronized String property(Place place, String name) {
    FakeDataset node = nodes.get(place.toString());
    return node == null ? "-" : node.properties.getOrDefault(name, "-");
  }

  /** Lets nobody use anything. */
  synchronized void free() {
    busy.clear();
  }

  /** Lets streams be longer than they need to be. */
  synchronized void pad(int bytes) {
    padding = bytes;
  }

  /** Does something once, before the next command of a name. */
  synchronized void before(String command, Runnable work) {
    before.put(command, work);
  }

  /** Takes all zpools away from the machine, as an export does; the answer brings them back. */
  synchronized Runnable export() {
    Map<String, FakeDataset> all = new TreeMap<>(nodes);
    nodes.clear();
    return () -> bringBack(all);
  }

  private synchronized void bringBack(Map<String, FakeDataset> all) {
    nodes.putAll(all);
  }

  private int zfsOrStream(FakeProgram.Call call) throws Exception {
    List<String> arguments = call.arguments().subList(1, call.arguments().size());
    Runnable first;
    synchronized (this) {
      first = before.remove(arguments.get(0));
    }
    if (first != null) {
      first.run();
    }
    return switch (arguments.get(0)) {
      case "send" -> answer(call, () -> send(arguments));
      case "receive" -> {
        byte[] stream = call.stdin().readAllBytes();
        yield answer(call, () -> receive(arguments, stream));
      }
      default -> answer(call, () -> zfs(arguments).getBytes(StandardCharsets.UTF_8));
    };
  }

  private FakeProgram program(Work work) {
    return call -> {
      List<String> arguments = call.arguments().subList(1, call.arguments().size());
      return answer(call, () -> work.run(arguments).getBytes(StandardCharsets.UTF_8));
    };
  }

  private int answer(FakeProgram.Call call, Answer work) throws IOException {
    byte[] answer;
    synchronized (this) {
      transactions++;
      try {
        answer = work.bytes();
      } catch (Complaint e) {
        String complaint = e.getMessage() + "\n";
        call.stderr().write(complaint.getBytes(StandardCharsets.UTF_8));
        return 1;
      }
    }
    call.stdout().write(answer);
    return 0;
  }

  /** Writes to a dataset. */
  synchronized void write(Place place, String content) {
    FakeDataset node = nodes.get(place.toString());
    if (node == null) {
      throw new AssertionError(place + " is not there");
    }
    node.content = content;
    node.changed = true;
  }

  /** What a dataset or snapshot holds. */
  synchronized String content(Place place) {
    FakeDataset node = nodes.get(place.toString());
    if (node == null) {
      throw new AssertionError(place + " is not there");
    }
    return node.content;
  }

  /** All names. */
  synchronized List<String> names() {
    return List.copyOf(nodes.keySet());
  }

  private String zpool(List<String> arguments) throws Complaint {
    return switch (arguments.get(0)) {
      case "sync", "wait" -> "";
      case "list" -> {
        String zpool = arguments.get(arguments.size() - 1);
        if (!nodes.containsKey(zpool)) {
          throw new Complaint("cannot open '" + zpool + "': no such pool");
        }
        yield arguments.contains("name") ? zpool + "\n" : "1000\t10\n";
      }
      default -> throw new Complaint("unrecognized command '" + arguments.get(0) + "'");
    };
  }

  private String zfs(List<String> arguments) throws Complaint {
    String last = arguments.get(arguments.size() - 1);
    switch (arguments.get(0)) {
      case "list" -> {
        return list(arguments, last);
      }
      case "create" -> create(arguments, last);
      case "snapshot" -> snapshots(arguments.subList(1, arguments.size()));
      case "clone" -> copy(arguments.get(arguments.size() - 2), last);
      case "rename" -> rename(arguments.get(1), last);
      case "promote" -> promote(last);
      case "rollback" -> rollback(last);
      case "destroy" -> destroy(arguments, last);
      case "set" -> {
        FakeDataset node = node(last, "open");
        for (String assigned : arguments.subList(1, arguments.size() - 1)) {
          set(node, last, assigned.split("=", 2));
        }
      }
      default -> throw new Complaint("unrecognized command '" + arguments.get(0) + "'");
    }
    dropDeferred();
    return "";
  }

  private void set(FakeDataset node, String name, String[] assignment) throws Complaint {
    if (assignment[0].endsWith("reservation") && room < ZfsTable.number(assignment[1])) {
      throw new Complaint(
          "cannot set property for '" + name + "': size is greater than available space");
    }
    node.properties.put(assignment[0], assignment[1]);
    if (assignment[0].equals("volsize")) {
      node.blocks = Long.parseLong(assignment[1]);
    }
  }

  private FakeDataset node(String name, String verb) throws Complaint {
    FakeDataset node = nodes.get(name);
    if (node == null) {
      throw new Complaint("cannot " + verb + " '" + name + "': dataset does not exist");
    }
    return node;
  }

  private void add(String name, FakeDataset node) throws Complaint {
    if (nodes.containsKey(name)) {
      throw new Complaint("cannot create '" + name + "': dataset already exists");
    }
    if (!name.contains("@") && !nodes.containsKey(name.substring(0, name.lastIndexOf('/')))) {
      throw new Complaint("cannot create '" + name + "': parent does not exist");
    }
    node.created = transactions;
    nodes.put(name, node);
  }

  private String list(List<String> arguments, String root) throws Complaint {
    node(root, "open");
    String[] columns = arguments.get(arguments.indexOf("-o") + 1).split(",", -1);
    StringBuilder out = new StringBuilder();
    for (Map.Entry<String, FakeDataset> entry : nodes.entrySet()) {
      String name = entry.getKey();
      boolean below = name.startsWith(root + "/") || name.startsWith(root + "@");
      boolean wanted = name.contains("@") || !arguments.contains("snapshot");
      if (wanted && (name.equals(root) || (below && arguments.contains("-r")))) {
        List<String> row = new ArrayList<>();
        for (String column : columns) {
          row.add(value(name, entry.getValue(), column));
        }
        out.append(String.join("\t", row)).append('\n');
      }
    }
    return out.toString();
  }

  private static String value(String name, FakeDataset node, String column) {
    return switch (column) {
      case "name" -> name;
      case "origin" -> node.origin.isEmpty() ? "-" : node.origin;
      case "guid" -> Long.toUnsignedString(node.guid);
      case "createtxg" -> Long.toString(node.created);
      case "written" -> node.changed ? "4096" : "0";
      case "volsize" -> node.blocks == 0 ? "-" : Long.toString(node.blocks);
      case "defer_destroy" -> name.contains("@") ? (node.deferred ? "on" : "off") : "-";
      case "used", "available", "referenced" -> "100";
      default -> node.properties.getOrDefault(column, "-");
    };
  }

  private void create(List<String> arguments, String name) throws Complaint {
    FakeDataset node = new FakeDataset();
    for (int i = 1; i < arguments.size() - 1; i++) {
      switch (arguments.get(i)) {
        case "-o" -> {
          String[] assignment = arguments.get(++i).split("=", 2);
          node.properties.put(assignment[0], assignment[1]);
        }
        case "-V" -> node.blocks = Long.parseLong(arguments.get(++i));
        case "-b" -> i++;
        default -> {}
      }
    }
    add(name, node);
  }

  /** All or none. */
  private void snapshots(List<String> names) throws Complaint {
    for (String name : names) {
      node(name.substring(0, name.indexOf('@')), "open");
      if (nodes.containsKey(name)) {
        throw new Complaint("cannot create snapshot '" + name + "': dataset already exists");
      }
    }
    for (String name : names) {
      snapshot(name);
    }
  }

  private void snapshot(String name) throws Complaint {
    FakeDataset of = node(name.substring(0, name.indexOf('@')), "open");
    FakeDataset node = new FakeDataset();
    node.guid = --guids;
    node.content = of.content;
    node.blocks = of.blocks;
    add(name, node);
    of.changed = false;
  }

  private void copy(String snapshot, String name) throws Complaint {
    FakeDataset node = new FakeDataset();
    node.content = node(snapshot, "open").content;
    node.blocks = node(snapshot, "open").blocks;
    node.origin = snapshot;
    add(name, node);
  }

  private void rename(String from, String to) throws Complaint {
    FakeDataset node = node(from, "open");
    if (nodes.containsKey(to)) {
      throw new Complaint("cannot rename '" + from + "': dataset already exists");
    }
    move(from, to, node);
    for (String name : List.copyOf(nodes.keySet())) {
      if (name.startsWith(from + "@") || name.startsWith(from + "/")) {
        move(name, to + name.substring(from.length()), node(name, "open"));
      }
    }
  }

  private void move(String from, String to, FakeDataset node) {
    nodes.remove(from);
    nodes.put(to, node);
    nodes.values().stream()
        .filter(clone -> clone.origin.equals(from))
        .forEach(clone -> clone.origin = to);
  }

  private void promote(String name) throws Complaint {
    FakeDataset clone = node(name, "open");
    if (clone.origin.isEmpty()) {
      throw new Complaint("cannot promote '" + name + "': not a cloned filesystem");
    }
    String origin = clone.origin;
    String parent = origin.substring(0, origin.indexOf('@'));
    FakeDataset of = node(parent, "open");
    long until = node(origin, "open").created;
    String before = of.origin;
    for (String each : snapshots(parent)) {
      FakeDataset snapshot = node(each, "open");
      if (snapshot.created <= until) {
        move(each, name + each.substring(parent.length()), snapshot);
      }
    }
    of.origin = clone.origin;
    clone.origin = before;
  }

  private byte[] send(List<String> arguments) throws Complaint {
    String name = arguments.get(arguments.size() - 1);
    FakeDataset node = node(name, "open");
    long base = 0;
    int from = arguments.indexOf("-i");
    if (from >= 0) {
      String other = arguments.get(from + 1);
      base = node(other, "open").guid;
      if (!isBefore(other, name)) {
        throw new Complaint(
            "warning: cannot send '" + name + "': not an earlier snapshot from the same fs");
      }
    }
    return new FakeStream(node.guid, base, node.content, padding).bytes();
  }

  private boolean isBefore(String base, String snapshot) throws Complaint {
    String at = snapshot;
    while (!at.isEmpty()) {
      String dataset = at.substring(0, at.indexOf('@'));
      if (base.startsWith(dataset + "@")) {
        return node(base, "open").created < node(at, "open").created
            || (base.equals(at) && !at.equals(snapshot));
      }
      at = node(dataset, "open").origin;
    }
    return false;
  }

  private byte[] receive(List<String> arguments, byte[] bytes) throws Complaint {
    String name = arguments.get(arguments.size() - 1);
    FakeStream stream =
        FakeStream.parse(bytes)
            .orElseThrow(
                () -> new Complaint("cannot receive new filesystem stream: incomplete stream"));
    FakeDataset dataset = new FakeDataset();
    int option = arguments.indexOf("-o");
    if (option >= 0) {
      dataset.origin = arguments.get(option + 1).substring("origin=".length());
      if (node(dataset.origin, "open").guid != stream.base()) {
        throw new Complaint(
            "cannot receive incremental stream: most recent snapshot of "
                + name
                + " does not\nmatch incremental source");
      }
    }
    dataset.content = stream.content();
    add(name.substring(0, name.indexOf('@')), dataset);
    snapshot(name);
    node(name, "open").guid = stream.guid();
    return new byte[0];
  }

  private List<String> snapshots(String dataset) {
    return nodes.keySet().stream()
        .filter(name -> name.startsWith(dataset + "@"))
        .sorted(
            Comparator.comparingLong(name -> nodes.getOrDefault(name, new FakeDataset()).created))
        .toList();
  }

  private boolean hasClones(String snapshot) {
    return nodes.values().stream().anyMatch(node -> node.origin.equals(snapshot));
  }

  private void rollback(String snapshot) throws Complaint {
    FakeDataset to = node(snapshot, "open");
    String dataset = snapshot.substring(0, snapshot.indexOf('@'));
    List<String> all = snapshots(dataset);
    if (!all.get(all.size() - 1).equals(snapshot)) {
      throw new Complaint(
          "cannot rollback to '" + snapshot + "': more recent snapshots or bookmarks exist");
    }
    FakeDataset node = node(dataset, "open");
    node.content = to.content;
    node.changed = keepsChanged;
  }

  private void destroy(List<String> arguments, String name) throws Complaint {
    if (arguments.contains("-d")) {
      destroySnapshots(name);
    } else if (arguments.contains("-r")) {
      node(name, "open");
      nodes
          .keySet()
          .removeIf(
              each ->
                  each.equals(name) || each.startsWith(name + "/") || each.startsWith(name + "@"));
    } else {
      node(name, "open");
      if (!snapshots(name).isEmpty()) {
        throw new Complaint("cannot destroy '" + name + "': filesystem has children");
      }
      nodes.remove(name);
    }
  }

  private void destroySnapshots(String names) throws Complaint {
    String dataset = names.substring(0, names.indexOf('@') + 1);
    for (String component : names.substring(dataset.length()).split(",", -1)) {
      if (busy.contains(component)) {
        throw new Complaint("cannot destroy snapshot " + dataset + component + ": dataset is busy");
      }
    }
    boolean any = false;
    for (String component : names.substring(dataset.length()).split(",", -1)) {
      FakeDataset node = nodes.get(dataset + component);
      if (node != null) {
        any = true;
        node.deferred = true;
      }
    }
    if (!any) {
      throw new Complaint("could not find any snapshots to destroy; check snapshot names.");
    }
  }

  private void dropDeferred() {
    for (String name : List.copyOf(nodes.keySet())) {
      FakeDataset node = nodes.get(name);
      if (node != null && node.deferred && !hasClones(name)) {
        nodes.remove(name);
      }
    }
  }
}
