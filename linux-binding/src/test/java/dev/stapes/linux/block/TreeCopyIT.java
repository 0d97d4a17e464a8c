package dev.stapes.linux.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.DeviceNumber;
import dev.stapes.linux.Fd;
import dev.stapes.linux.FileKind;
import dev.stapes.linux.FileStat;
import dev.stapes.linux.FileTree;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.testkit.RequiresRoot;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Copies of whole trees with all that root may put into them. */
@RequiresRoot
@Timeout(120)
class TreeCopyIT {
  private static final Set<OpenFlag> DIRECTORY = Set.of(OpenFlag.READ, OpenFlag.DIRECTORY);

  private final Syscalls sys = Syscalls.system();
  private final Path directory;
  private final FileTree source;
  private final FileTree target;

  TreeCopyIT(@TempDir Path directory) throws Exception {
    this.directory = directory;
    this.source = open("source");
    this.target = open("target");
  }

  private FileTree open(String name) throws Exception {
    Path made = Files.createDirectory(directory.resolve(name));
    Fd fd = Fd.open(sys, made, DIRECTORY);
    return FileTree.over(sys, fd, FileTree.Resolution.BENEATH);
  }

  @AfterEach
  void close() {
    source.close();
    target.close();
    try (FileTree all = FileTree.open(sys, directory, FileTree.Resolution.BENEATH)) {
      all.removeAll("source");
      all.removeAll("target");
    }
  }

  private void copy() {
    new TreeCopy(sys, name -> true, () -> false).run(source.directory(), target.directory());
  }

  private static FileStat stat(FileTree tree, String path) {
    return tree.stat(path).orElseThrow();
  }

  @Test
  void owners_permissions_times_and_kinds_are_the_same() {
    source.mkdir("directory", 02750);
    source.create("directory/file", 04711).close();
    source.chown("directory/file", 1000, 1001);
    source.chmod("directory/file", 06711);
    source.symlink("nowhere", "link");
    source.chown("link", 7, 8);
    source.mkfifo("fifo", 0601);
    source.mknod("socket", FileKind.SOCKET, 0640, new DeviceNumber(0, 0));
    source.mknod("device", FileKind.BLOCK_DEVICE, 0606, new DeviceNumber(259, 70_000));
    Instant time = Instant.ofEpochSecond(1_000_000_000, 123_456_789);
    for (String path : new String[] {"directory/file", "link", "fifo", "directory", "/"}) {
      source.times(path, time, time);
    }
    copy();
    for (String path :
        new String[] {"/", "directory", "directory/file", "link", "fifo", "socket", "device"}) {
      FileStat from = stat(source, path);
      FileStat to = stat(target, path);
      assertEquals(from.kind(), to.kind(), path);
      assertEquals(from.permissions(), to.permissions(), path);
      assertEquals(from.uid(), to.uid(), path);
      assertEquals(from.gid(), to.gid(), path);
      assertEquals(from.modified(), to.modified(), path);
      assertEquals(from.special(), to.special(), path);
    }
    assertEquals("nowhere", target.readlink("link"));
  }

  @Test
  void names_of_one_file_are_names_of_one_file_in_the_copy_too() {
    source.mkdir("a", 0755);
    source.mkdir("b", 0755);
    source.create("a/file", 0644).close();
    source.hardlink("a/file", "b/again");
    source.hardlink("a/file", "third");
    source.mkfifo("a/fifo", 0644);
    source.hardlink("a/fifo", "b/fifo");
    copy();
    assertEquals(3, stat(target, "third").links());
    assertTrue(stat(target, "a/file").sameFileAs(stat(target, "b/again")));
    assertTrue(stat(target, "a/fifo").sameFileAs(stat(target, "b/fifo")));
  }

  @Test
  void attributes_are_kept_but_for_those_that_are_not_wanted() {
    source.create("file", 0644).close();
    byte[] value = "value".getBytes(StandardCharsets.UTF_8);
    for (String name : new String[] {"user.one", "trusted.two", "trusted.not"}) {
      source.xattrs(
          "file",
          xattrs -> {
            xattrs.set(name, value);
            return name;
          });
    }
    new TreeCopy(sys, name -> !name.equals("trusted.not"), () -> false)
        .run(source.directory(), target.directory());
    assertArrayEquals(
        value, target.xattrs("file", xattrs -> xattrs.get("trusted.two")).orElseThrow());
    assertEquals(
        Set.of("user.one", "trusted.two"),
        Set.copyOf(target.xattrs("file", dev.stapes.linux.Xattrs::list)));
  }

  @Test
  void holes_stay_holes_and_data_is_the_same() throws Exception {
    Path file = directory.resolve("source/sparse");
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.setLength(64 << 20);
      open.seek(10 << 20);
      open.write("in the middle".getBytes(StandardCharsets.UTF_8));
      open.seek((64 << 20) - 3);
      open.write("end".getBytes(StandardCharsets.UTF_8));
    }
    Files.write(directory.resolve("source/dense"), new byte[300_000]);
    copy();
    assertEquals(-1, Files.mismatch(file, directory.resolve("target/sparse")));
    assertEquals(
        -1, Files.mismatch(directory.resolve("source/dense"), directory.resolve("target/dense")));
    assertTrue(stat(target, "sparse").allocated() < 1 << 20);
  }

  @Test
  void a_tree_deeper_than_any_path_is_copied_counted_and_given_away() {
    Fd at = source.directory().duplicate();
    for (int i = 0; i < 2000; i++) {
      try (FileTree level = FileTree.over(sys, at, FileTree.Resolution.BENEATH)) {
        level.mkdir("directory", 0755);
        level.create("file", 0644).close();
        at = level.open("directory", DIRECTORY, 0);
      }
    }
    at.close();
    copy();
    TreeUsage usage = new TreeUsage(sys);
    assertEquals(usage.of(source.directory()), usage.of(target.directory()));
    AtomicInteger given = new AtomicInteger();
    new TreeOwners(
            sys,
            uid -> {
              given.incrementAndGet();
              return uid + 5;
            },
            gid -> gid + 6)
        .run(target.directory());
    assertEquals(4001, given.get());
    assertEquals(5, stat(target, "directory/directory/file").uid());
  }

  @Test
  void a_cancelled_copy_ends() {
    for (int i = 0; i < 10; i++) {
      source.create("file-" + i, 0644).close();
    }
    AtomicInteger asked = new AtomicInteger();
    LinuxException ended =
        assertThrows(
            LinuxException.class,
            () ->
                new TreeCopy(sys, name -> true, () -> asked.incrementAndGet() > 5)
                    .run(source.directory(), target.directory()));
    assertEquals(Errno.ECANCELED, ended.errno());
    assertEquals(5, target.list("").size());
  }
}
