package dev.stapes.storage.zfs;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The datasets of {@link FakeZfs}, and what its command lines do to them; under its lock. */
final class FakeDatasets {
  final Map<String, FakeDataset> nodes = new TreeMap<>();
  final Set<String> busy = new HashSet<>();
  long transactions;
  long room = Long.MAX_VALUE;
  boolean keepsChanged;
  private long guids = -10; // unsigned, and so a large one

  /** Does what a command line of {@code zfs} says; the answer is its output. */
  String zfs(List<String> arguments) throws FakeComplaint {
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
      default -> throw new FakeComplaint("unrecognized command '" + arguments.get(0) + "'");
    }
    dropDeferred();
    return "";
  }

  private void set(FakeDataset node, String name, String[] assignment) throws FakeComplaint {
    if (assignment[0].endsWith("reservation") && room < ZfsTable.number(assignment[1])) {
      throw new FakeComplaint(
          "cannot set property for '" + name + "': size is greater than available space");
    }
    node.properties.put(assignment[0], assignment[1]);
    if (assignment[0].equals("volsize")) {
      node.blocks = Long.parseLong(assignment[1]);
    }
  }

  /** One that has to be there. */
  FakeDataset node(String name, String verb) throws FakeComplaint {
    FakeDataset node = nodes.get(name);
    if (node == null) {
      throw new FakeComplaint("cannot " + verb + " '" + name + "': dataset does not exist");
    }
    return node;
  }

  /** A new one. */
  void add(String name, FakeDataset node) throws FakeComplaint {
    if (nodes.containsKey(name)) {
      throw new FakeComplaint("cannot create '" + name + "': dataset already exists");
    }
    if (!name.contains("@") && !nodes.containsKey(name.substring(0, name.lastIndexOf('/')))) {
      throw new FakeComplaint("cannot create '" + name + "': parent does not exist");
    }
    node.created = transactions;
    nodes.put(name, node);
  }

  private String list(List<String> arguments, String root) throws FakeComplaint {
    node(root, "open");
    String[] columns = arguments.get(arguments.indexOf("-o") + 1).split(",", -1);
    StringBuilder out = new StringBuilder();
    for (Map.Entry<String, FakeDataset> entry : nodes.entrySet()) {
      String name = entry.getKey();
      boolean below = name.startsWith(root + "/") || name.startsWith(root + "@");
      boolean snapshot = name.contains("@");
      boolean wanted = !arguments.contains(snapshot ? "filesystem,volume" : "snapshot");
      boolean deep = arguments.contains("-r") || arguments.contains("-d");
      if (wanted && (name.equals(root) || (below && deep))) {
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
      case "receive_resume_token" -> FakeTransfers.token(node);
      default -> node.properties.getOrDefault(column, "-");
    };
  }

  private void create(List<String> arguments, String name) throws FakeComplaint {
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
  private void snapshots(List<String> names) throws FakeComplaint {
    for (String name : names) {
      node(name.substring(0, name.indexOf('@')), "open");
      if (nodes.containsKey(name)) {
        throw new FakeComplaint("cannot create snapshot '" + name + "': dataset already exists");
      }
    }
    for (String name : names) {
      snapshot(name);
    }
  }

  /** A snapshot of a dataset. */
  void snapshot(String name) throws FakeComplaint {
    FakeDataset of = node(name.substring(0, name.indexOf('@')), "open");
    FakeDataset node = new FakeDataset();
    node.guid = --guids;
    node.content = of.content;
    node.blocks = of.blocks;
    add(name, node);
    of.changed = false;
  }

  private void copy(String snapshot, String name) throws FakeComplaint {
    FakeDataset node = new FakeDataset();
    node.content = node(snapshot, "open").content;
    node.blocks = node(snapshot, "open").blocks;
    node.origin = snapshot;
    add(name, node);
  }

  private void rename(String from, String to) throws FakeComplaint {
    FakeDataset node = node(from, "open");
    if (nodes.containsKey(to)) {
      throw new FakeComplaint("cannot rename '" + from + "': dataset already exists");
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

  private void promote(String name) throws FakeComplaint {
    FakeDataset clone = node(name, "open");
    if (clone.origin.isEmpty()) {
      throw new FakeComplaint("cannot promote '" + name + "': not a cloned filesystem");
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

  private void rollback(String snapshot) throws FakeComplaint {
    FakeDataset to = node(snapshot, "open");
    String dataset = snapshot.substring(0, snapshot.indexOf('@'));
    List<String> all = snapshots(dataset);
    if (!all.get(all.size() - 1).equals(snapshot)) {
      throw new FakeComplaint(
          "cannot rollback to '" + snapshot + "': more recent snapshots or bookmarks exist");
    }
    FakeDataset node = node(dataset, "open");
    node.content = to.content;
    node.changed = keepsChanged;
  }

  private void destroy(List<String> arguments, String name) throws FakeComplaint {
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
        throw new FakeComplaint("cannot destroy '" + name + "': filesystem has children");
      }
      nodes.remove(name);
    }
  }

  private void destroySnapshots(String names) throws FakeComplaint {
    String dataset = names.substring(0, names.indexOf('@') + 1);
    for (String component : names.substring(dataset.length()).split(",", -1)) {
      if (busy.contains(component)) {
        throw new FakeComplaint(
            "cannot destroy snapshot " + dataset + component + ": dataset is busy");
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
      throw new FakeComplaint("could not find any snapshots to destroy; check snapshot names.");
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
