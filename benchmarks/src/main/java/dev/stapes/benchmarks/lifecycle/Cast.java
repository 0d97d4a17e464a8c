package dev.stapes.benchmarks.lifecycle;

import dev.stapes.Stapes;
import dev.stapes.benchmarks.Incusd;
import dev.stapes.benchmarks.Place;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The subjects of a run, and what they share. Those that keep the kernel's cgroups warm are next to
 * each other, so that the others wait for that to be over only once in a round.
 */
final class Cast implements AutoCloseable {
  private static final List<String> ALL =
      List.of(
          "stapes",
          "stapes-btrfs",
          "stapes-overlay",
          "stapes-durable",
          "by-hand",
          "incus-rest",
          "incus-cli",
          "lxc-cli",
          "runc",
          "podman");

  private final Place place;
  private final Options options;
  private final Deque<AutoCloseable> closeables = new ArrayDeque<>();
  private final List<Subject> subjects = new ArrayList<>();
  private final Map<String, String> missing = new LinkedHashMap<>();

  private Cast(Place place, Options options) {
    this.place = place;
    this.options = options;
  }

  /**
   * Makes all that are wanted. A peer that cannot be made is missing, with the reason.
   *
   * @throws IllegalArgumentException where somebody is wanted whom nobody knows
   */
  static Cast assemble(Place place, Options options) throws IOException, InterruptedException {
    for (String wanted : options.subjects()) {
      if (!ALL.contains(wanted)) {
        throw new IllegalArgumentException("no subject \"" + wanted + "\": one of " + ALL);
      }
    }
    Cast cast = new Cast(place, options);
    try {
      Path archive = place.work().resolve("image.tar");
      cast.stapes(archive);
      cast.peers(archive);
      return cast;
    } catch (IOException | InterruptedException | RuntimeException e) {
      cast.closeAfter(e);
      throw e;
    }
  }

  /** Makes a subject of a peer. */
  @FunctionalInterface
  private interface Making {
    Subject make() throws IOException, InterruptedException;
  }

  private void stapes(Path archive) throws IOException {
    Stapes btrfs = StapesSubject.open(place.directory("stapes"), "btrfs");
    closeables.push(StapesSubject.main(btrfs));
    StapesSubject.export(btrfs, archive);
    if (options.wants("stapes")) {
      subjects.add(StapesSubject.main(btrfs));
    }
    if (options.wants("stapes-btrfs")) {
      subjects.add(StapesSubject.throwaway("stapes-btrfs", btrfs));
    }
    if (options.wants("stapes-overlay")) {
      Stapes overlay = StapesSubject.open(place.directory("stapes-overlay"), "overlay");
      Subject subject = StapesSubject.owningThrowaway("stapes-overlay", overlay);
      closeables.push(subject);
      subjects.add(subject);
    }
    if (options.wants("stapes-durable")) {
      subjects.add(StapesSubject.durable(btrfs));
    }
  }

  private void peers(Path archive) throws IOException, InterruptedException {
    ToolPool pool = ToolPool.make(place.directory("tools"), archive);
    closeables.push(pool);
    add(
        "by-hand",
        () -> new ByHand(pool, place.directory("by-hand"), place.need("lxc", "lxc-start")));
    add("incus-rest", () -> new IncusRest(incus("incus-rest", false, archive)));
    add("incus-cli", () -> new IncusCli(incus("incus-cli", true, archive)));
    add("lxc-cli", () -> new LxcCli(pool, place.directory("lxc-cli")));
    add("runc", () -> new Runc(pool, place.directory("runc"), place));
    add("podman", () -> new Podman(pool, place.directory("podman"), place));
  }

  private Incusd incus(String name, boolean hooks, Path archive)
      throws IOException, InterruptedException {
    Incusd daemon = Incusd.start(place, name, hooks, "size=2GiB");
    try {
      daemon.importImage("image", archive);
      return daemon;
    } catch (IOException | InterruptedException | RuntimeException e) {
      daemon.close();
      throw e;
    }
  }

  private void add(String name, Making making) throws InterruptedException {
    if (!options.wants(name)) {
      return;
    }
    try {
      Subject subject = making.make();
      closeables.push(subject);
      subjects.add(subject);
    } catch (IOException | RuntimeException e) {
      missing.put(name, String.valueOf(e.getMessage()));
    }
  }

  /** Those that are there. */
  List<Subject> subjects() {
    return List.copyOf(subjects);
  }

  /** Those that are not, with the reason. */
  Map<String, String> missing() {
    return missing;
  }

  private void closeAfter(Exception reason) {
    try {
      close();
    } catch (IOException | RuntimeException e) {
      reason.addSuppressed(e);
    }
  }

  /** Closes all, the newest first; what fails does not keep the others from it. */
  @Override
  public void close() throws IOException {
    // What is undone must not be cut short by the interrupt that may have brought us here.
    boolean interrupted = Thread.interrupted();
    @Nullable IOException failure = null;
    while (!closeables.isEmpty()) {
      try {
        closeables.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IOException("not all could be undone", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
  }
}
