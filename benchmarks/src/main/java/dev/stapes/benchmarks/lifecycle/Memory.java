package dev.stapes.benchmarks.lifecycle;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What a running container costs in memory that nobody else has: private dirty pages, as the kernel
 * counts them in {@code smaps_rollup}, of all processes but this JVM.
 */
final class Memory {
  private static final int CONTAINERS = 8;
  private static final Path PROC = Path.of("/proc");

  private final Supplier<String> names;

  Memory(Supplier<String> names) {
    this.names = names;
  }

  /**
   * Per container, in KiB.
   *
   * @param subject its name
   * @param outsideKib of processes outside of it: monitor, helpers, and what a daemon has grown by
   * @param insideKib of processes inside, its own
   * @param descriptors of this JVM
   */
  record Cost(
      String subject,
      @JsonProperty("outside_kib") long outsideKib,
      @JsonProperty("inside_kib") long insideKib,
      @JsonProperty("jvm_descriptors") double descriptors) {}

  /** Runs some containers at once and compares. */
  Cost measure(Subject subject) throws IOException, InterruptedException {
    List<Container> containers = new ArrayList<>();
    try {
      // The first one brings what all share.
      containers.add(running(subject));
      long[] before = dirty();
      long open = descriptors();
      for (int i = 0; i < CONTAINERS; i++) {
        containers.add(running(subject));
      }
      long[] after = dirty();
      double descriptors = (descriptors() - open) / (double) CONTAINERS;
      return new Cost(
          subject.name(),
          (after[0] - before[0]) / CONTAINERS,
          (after[1] - before[1]) / CONTAINERS,
          descriptors);
    } finally {
      for (Container container : containers) {
        container.delete();
      }
    }
  }

  private Container running(Subject subject) throws IOException, InterruptedException {
    Container container = subject.create(names.get());
    try {
      container.start();
      container.execTrue();
      return container;
    } catch (IOException | InterruptedException | RuntimeException e) {
      container.delete();
      throw e;
    }
  }

  private static long descriptors() throws IOException {
    try (var all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }

  /** Of all processes outside of user namespaces, and of those inside, in KiB. */
  private static long[] dirty() throws IOException {
    long self = ProcessHandle.current().pid();
    Path ours = Files.readSymbolicLink(PROC.resolve("self/ns/user"));
    long[] sums = new long[2];
    try (var all = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : all) {
        if (Long.parseLong(process.getFileName().toString()) != self) {
          Optional<Path> users = users(process);
          if (users.isPresent()) {
            sums[users.get().equals(ours) ? 0 : 1] += privateDirty(process);
          }
        }
      }
    }
    return sums;
  }

  private static Optional<Path> users(Path process) {
    try {
      return Optional.of(Files.readSymbolicLink(process.resolve("ns/user")));
    } catch (IOException e) {
      return Optional.empty(); // it has ended
    }
  }

  private static long privateDirty(Path process) {
    try {
      return privateDirty(Files.readAllLines(process.resolve("smaps_rollup")));
    } catch (IOException e) {
      return 0; // it has ended
    }
  }

  /** The sum of a {@code smaps_rollup}, in KiB. */
  static long privateDirty(List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith("Private_Dirty:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }
}
