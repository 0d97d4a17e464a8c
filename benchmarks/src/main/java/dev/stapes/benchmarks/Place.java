package dev.stapes.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where a run works and what it may use.
 *
 * @param work an empty directory of its own
 * @param peers what {@code build-support/peers.sh} left: {@code root}, {@code versions}, {@code
 *     missing}
 * @param tag in the name of every container, and so of every cgroup, of the peers
 * @param names counts containers
 */
public record Place(Path work, Path peers, String tag, AtomicInteger names) {
  /** Has given no name yet. */
  public Place(Path work, Path peers, String tag) {
    this(work, peers, tag, new AtomicInteger());
  }

  /** A name that no container of this run has had. */
  public String nextName() {
    return tag + "n" + names.incrementAndGet();
  }

  /** A directory of its own for a subject. */
  public Path directory(String name) throws IOException {
    return Files.createDirectories(work.resolve(name));
  }

  /** The path of a directory that does not exist, for those that insist on a short one. */
  public Path shortPath() {
    return Path.of("/run", tag);
  }

  /** The files that the peers' packages contain. */
  public Path root() {
    return peers.resolve("root");
  }

  /** A program of the peers' packages or, where they were not needed, of the machine. */
  public Optional<Path> program(String name) {
    List<Path> places =
        List.of(
            root().resolve("usr/bin").resolve(name),
            root().resolve("usr/sbin").resolve(name),
            Path.of("/usr/bin").resolve(name),
            Path.of("/usr/sbin").resolve(name));
    return places.stream().filter(Files::isExecutable).findFirst();
  }

  /**
   * The same, which has to be there.
   *
   * @throws IOException with the reason why it could not be fetched
   */
  public Path need(String peer, String program) throws IOException {
    Optional<Path> found = program(program);
    if (found.isEmpty()) {
      throw new IOException(reason(peer).orElse(program + " is not there"));
    }
    return found.get();
  }

  private Optional<String> reason(String peer) throws IOException {
    Path missing = peers.resolve("missing");
    if (!Files.exists(missing)) {
      return Optional.empty();
    }
    return Files.readAllLines(missing).stream()
        .filter(line -> line.startsWith(peer + ":"))
        .findFirst();
  }

  /** The libraries that the peers' packages bring, for programs that are run in place. */
  public Tool tool(Path program, String... arguments) {
    String[] prefix = new String[arguments.length + 1];
    prefix[0] = program.toString();
    System.arraycopy(arguments, 0, prefix, 1, arguments.length);
    return new Tool(prefix).environment("LD_LIBRARY_PATH", libraries());
  }

  private String libraries() {
    return libraryDirectory().toString();
  }

  /** Where the libraries of the peers' packages are. */
  public Path libraryDirectory() {
    Path lib = root().resolve("usr/lib");
    try (var all = Files.newDirectoryStream(lib, "*-linux-gnu*")) {
      for (Path triplet : all) {
        return triplet;
      }
    } catch (IOException e) {
      return lib; // nothing was fetched
    }
    return lib;
  }
}
