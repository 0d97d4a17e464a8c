package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;

/** A program whose streams go through this JVM, and what the bare commands share. */
final class BareTools {
  private final String program;
  private final Path log;

  /**
   * Has started nothing.
   *
   * @param log where it complains
   */
  BareTools(String program, Path log) {
    this.program = program;
    this.log = log;
  }

  /** Takes what it writes to its standard output. */
  void read(OutputStream out, List<String> arguments) throws IOException, InterruptedException {
    Process process = start(arguments);
    try (InputStream stream = process.getInputStream()) {
      stream.transferTo(out);
    } finally {
      end(process, arguments);
    }
  }

  /** Gives it something to read. */
  void write(InputStream in, List<String> arguments) throws IOException, InterruptedException {
    Process process = start(arguments);
    try (OutputStream stream = process.getOutputStream()) {
      in.transferTo(stream);
    } finally {
      end(process, arguments);
    }
  }

  private Process start(List<String> arguments) throws IOException {
    return new Tool(program).talk(log, arguments.toArray(String[]::new));
  }

  private void end(Process process, List<String> arguments)
      throws IOException, InterruptedException {
    try {
      int code = process.waitFor();
      if (code != 0) {
        throw new IOException(
            program + " " + arguments.get(0) + ": exit code " + code + ": see " + log);
      }
    } finally {
      process.destroyForcibly();
    }
  }

  /** Unpacks what is below {@code rootfs/}. */
  static void unpack(Path archive, Path directory) throws IOException, InterruptedException {
    new Tool("tar")
        .run(
            "-xpf",
            archive.toString(),
            "--numeric-owner",
            "--strip-components=1",
            "-C",
            directory.toString(),
            "rootfs");
  }

  /** What is mounted while it is open. */
  static Volumes.Opened mount(Path directory, String... arguments)
      throws IOException, InterruptedException {
    String[] all = new String[arguments.length + 1];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    all[arguments.length] = directory.toString();
    new Tool("mount").run(all);
    return new Volumes.Opened() {
      @Override
      public Path path() {
        return directory;
      }

      @Override
      public void close() throws IOException {
        try {
          new Tool("umount").run(directory.toString());
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted at umount " + directory, e);
        }
      }
    };
  }
}
