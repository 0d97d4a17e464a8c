package dev.stapes.storage.zfs;

import dev.stapes.model.PoolSpec;
import dev.stapes.spi.Host;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Datasets and snapshots that are not there: which of the changes that the driver asks for ZFS
 * allows, and what comes of them. What a dataset holds is a word. It knows the command lines of
 * {@link Zfs} alone; the contract in the lab VM tells whether ZFS takes them likewise.
 */
final class FakeZfs {
  private final FakeDatasets all = new FakeDatasets();
  private final FakeTransfers transfers = new FakeTransfers(all);
  private final Map<String, Runnable> before = new HashMap<>();
  private final Map<String, Runnable> after = new HashMap<>();

  /** One change or question. */
  private interface Work {
    String run(List<String> arguments) throws FakeComplaint;
  }

  private interface Answer {
    byte[] bytes() throws FakeComplaint, IOException;
  }

  /** With one zpool, {@code tank}, that has an empty dataset, {@code tank/data}. */
  FakeZfs() {
    all.nodes.put("tank", new FakeDataset());
    all.nodes.put("tank/data", new FakeDataset());
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
    all.busy.add(component);
  }

  /** Lets what was rolled back look as if something was written since, as with zvols. */
  synchronized void keepChanged() {
    all.keepsChanged = true;
  }

  /** Lets there be no more room than that for reservations. */
  synchronized void room(long bytes) {
    all.room = bytes;
  }

  /** What a property of a dataset is; {@code -} where it has none. */
  synchronized String property(Place place, String name) {
    FakeDataset node = all.nodes.get(place.toString());
    return node == null ? "-" : node.properties.getOrDefault(name, "-");
  }

  /** Lets nobody use anything. */
  synchronized void free() {
    all.busy.clear();
  }

  /** Lets streams be longer than they need to be. */
  synchronized void pad(int bytes) {
    transfers.pad(bytes);
  }

  /** Waits until a dataset has so many bytes of a stream that has not ended. */
  synchronized void awaitCame(String dataset, int bytes) {
    try {
      while (all.nodes.getOrDefault(dataset, new FakeDataset()).came.length < bytes) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Does something once, before the next command of a name. */
  synchronized void before(String command, Runnable work) {
    before.put(command, work);
  }

  /** Does something once, after the next command of a name, of which nobody has the answer yet. */
  synchronized void after(String command, Runnable work) {
    after.put(command, work);
  }

  /** Lets a snapshot have the guid of another one. */
  synchronized void sameGuid(Place place, Place other) {
    FakeDataset node = all.nodes.get(place.toString());
    FakeDataset from = all.nodes.get(other.toString());
    if (node == null || from == null) {
      throw new AssertionError(place + " or " + other + " is not there");
    }
    node.guid = from.guid;
  }

  /** Takes all zpools away from the machine, as an export does; the answer brings them back. */
  synchronized Runnable export() {
    Map<String, FakeDataset> before = new TreeMap<>(all.nodes);
    all.nodes.clear();
    return () -> bringBack(before);
  }

  private synchronized void bringBack(Map<String, FakeDataset> before) {
    all.nodes.putAll(before);
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
      case "send" -> answer(call, alone(() -> transfers.send(arguments)));
      case "receive" -> answer(call, () -> transfers.receive(arguments, call.stdin(), this));
      default ->
          answer(
              call,
              followed(
                  arguments.get(0),
                  alone(() -> all.zfs(arguments).getBytes(StandardCharsets.UTF_8))));
    };
  }

  private FakeProgram program(Work work) {
    return call -> {
      List<String> arguments = call.arguments().subList(1, call.arguments().size());
      return answer(call, alone(() -> work.run(arguments).getBytes(StandardCharsets.UTF_8)));
    };
  }

  private Answer alone(Answer work) {
    return () -> {
      synchronized (this) {
        all.transactions++;
        return work.bytes();
      }
    };
  }

  private Answer followed(String command, Answer work) {
    return () -> {
      byte[] answer = work.bytes();
      Runnable next;
      synchronized (this) {
        next = after.remove(command);
      }
      if (next != null) {
        next.run();
      }
      return answer;
    };
  }

  private int answer(FakeProgram.Call call, Answer work) throws IOException {
    try {
      call.stdout().write(work.bytes());
      return 0;
    } catch (FakeComplaint e) {
      String complaint = e.getMessage() + "\n";
      call.stderr().write(complaint.getBytes(StandardCharsets.UTF_8));
      return 1;
    }
  }

  /** Writes to a dataset. */
  synchronized void write(Place place, String content) {
    FakeDataset node = all.nodes.get(place.toString());
    if (node == null) {
      throw new AssertionError(place + " is not there");
    }
    node.content = content;
    node.changed = true;
  }

  /** What a dataset or snapshot holds. */
  synchronized String content(Place place) {
    FakeDataset node = all.nodes.get(place.toString());
    if (node == null) {
      throw new AssertionError(place + " is not there");
    }
    return node.content;
  }

  /** All names. */
  synchronized List<String> names() {
    return List.copyOf(all.nodes.keySet());
  }

  private String zpool(List<String> arguments) throws FakeComplaint {
    return switch (arguments.get(0)) {
      case "sync", "wait" -> "";
      case "list" -> {
        String zpool = arguments.get(arguments.size() - 1);
        if (!all.nodes.containsKey(zpool)) {
          throw new FakeComplaint("cannot open '" + zpool + "': no such pool");
        }
        yield arguments.contains("name") ? zpool + "\n" : "1000\t10\n";
      }
      default -> throw new FakeComplaint("unrecognized command '" + arguments.get(0) + "'");
    };
  }
}
