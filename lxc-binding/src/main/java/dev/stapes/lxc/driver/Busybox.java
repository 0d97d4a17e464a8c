package dev.stapes.lxc.driver;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The host's busybox: the shell of the agent. It has to run in images that have no C library. */
final class Busybox {
  private static final List<String> APPLETS =
      List.of("env", "nsenter", "setsid", "sh", "sleep", "start-stop-daemon", "usleep");
  private static final String REMEDY = "install the package busybox-static";
  private static final int ELF_HEADER = 64;
  private static final int PT_INTERP = 3;

  private Busybox() {}

  /** Where it is. */
  static Optional<Path> find(Host host) {
    return host.programs().find("busybox");
  }

  /** Whether it is there, static and has what the agent needs. */
  static Availability probe(Host host) {
    Optional<Path> program = find(host);
    if (program.isEmpty()) {
      return Availability.unavailable("busybox not found", REMEDY);
    }
    Path path = program.get();
    try {
      if (!isStatic(path)) {
        return Availability.unavailable(path + " is not linked statically", REMEDY);
      }
      List<String> has =
          host.programs().run(Command.of(path.toString(), "--list")).stdout().lines().toList();
      List<String> missing = new ArrayList<>(APPLETS);
      missing.removeAll(has);
      return missing.isEmpty()
          ? Availability.available()
          : Availability.unavailable(path + " lacks the applets " + missing, REMEDY);
    } catch (IOException | StapesException e) {
      return Availability.unavailable(path + " cannot be used: " + e.getMessage(), REMEDY);
    }
  }

  /** Whether an ELF file asks for no interpreter, elf(5). */
  static boolean isStatic(Path path) throws IOException {
    try (SeekableByteChannel file = Files.newByteChannel(path)) {
      ByteBuffer header = read(file, 0, ELF_HEADER);
      if (header.remaining() < ELF_HEADER || header.getInt(0) != 0x464c457f || header.get(4) != 2) {
        throw new IOException("not a 64-bit ELF program");
      }
      long table = header.getLong(32);
      int size = header.getShort(54) & 0xffff;
      int count = header.getShort(56) & 0xffff;
      ByteBuffer entries = read(file, table, size * count);
      for (int i = 0; i < count && (i + 1) * size <= entries.remaining(); i++) {
        if (entries.getInt(i * size) == PT_INTERP) {
          return false;
        }
      }
      return true;
    }
  }

  private static ByteBuffer read(SeekableByteChannel file, long offset, int size)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    file.position(offset);
    int got;
    do {
      got = file.read(buffer);
    } while (got > 0);
    return buffer.flip();
  }
}
