package dev.stapes.storage.zfs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.stapes.spi.Host;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * What {@link ZfsCrashIT} starts to kill it: works with a pool from two threads, or makes pools and
 * removes them, and says of each step that it begins and that it is done. {@link ZfsAcknowledged}
 * understands it.
 */
final class ZfsDoomed {
  private static final PrintStream OUT =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);

  /** Of a worker; that many it has at most of each kind. */
  private static final int VOLUMES = 4;

  private final StoragePool pool;
  private final int worker;
  private final Random random;
  private final List<VolumeId> volumes = new ArrayList<>();
  private final List<VolumeId> snapshots = new ArrayList<>();
  private int last;

  private ZfsDoomed(StoragePool pool, int worker, long seed) {
    this.pool = pool;
    this.worker = worker;
    this.random = new Random(seed + worker);
  }

  /** What to do, the pool's directory, and a number for what happens by chance. */
  public static void main(String[] arguments) {
    Path own = Path.of(arguments[1]);
    Host host = TestZpool.openHost();
    ZfsProvider provider = new ZfsProvider();
    if (arguments[0].equals("pools")) {
      while (true) {
        OUT.println("makes");
        StoragePool pool = provider.create(host, ZfsCrashIT.SPEC, own);
        pool.create(new VolumeId(VolumeId.Kind.INSTANCE, "a"));
        OUT.println("removes");
        pool.destroy();
      }
    }
    StoragePool pool = provider.open(host, ZfsCrashIT.SPEC, own);
    if (arguments[0].equals("receives")) {
      receivePart(pool);
    }
    List<CompletableFuture<Void>> workers = new ArrayList<>();
    for (int n = 0; n < 2; n++) {
      ZfsDoomed doomed = new ZfsDoomed(pool, n, Long.parseLong(arguments[2]));
      workers.add(CompletableFuture.runAsync(doomed::work, ZfsDoomed::start));
    }
    // None ends but with an error, and the other one with it.
    CompletableFuture.anyOf(workers.toArray(new CompletableFuture<?>[0])).join();
  }

  /** Sends to itself, says when most has come, and waits for its end. */
  private static void receivePart(StoragePool pool) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pool.sendReceive().orElseThrow().send(ZfsCrashIT.SENT, Optional.empty(), out);
    InputStream most = new ByteArrayInputStream(out.toByteArray(), 0, out.size() / 4 * 3);
    InputStream waiting =
        new InputStream() {
          @Override
          public int read() throws IOException {
            OUT.println("waits");
            try {
              new CompletableFuture<Integer>().get();
            } catch (InterruptedException | ExecutionException e) {
              throw new IOException(e);
            }
            return -1;
          }

          @Override
          public int read(byte[] bytes, int offset, int length) throws IOException {
            return read();
          }
        };
    StoragePool.Received answer =
        pool.resumable()
            .orElseThrow()
            .receive(ZfsCrashIT.GOT, new SequenceInputStream(most, waiting));
    throw new AssertionError(answer);
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "worker");
    thread.setDaemon(true);
    thread.start();
  }

  private void work() {
    while (true) {
      step();
    }
  }

  private void step() {
    switch (volumes.isEmpty() ? 0 : random.nextInt(9)) {
      case 0, 1 -> create();
      case 2, 3 -> snapshot();
      case 4 -> receive();
      case 5 -> group();
      case 6 -> restore();
      case 7 -> discard(random.nextBoolean() ? volumes : snapshots);
      default -> perform("reclaim", pool::reclaim);
    }
  }

  /** Says the ids that it is about, and that it is done. */
  private void perform(String what, Runnable work, VolumeId... ids) {
    StringBuilder line = new StringBuilder(worker + " begin " + what);
    for (VolumeId id : ids) {
      line.append(' ').append(id.kind()).append('/').append(id.name());
    }
    OUT.println(line);
    work.run();
    OUT.println(worker + " done");
  }

  private VolumeId next(VolumeId.Kind kind, List<VolumeId> among) {
    if (among.size() == VOLUMES) {
      discard(among);
    }
    last++;
    VolumeId id = new VolumeId(kind, "w" + worker + "n" + last);
    among.add(id);
    return id;
  }

  private VolumeId any(List<VolumeId> among) {
    return among.get(random.nextInt(among.size()));
  }

  private void create() {
    VolumeId id = next(VolumeId.Kind.INSTANCE, volumes);
    perform(
        "create",
        () -> {
          pool.create(id);
          write(pool, id, text(id));
        },
        id);
  }

  private void snapshot() {
    VolumeId from = any(volumes);
    VolumeId to = next(VolumeId.Kind.SNAPSHOT, snapshots);
    perform("copy", () -> pool.copy(from, to, true), from, to);
  }

  private void receive() {
    if (snapshots.isEmpty()) {
      snapshot();
    }
    VolumeId from = any(snapshots);
    last++;
    VolumeId to = new VolumeId(VolumeId.Kind.SNAPSHOT, "w" + worker + "n" + last);
    StoragePool.SendReceive streams = pool.sendReceive().orElseThrow();
    perform(
        "copy",
        () -> {
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          streams.send(from, Optional.empty(), out);
          streams.receive(to, new ByteArrayInputStream(out.toByteArray()));
        },
        from,
        to);
    snapshots.add(to);
  }

  /** Of all volumes, as of one moment. */
  private void group() {
    Map<VolumeId, VolumeId> targets = new LinkedHashMap<>();
    List<VolumeId> ids = new ArrayList<>();
    for (VolumeId from : volumes) {
      last++;
      VolumeId to = new VolumeId(VolumeId.Kind.SNAPSHOT, "w" + worker + "n" + last);
      targets.put(from, to);
      ids.addAll(List.of(from, to));
    }
    perform(
        "group",
        () -> pool.groupCopies().orElseThrow().copy(targets),
        ids.toArray(new VolumeId[0]));
    snapshots.addAll(targets.values());
  }

  /** As the engine does it: what the snapshot holds takes the volume's place. */
  private void restore() {
    if (snapshots.isEmpty()) {
      snapshot();
    }
    VolumeId from = any(snapshots);
    VolumeId to = any(volumes);
    perform("discard", () -> pool.discard(to), to);
    perform("copy", () -> pool.copy(from, to, false), from, to);
  }

  private void discard(List<VolumeId> among) {
    if (!among.isEmpty()) {
      VolumeId id = among.remove(random.nextInt(among.size()));
      perform("discard", () -> pool.discard(id), id);
    }
  }

  /** What a volume gets that is made with nothing in it. */
  static String text(VolumeId id) {
    return ("what is in " + id.name() + "\n").repeat(2000);
  }

  private static void write(StoragePool pool, VolumeId id, String text) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        OutputStream out = tree.write("file", 0644)) {
      out.write(text.getBytes(UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a volume holds; empty text where its file is not there. */
  static String read(StoragePool pool, VolumeId id) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH)) {
      if (tree.stat("file").isEmpty()) {
        return "";
      }
      try (InputStream in = tree.read("file")) {
        return new String(in.readAllBytes(), UTF_8);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
