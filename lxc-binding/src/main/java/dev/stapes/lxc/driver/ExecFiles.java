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
  private static final String[] SUFFIXES = {".q", ".s", ".i", ".o", ".e"};

  private final Path directory;
  private final String id;
  private final Fifo fifo;
  private final Fd status;
  private final Optional<Fd> input;
  private final Optional<Fd> output;
  private final Optional<Fd> errors;

  private ExecFiles(
      Path directory,
      String id,
      Fifo fifo,
      Fd status,
      Optional<Fd> input,
      Optional<Fd> output,
      Optional<Fd> errors) {
    this.directory = directory;
    this.id = id;
    this.fifo = fifo;
    this.status = status;
    this.input = input;
    this.output = output;
    this.errors = errors;
  }

  /**
   * Who owns the files, as the host sees it.
   *
   * @param root uid of the container's root
   * @param rootGroup gid of the container's root
   * @param user uid of who runs the program
   */
  record Owners(long root, long rootGroup, long user) {}

  /**
   * Makes them.
   *
   * @param streams false with a terminal
   */
  static ExecFiles create(
      Syscalls sys, Path directory, String id, Owners owners, String request, boolean streams) {
    Fifo fifo = new Fifo(sys);
    List<Fd> opened = new ArrayList<>();
    try {
      write(sys, directory.resolve(id + ".q"), owners, request);
      Fd status = open(fifo, directory.resolve(id + ".s"), owners.root(), owners, true);
      opened.add(status);
      if (!streams) {
        return new ExecFiles(
            directory, id, fifo, status, Optional.empty(), Optional.empty(), Optional.empty());
      }
      Fd input = open(fifo, directory.resolve(id + ".i"), owners.user(), owners, false);
      opened.add(input);
      Fd output = open(fifo, directory.resolve(id + ".o"), owners.user(), owners, true);
      opened.add(output);
      Fd errors = open(fifo, directory.resolve(id + ".e"), owners.user(), owners, true);
      return new ExecFiles(
          directory,
          id,
          fifo,
          status,
          Optional.of(input),
          Optional.of(output),
          Optional.of(errors));
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

  private static Fd open(Fifo fifo, Path path, long uid, Owners owners, boolean read) {
    fifo.create(path, 0600, uid, owners.rootGroup());
    return read ? fifo.openRead(path) : fifo.openBoth(path);
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
    return status;
  }

  /** The program's standard output; empty with a terminal. */
  Optional<Fd> output() {
    return output;
  }

  /** The program's standard error; empty with a terminal. */
  Optional<Fd> errors() {
    return errors;
  }

  /**
   * The writing end of the program's standard input, once the program has opened the other one;
   * empty where nobody reads any more.
   */
  Optional<Fd> takeInput() {
    Optional<Fd> writer = fifo.openWrite(directory.resolve(id + ".i"));
    input.ifPresent(Fd::close);
    return writer;
  }

  /** Forgets what the container has read. */
  void removeRequest() {
    delete(directory.resolve(id + ".q"));
  }

  /** Closes and removes everything. Idempotent. */
  @Override
  public void close() {
    status.close();
    input.ifPresent(Fd::close);
    output.ifPresent(Fd::close);
    errors.ifPresent(Fd::close);
    remove(directory, id);
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
