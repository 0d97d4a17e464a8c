package dev.stapes.lxc.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Fifo;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/**
 * The files of one program in the directory that host and container share, and this side's ends of
 * them: {@code ID.q} the request, {@code ID.s} the status, {@code ID.i}, {@code ID.o} and {@code
 * ID.e} the three streams. They belong to the container's root, their directory does not: nothing
 * can be put in their place.
 */
final class ExecFiles implements AutoCloseable {
  /** What a pipe takes even when the pipes of a user have reached their limit, see pipe(7). */
  private static final int PIPE = 4096;

  private static final String[] SUFFIXES = {".q", ".s", ".i", ".o", ".e"};

  private final Syscalls sys;
  private final Path directory;
  private final String id;
  private final Owners owners;
  private final Streams streams;
  private final Fds fds;
  private boolean named = true;

  private record Fds(
      Fd request, Fd status, Optional<Fd> input, Optional<Fd> output, Optional<Fd> errors) {}

  private ExecFiles(
      Syscalls sys, Path directory, String id, Owners owners, Streams streams, Fds fds) {
    this.sys = sys;
    this.directory = directory;
    this.id = id;
    this.owners = owners;
    this.streams = streams;
    this.fds = fds;
  }

  /**
   * Who owns the files, as the host sees it.
   *
   * @param root uid of the container's root
   * @param rootGroup gid of the container's root
   * @param user uid of who runs the program
   */
  record Owners(long root, long rootGroup, long user) {}

  /** Which FIFOs a program has for its streams. */
  enum Streams {
    /** None: it has a terminal. */
    TERMINAL,
    /** For what it writes: it has nothing to read. */
    OUTPUT,
    /** For all three. */
    ALL;

    static Streams of(Optional<ContainerTerminal> terminal, boolean input) {
      return terminal.isPresent() ? TERMINAL : input ? ALL : OUTPUT;
    }
  }

  /** Makes the FIFOs; the {@link #request} comes later. */
  static ExecFiles create(Syscalls sys, Path directory, String id, Owners owners, Streams streams) {
    Fifo fifo = new Fifo(sys);
    List<Fd> opened = new ArrayList<>();
    try {
      Fd request = open(fifo, directory.resolve(id + ".q"), owners.root(), owners, false);
      opened.add(request);
      Fd status = open(fifo, directory.resolve(id + ".s"), owners.root(), owners, true);
      opened.add(status);
      Optional<Fd> input = Optional.empty();
      Optional<Fd> output = Optional.empty();
      Optional<Fd> errors = Optional.empty();
      if (streams == Streams.ALL) {
        input = Optional.of(open(fifo, directory.resolve(id + ".i"), owners.user(), owners, false));
        opened.add(input.get());
      }
      if (streams != Streams.TERMINAL) {
        output = Optional.of(open(fifo, directory.resolve(id + ".o"), owners.user(), owners, true));
        opened.add(output.get());
        errors = Optional.of(open(fifo, directory.resolve(id + ".e"), owners.user(), owners, true));
      }
      return new ExecFiles(
          sys, directory, id, owners, streams, new Fds(request, status, input, output, errors));
    } catch (RuntimeException e) {
      opened.forEach(Fd::close);
      try {
        remove(directory, id);
      } catch (RuntimeException left) {
        e.addSuppressed(left);
      }
      throw e;
    }
  }

  /** Whether they are such as {@link #create} would make. */
  boolean isSuch(Owners wanted, Streams which) {
    return owners.equals(wanted) && streams == which;
  }

  /**
   * Says what is to be executed. It may hold secrets: it is kept in a pipe, and only what such a
   * pipe does not take for sure is written to a file.
   *
   * @param text a script that ends with {@code return}: a pipe that is open here has no end
   */
  void request(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= PIPE) {
      fds.request.write(ByteBuffer.wrap(bytes));
    } else {
      delete(directory.resolve(id + ".q"));
      write(sys, directory.resolve(id + ".q"), owners, text);
    }
  }

  private static Fd open(Fifo fifo, Path path, long uid, Owners owners, boolean read) {
    return read
        ? fifo.createRead(path, 0600, uid, owners.rootGroup())
        : fifo.createBoth(path, 0600, uid, owners.rootGroup());
  }

  /** Writes a new file that nobody but the container's root reads. */
  static void write(Syscalls sys, Path path, Owners owners, String request) {
    // Opened before anybody else can read it: it may hold secrets.
    EnumSet<OpenFlag> flags =
        EnumSet.of(OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE, OpenFlag.NO_FOLLOW);
    try (Fd fd = Fd.open(sys, path, flags)) {
      fd.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      fd.chmod(0400);
      fd.chown(owners.root(), owners.rootGroup());
    }
  }

  String id() {
    return id;
  }

  /** What the container says about the program; non-blocking. */
  Fd status() {
    return fds.status;
  }

  /** The program's standard output; empty with a terminal. */
  Optional<Fd> output() {
    return fds.output;
  }

  /** The program's standard error; empty with a terminal. */
  Optional<Fd> errors() {
    return fds.errors;
  }

  /**
   * The writing end of the program's standard input, once the program has opened the other one;
   * empty where nobody reads, or not any more.
   */
  Optional<Fd> takeInput() {
    if (fds.input.isEmpty()) {
      return Optional.empty();
    }
    Optional<Fd> writer = new Fifo(sys).openWrite(directory.resolve(id + ".i"));
    fds.input.get().close();
    return writer;
  }

  /**
   * Removes the names once the program has started and its input was taken: whoever needs one of
   * them has it open. Idempotent.
   */
  void unlink() {
    if (named) {
      named = false;
      remove(directory, id);
    }
  }

  /** Closes and removes everything. Idempotent. */
  @Override
  public void close() {
    fds.request.close();
    fds.status.close();
    fds.input.ifPresent(Fd::close);
    fds.output.ifPresent(Fd::close);
    fds.errors.ifPresent(Fd::close);
    unlink();
  }

  static void remove(Path directory, String id) {
    for (String suffix : SUFFIXES) {
      delete(directory.resolve(id + suffix));
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE, "file " + file, "cannot be removed: " + e, e);
    }
  }
}
