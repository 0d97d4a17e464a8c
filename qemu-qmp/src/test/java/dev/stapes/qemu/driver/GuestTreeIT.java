package dev.stapes.qemu.driver;

import static dev.stapes.model.StapesException.Kind.CONFLICT;
import static dev.stapes.model.StapesException.Kind.EXHAUSTED;
import static dev.stapes.model.StapesException.Kind.INVALID;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import dev.stapes.spi.Tree.Resolution;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is special about files that a shell reads, with the shells and tools that guests have. */
@RequiresRoot
@RequiresTool("busybox")
@Timeout(60)
@Execution(ExecutionMode.SAME_THREAD)
class GuestTreeIT {
  private static final String HOST = "sh";
  private static final String BUSYBOX = "busybox";

  private final ExecutorService behind = Executors.newCachedThreadPool();
  @TempDir Path directory;

  private Tree open(String shell) {
    List<String> command = new ArrayList<>(GuestShell.command(Resolution.IN_ROOT));
    if (shell.equals(BUSYBOX)) {
      command.set(0, "busybox");
      command.add(1, "sh");
    }
    GuestShell started = GuestShell.of("guest", new LocalExec(command), behind);
    return new GuestTree(started, directory.toString());
  }

  @AfterEach
  void close() {
    behind.shutdown();
  }

  @ParameterizedTest
  @ValueSource(strings = {HOST, BUSYBOX})
  void names_are_any_text(String shell) throws IOException {
    List<String> names =
        List.of(
            "-rf",
            "--",
            "-e",
            "a\nb",
            "\n",
            " ",
            "'",
            "\"",
            "$(reboot)",
            "`x`",
            "\\",
            "\\n",
            "*",
            "a\tb\r",
            "ÁÂ\u0081\u0088",
            "😀",
            "%s%n",
            "..x",
            ".x",
            "...",
            "~",
            "#",
            "fail x",
            "a'\n'b",
            "[a]",
            "\u0001\u007f",
            "n".repeat(255),
            "ok\n",
            "\udcff\udc81");
    try (Tree tree = open(shell)) {
      for (String name : names) {
        try (OutputStream out = tree.create(name, 0640)) {
          out.write(name.length());
        }
        tree.mkdir("in " + Math.floorMod(name.hashCode(), 1_000_000), 0755);
        tree.symlink(name, "link");
        assertEquals(name, tree.readlink("link"));
        try (InputStream in = tree.read("link")) {
          assertArrayEquals(new byte[] {(byte) name.length()}, in.readAllBytes(), name);
        }
        tree.rename(name, "other");
        assertTrue(tree.stat(name).isEmpty(), name);
        tree.rename("other", name);
        assertEquals(0640, tree.stat(name).orElseThrow().mode());
        tree.remove("link");
        tree.removeAll("in " + Math.floorMod(name.hashCode(), 1_000_000));
      }
      assertEquals(names.stream().sorted().toList(), tree.list("/"));
      for (String name : names) {
        tree.removeAll(name);
      }
      assertEquals(List.of(), tree.list("/"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {HOST, BUSYBOX})
  void content_is_any_bytes(String shell) throws IOException {
    try (Tree tree = open(shell)) {
      for (int size : new int[] {0, 1, 4095, 4096, 4097, GuestShell.CHUNK, 3 * GuestShell.CHUNK}) {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        try (OutputStream out = tree.write("file", 0600)) {
          out.write(content);
        }
        assertArrayEquals(content, Files.readAllBytes(directory.resolve("file")), "size " + size);
        try (InputStream in = tree.read("file")) {
          assertArrayEquals(content, in.readAllBytes(), "size " + size);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {HOST, BUSYBOX})
  void a_file_may_change_while_it_is_read(String shell) throws IOException {
    Path file = directory.resolve("file");
    byte[] content = new byte[3 * GuestShell.CHUNK];
    try (Tree tree = open(shell)) {
      Files.write(file, content);
      try (InputStream in = tree.read("file")) {
        assertEquals(10, in.readNBytes(10).length);
        Files.write(file, new byte[GuestShell.CHUNK + 5]);
        assertEquals(GuestShell.CHUNK - 5, in.readAllBytes().length, "cut");
      }
      Files.write(file, content);
      try (InputStream in = tree.read("file")) {
        assertEquals(10, in.readNBytes(10).length);
        Files.write(file, new byte[7], StandardOpenOption.APPEND);
        assertEquals(content.length - 3, in.readAllBytes().length, "grown");
      }
      try (InputStream in = tree.read("file")) {
        Files.delete(file);
        assertEquals(content.length + 7, in.readAllBytes().length, "removed");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {HOST, BUSYBOX})
  void a_file_that_says_that_it_is_empty_is_read_to_its_end(String shell) throws IOException {
    List<String> command = new ArrayList<>(GuestShell.command(Resolution.IN_ROOT));
    if (shell.equals(BUSYBOX)) {
      command.set(0, "busybox");
      command.add(1, "sh");
    }
    try (Tree tree = new GuestTree(GuestShell.of("guest", new LocalExec(command), behind), "");
        InputStream in = tree.read("/proc/filesystems")) {
      String expected = Files.readString(Path.of("/proc/filesystems"));
      assertEquals(expected, new String(in.readAllBytes(), StandardCharsets.UTF_8));
      StapesException refused = assertThrows(StapesException.class, () -> tree.removeAll("/"));
      assertEquals(INVALID, refused.kind());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {HOST, BUSYBOX})
  void several_files_are_open_at_once_and_no_more_than_can_be(String shell) throws IOException {
    try (Tree tree = open(shell)) {
      List<OutputStream> open = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        open.add(tree.create("f" + i, 0600));
      }
      assertEquals(EXHAUSTED, kind(() -> tree.create("f6", 0600)));
      for (int i = 0; i < 6; i++) {
        open.get(i).write(i);
        open.get(i).close();
      }
      for (int i = 0; i < 6; i++) {
        assertArrayEquals(new byte[] {(byte) i}, Files.readAllBytes(directory.resolve("f" + i)));
      }
      assertEquals(CONFLICT, kind(() -> tree.create("f0", 0600)));
      for (int i = 0; i < 10; i++) {
        assertEquals(NOT_FOUND, kind(() -> tree.read("missing")));
      }
      tree.create("f6", 0600).close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {HOST, BUSYBOX})
  void what_is_not_possible_is_refused(String shell) {
    try (Tree tree = open(shell)) {
      tree.mkdir("full", 0755);
      tree.mkdir("full/below", 0755);
      tree.mkdir("empty", 0755);
      tree.symlink("full", "link");
      assertEquals(CONFLICT, kind(() -> tree.rename("empty", "full")));
      assertEquals(INVALID, kind(() -> tree.rename("full", "full/below/in")));
      assertEquals(INVALID, kind(() -> tree.rename("full", "link")));
      assertEquals(INVALID, kind(() -> tree.rename("link", "empty")));
      assertEquals(INVALID, kind(() -> tree.chmod("link", 0600)));
      assertEquals(INVALID, kind(() -> tree.mkdir("x".repeat(300), 0600)));
      assertEquals(INVALID, kind(() -> tree.mkdir("x/".repeat(3000), 0600)));
      assertEquals(INVALID, kind(() -> tree.mkdir("a\0b", 0600)));
      assertEquals(INVALID, kind(() -> tree.mkdir("a", 010000)));
      assertEquals(INVALID, kind(() -> tree.chown("full", -1, 0)));
      assertEquals(INVALID, kind(() -> tree.resize("full", 1)));
      assertEquals(INVALID, kind(() -> tree.resize("full", -1)));
      tree.rename("full", "empty");
      tree.rename("link", "moved");
      assertEquals(List.of("empty", "moved"), tree.list("/"));
      assertEquals(List.of("below"), tree.list("empty"));
      tree.setModified("moved", Instant.ofEpochSecond(-5));
      assertEquals(-5, tree.stat("moved").orElseThrow().modifiedAt().getEpochSecond());
    }
  }

  private static StapesException.Kind kind(Runnable body) {
    return assertThrows(StapesException.class, body::run).kind();
  }
}
