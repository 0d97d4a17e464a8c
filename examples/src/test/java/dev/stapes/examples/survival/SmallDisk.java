package dev.stapes.examples.survival;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A file system of a few mebibytes, in memory, that can be filled to the last byte. */
public final class SmallDisk implements AutoCloseable {
  private final Path path;
  private final Path filler;

  /** Mounts it on a directory, which it makes. */
  public SmallDisk(Path path, int mebibytes) throws IOException, InterruptedException {
    this.path = Files.createDirectory(path);
    this.filler = path.resolve("filler");
    run(
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "mode=0755,size=" + mebibytes + "m",
        "small",
        path.toString());
  }

  /** Where it is mounted. */
  public Path path() {
    return path;
  }

  /** Leaves not a byte. */
  public void fill() throws IOException {
    try (OutputStream out = Files.newOutputStream(filler)) {
      fill(out);
    }
  }

  private static void fill(OutputStream out) {
    for (int size = 1 << 20; size > 0; size /= 16) { // where a big one does not fit a small one may
      byte[] block = new byte[size];
      while (isWritten(out, block)) {
        // The next one.
      }
    }
  }

  private static boolean isWritten(OutputStream out, byte[] block) {
    try {
      out.write(block);
      return true;
    } catch (IOException full) {
      return false;
    }
  }

  /** Gives the space back. */
  public void free() throws IOException {
    Files.delete(filler);
  }

  @Override
  public void close() throws IOException {
    try {
      run("umount", path.toString());
      Files.delete(path);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertEquals(0, process.waitFor(), List.of(command).toString());
  }
}
