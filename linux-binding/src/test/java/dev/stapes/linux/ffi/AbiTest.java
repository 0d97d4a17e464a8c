package dev.stapes.linux.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.testkit.RequiresTool;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares every number with what the C compiler of this machine says. */
@RequiresTool("gcc")
class AbiTest {
  private static final List<String> HEADERS =
      List.of(
          "errno.h",
          "fcntl.h",
          "poll.h",
          "sched.h",
          "signal.h",
          "spawn.h",
          "stddef.h",
          "stdio.h",
          "unistd.h",
          "dirent.h",
          "sys/epoll.h",
          "sys/eventfd.h",
          "sys/file.h",
          "sys/ioctl.h",
          "sys/mount.h",
          "sys/prctl.h",
          "sys/socket.h",
          "sys/stat.h",
          "sys/syscall.h",
          "sys/uio.h",
          "sys/un.h",
          "sys/vfs.h",
          "sys/wait.h",
          "sys/xattr.h",
          "linux/capability.h",
          "linux/close_range.h",
          "linux/fs.h",
          "linux/magic.h",
          "linux/openat2.h");

  /** In headers that cannot be included beside the C library's own. */
  private static final Map<String, String> ELSEWHERE = Map.of("XFS_SUPER_MAGIC", "0x58465342");

  private final Path dir;

  AbiTest(@TempDir Path dir) {
    this.dir = dir;
  }

  @Test
  void every_errno_is_the_compilers() throws Exception {
    Map<String, Long> ours = constants(Errno.class);
    assertTrue(ours.size() > 100, "only " + ours.size());
    assertSame(ours, printed(ours.keySet().stream().map(AbiTest::constant).toList()));
  }

  @Test
  void every_constant_is_the_compilers() throws Exception {
    Map<String, Long> ours = constants(Constants.class);
    assertTrue(ours.size() > 100, "only " + ours.size());
    assertSame(ours, printed(ours.keySet().stream().map(AbiTest::constant).toList()));
  }

  @Test
  void every_size_and_offset_is_the_compilers() throws Exception {
    Map<String, Long> ours = constants(Layout.class);
    ours.keySet().removeIf(name -> name.endsWith("_ATMOST"));
    assertTrue(ours.size() > 50, "only " + ours.size());
    assertSame(ours, printed(ours.keySet().stream().map(AbiTest::layout).toList()));
  }

  @Test
  void opaque_structures_fit_into_what_is_allocated_for_them() throws Exception {
    Map<String, Long> ours = constants(Layout.class);
    ours.keySet().removeIf(name -> !name.endsWith("_ATMOST"));
    List<String> lines = new ArrayList<>();
    for (String name : ours.keySet()) {
      lines.add(print(name, "sizeof(" + name.replace("_ATMOST", "") + ")"));
    }
    Map<String, Long> theirs = printed(lines);
    assertEquals(ours.keySet(), theirs.keySet());
    theirs.forEach(
        (name, size) -> assertTrue(size <= ours.getOrDefault(name, 0L), name + " is " + size));
  }

  private static void assertSame(Map<String, Long> ours, Map<String, Long> theirs) {
    assertEquals(ours.keySet(), theirs.keySet());
    Map<String, String> differences = new TreeMap<>();
    ours.forEach(
        (name, value) -> {
          if (!value.equals(theirs.get(name))) {
            differences.put(name, value + " here, " + theirs.get(name) + " in C");
          }
        });
    assertEquals(Map.of(), differences);
  }

  private static Map<String, Long> constants(Class<?> type) throws IllegalAccessException {
    Map<String, Long> all = new TreeMap<>();
    for (Field field : type.getFields()) {
      all.put(field.getName(), ((Number) field.get(null)).longValue());
    }
    return all;
  }

  private static String constant(String name) {
    return print(name, ELSEWHERE.getOrDefault(name, name));
  }

  /** {@code statx_stx_mode} is {@code offsetof(struct statx, stx_mode)}. */
  private static String layout(String name) {
    for (String struct :
        List.of(
            "__user_cap_header_struct",
            "__user_cap_data_struct",
            "statx_timestamp",
            "file_handle",
            "epoll_event",
            "open_how",
            "sockaddr_un",
            "mount_attr",
            "siginfo_t")) {
      if (name.startsWith(struct + "_")) {
        return layout(name, struct, name.substring(struct.length() + 1));
      }
    }
    int split = name.indexOf('_');
    return layout(name, name.substring(0, split), name.substring(split + 1));
  }

  private static String layout(String name, String struct, String member) {
    String type = struct.endsWith("_t") ? struct : "struct " + struct;
    return print(
        name,
        member.equals("SIZEOF")
            ? "sizeof(" + type + ")"
            : "offsetof(" + type + ", " + member + ")");
  }

  private static String print(String name, String expression) {
    return "  printf(\"%s %lld\\n\", \"" + name + "\", (long long)(" + expression + "));\n";
  }

  /** Compiles and runs a program of these lines; an {@code int} is printed as Java has it. */
  private Map<String, Long> printed(List<String> lines) throws Exception {
    StringBuilder program = new StringBuilder("#define _GNU_SOURCE\n");
    HEADERS.forEach(header -> program.append("#include <").append(header).append(">\n"));
    program.append("int main(void) {\n");
    lines.forEach(program::append);
    program.append("  return 0;\n}\n");
    Path source = Files.writeString(dir.resolve("abi.c"), program.toString());
    run("gcc", "-Wall", "-Werror", "-o", dir.resolve("abi").toString(), source.toString());
    Map<String, Long> values = new TreeMap<>();
    for (String line : run(dir.resolve("abi").toString()).split("\n")) {
      String[] parts = line.split(" ");
      values.put(parts[0], Long.parseLong(parts[1]));
    }
    return values;
  }

  private String run(String... command) throws Exception {
    Path output = Files.createTempFile(dir, "output", "");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), command[0] + " takes too long");
      assertEquals(0, process.exitValue(), () -> command[0] + ": " + read(output));
      return read(output);
    } finally {
      process.destroyForcibly();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
