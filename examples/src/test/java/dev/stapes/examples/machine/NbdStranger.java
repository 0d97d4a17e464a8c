package dev.stapes.examples.machine;

import dev.stapes.model.Progress;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Somebody who has no key, and connects to a port of the loopback address that an emulator listens
 * at while a disk comes there. See the NBD project's proto.md.
 */
final class NbdStranger implements Progress {
  private static final long OPTION = 0x49484156454F5054L;
  private static final int FIXED_NEWSTYLE = 1;
  private static final int LIST = 3;
  private static final int GREETING = 18;
  private static final int MILLIS = 20_000;
  private static final String LISTENS = "0A";

  private final Supplier<List<ProcessHandle>> emulators;
  private final Set<Integer> answers = new TreeSet<>();

  NbdStranger(Supplier<List<ProcessHandle>> emulators) {
    this.emulators = emulators;
  }

  /** What it was answered, of the NBD_REP_... */
  Set<Integer> answers() {
    return answers;
  }

  @Override
  public void update(String stage, long done, long total) {
    if (stage.equals("disk") && answers.isEmpty()) {
      try {
        for (ProcessHandle emulator : emulators.get()) {
          for (int port : ports(Path.of("/proc/" + emulator.pid()))) {
            ask(port);
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static List<Integer> ports(Path process) throws IOException {
    List<String> links = new ArrayList<>();
    try (Stream<Path> all = Files.list(process.resolve("fd"))) {
      for (Path link : all.toList()) {
        add(link, links);
      }
    }
    return Files.readAllLines(process.resolve("net/tcp")).stream()
        .map(line -> line.strip().split("\\s+", -1))
        .filter(words -> words[3].equals(LISTENS) && links.contains("socket:[" + words[9] + "]"))
        .map(words -> Integer.parseInt(words[1].substring(words[1].indexOf(':') + 1), 16))
        .toList();
  }

  /** It may be closed by now. */
  private static void add(Path link, List<String> links) throws IOException {
    try {
      links.add(Files.readSymbolicLink(link).toString());
    } catch (NoSuchFileException e) {
      return; // it is
    }
  }

  /** Asks which disks there are, and goes: QEMU does not stop its server while somebody asks. */
  private void ask(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(MILLIS);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      in.readFully(new byte[GREETING]);
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(FIXED_NEWSTYLE);
      out.writeLong(OPTION);
      out.writeInt(LIST);
      out.writeInt(0);
      out.flush();
      long unusedBeginning = in.readLong();
      int option = in.readInt();
      answers.add(option == LIST ? in.readInt() : -option); // which the test does not expect
    }
  }
}
