package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Lane;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a subject does on each path but those in a container. Everything is made in volumes of the
 * lane's own; what is cloned is made once, when the first path needs it.
 */
final class VolumeLanes {
  private static final String SAMPLE = "sample";
  private static final String LARGE = "large";
  private static final String SMALL = "small";
  private static final String AGED = "aged";
  private static final String BASE = "base";
  private static final String CHANGED = "changed";

  private final Volumes volumes;
  private final Inputs inputs;
  private final Path streams;
  private final Set<String> made = new HashSet<>();
  private int aged;

  /**
   * Has made nothing.
   *
   * @param streams a directory for what is sent
   */
  VolumeLanes(Volumes volumes, Inputs inputs, Path streams) {
    this.volumes = volumes;
    this.inputs = inputs;
    this.streams = streams;
  }

  /** Fills a volume. */
  @FunctionalInterface
  private interface Filling {
    void fill(Path volume) throws IOException;
  }

  /** Goes on with a volume that was created. */
  @FunctionalInterface
  private interface Making {
    void run() throws IOException, InterruptedException;
  }

  /** The subject. */
  Volumes volumes() {
    return volumes;
  }

  /** Opens the lane of a point. */
  Lane open(Point point) throws IOException, InterruptedException {
    Turns turns = new Turns(point.label());
    return switch (point.path()) {
      case CREATE -> turns.run(volumes::create).after(this::drop);
      case CLONE -> {
        need(SAMPLE, inputs::fill);
        yield turns.run(name -> volumes.cloneOf(SAMPLE, BASE, name)).after(this::drop);
      }
      case RESTORE -> restore(turns);
      case DELETE -> changedClone(turns).run(volumes::delete).after(name -> volumes.reclaim());
      case RECLAIM -> reclaim(turns);
      case SEND -> send(turns, BASE, Optional.empty());
      case DIFF -> send(turns, CHANGED, Optional.of(BASE));
      case RECEIVE -> receive(turns);
      case FIRST_WRITE -> firstWrite(turns);
      case UNPACK ->
          turns
              .before(volumes::create)
              .run(name -> volumes.unpack(inputs.archive(), name))
              .after(this::drop);
      case CLONES -> {
        need(SMALL, inputs::fillSmall);
        yield new ParallelClones(volumes, SMALL, BASE, point.at(), inputs.scale().clones());
      }
      case SNAPSHOT ->
          turns
              .run(name -> volumes.snapshot(AGED, name))
              .after(name -> volumes.deleteSnapshot(AGED, name));
      case DELETE_SNAPSHOTS -> deleteSnapshots(turns, point.at());
      default -> throw new IllegalArgumentException(point.label());
    };
  }

  private void need(String volume, Filling filling) throws IOException, InterruptedException {
    if (!made.contains(volume)) {
      make(
          volume,
          () -> {
            change(volume, filling);
            volumes.snapshot(volume, BASE);
          });
    }
  }

  /** What is made in part only is removed: it would be in the way of the next try. */
  private void make(String volume, Making rest) throws IOException, InterruptedException {
    volumes.create(volume);
    try {
      rest.run();
    } catch (IOException | InterruptedException | RuntimeException e) {
      try {
        drop(volume);
      } catch (IOException | RuntimeException next) {
        e.addSuppressed(next);
      }
      throw e;
    }
    made.add(volume);
  }

  private void change(String volume, Filling filling) throws IOException, InterruptedException {
    try (Volumes.Opened files = volumes.open(volume)) {
      filling.fill(files.path());
    }
  }

  private void drop(String volume) throws IOException, InterruptedException {
    volumes.delete(volume);
    volumes.reclaim();
  }

  /**
   * Makes snapshots of the volume whose snapshots are counted, until there are so many.
   *
   * @param deadline of {@link System#nanoTime}
   * @return how many there are: fewer where the time was up
   */
  int age(int snapshots, long deadline) throws IOException, InterruptedException {
    if (!made.contains(AGED)) {
      make(AGED, () -> change(AGED, inputs::fillSmall));
    }
    while (aged < snapshots && System.nanoTime() < deadline) {
      if (Thread.interrupted()) {
        throw new InterruptedException("making snapshots");
      }
      volumes.snapshot(AGED, "old-" + aged);
      aged++;
    }
    return aged;
  }

  /** Each holds something that no other does, as after a day's work. */
  private Lane deleteSnapshots(Turns turns, int many) {
    return turns
        .before(
            name -> {
              volumes.create(name);
              try (Volumes.Opened files = volumes.open(name)) {
                for (int i = 0; i < many; i++) {
                  byte[] content = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
                  Files.write(files.path().resolve("changing"), content);
                  volumes.snapshot(name, "s" + i);
                }
              }
            })
        .run(
            name -> {
              volumes.deleteSnapshots(
                  name, IntStream.range(0, many).mapToObj(i -> "s" + i).toList());
              volumes.reclaim();
            })
        .after(this::drop);
  }

  private Turns changedClone(Turns turns) throws IOException, InterruptedException {
    need(SAMPLE, inputs::fill);
    return turns.before(
        name -> {
          volumes.cloneOf(SAMPLE, BASE, name);
          change(name, inputs::change);
        });
  }

  private Lane restore(Turns turns) throws IOException, InterruptedException {
    need(SAMPLE, inputs::fill);
    return turns
        .before(
            name -> {
              volumes.cloneOf(SAMPLE, BASE, name);
              volumes.snapshot(name, "kept");
              change(name, inputs::change);
            })
        .run(name -> volumes.restore(name, "kept"))
        .after(
            name -> {
              volumes.deleteSnapshot(name, "kept");
              drop(name);
            });
  }

  private Lane reclaim(Turns turns) throws IOException, InterruptedException {
    need(SAMPLE, inputs::fill);
    return turns
        .before(
            name -> {
              volumes.cloneOf(SAMPLE, BASE, name);
              change(name, inputs::change);
              volumes.delete(name);
            })
        .run(name -> volumes.reclaim());
  }

  private Volumes.Streams streams() throws IOException {
    return volumes.streams().orElseThrow(() -> new IOException("no streams"));
  }

  private void needChanged() throws IOException, InterruptedException {
    need(SAMPLE, inputs::fill);
    if (!made.contains(CHANGED)) {
      try {
        change(SAMPLE, inputs::change);
        volumes.snapshot(SAMPLE, CHANGED);
      } catch (IOException | InterruptedException | RuntimeException e) {
        try {
          volumes.restore(SAMPLE, BASE);
        } catch (IOException | RuntimeException next) {
          e.addSuppressed(next);
        }
        throw e;
      }
      made.add(CHANGED);
    }
  }

  private Lane send(Turns turns, String snapshot, Optional<String> base)
      throws IOException, InterruptedException {
    needChanged();
    Volumes.Streams sending = streams();
    return turns.run(name -> sending.send(SAMPLE, snapshot, base, OutputStream.nullOutputStream()));
  }

  private Lane receive(Turns turns) throws IOException, InterruptedException {
    need(SAMPLE, inputs::fill);
    Volumes.Streams receiving = streams();
    Path stream = streams.resolve(volumes.name() + ".stream");
    try (OutputStream out = Files.newOutputStream(stream)) {
      receiving.send(SAMPLE, BASE, Optional.empty(), out);
    }
    return turns
        .run(
            name -> {
              try (InputStream in = new BufferedInputStream(Files.newInputStream(stream))) {
                receiving.receive(name, in);
              }
            })
        .after(
            name -> {
              receiving.deleteReceived(name);
              volumes.reclaim();
            });
  }

  private Lane firstWrite(Turns turns) throws IOException, InterruptedException {
    need(LARGE, inputs::fillLarge);
    Deque<Volumes.Opened> opened = new ArrayDeque<>();
    return turns
        .before(
            name -> {
              volumes.cloneOf(LARGE, BASE, name);
              opened.push(volumes.open(name));
            })
        .run(name -> inputs.writeIntoLarge(opened.getFirst().path()))
        .after(
            name -> {
              opened.pop().close();
              drop(name);
            })
        .left(
            () -> {
              while (!opened.isEmpty()) {
                opened.pop().close();
              }
            });
  }
}
