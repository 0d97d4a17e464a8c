package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.Constants;
import dev.stapes.linux.ffi.LibC;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.lxc.ffi.ContainerCalls.Terminal;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stays open where something fails halfway. */
class DescriptorsTest {
  @TempDir Path directory;

  /** The descriptors of this process that are open below the directory. */
  private List<String> open() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.map(DescriptorsTest::target)
          .filter(target -> target.startsWith(directory.toString()))
          .toList();
    }
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return ""; // the one that lists
    }
  }

  @Test
  void files_of_a_program_that_cannot_all_be_made_leave_nothing_open() throws Exception {
    ExecFiles.Owners owners =
        new ExecFiles.Owners(
            (Integer) Files.getAttribute(directory, "unix:uid"),
            (Integer) Files.getAttribute(directory, "unix:gid"),
            (Integer) Files.getAttribute(directory, "unix:uid"));
    for (String last : List.of(".q", ".s", ".i", ".o", ".e")) {
      Files.createFile(directory.resolve("x" + last));
      assertThrows(
          LinuxException.class,
          () -> ExecFiles.create(Syscalls.system(), directory, "x", owners, ExecFiles.Streams.ALL));
      assertEquals(List.of(), open(), last);
      try (Stream<Path> left = Files.list(directory)) {
        assertEquals(List.of(), left.toList(), last);
      }
    }
  }

  @Test
  void a_console_that_cannot_be_opened_twice_is_given_back() throws Exception {
    Fd keeper = file("keeper");
    Fd master = file("master");
    Terminal terminal = new Terminal(0, keeper.release(), master.release());
    assertThrows(LinuxException.class, () -> LxcConsole.Attached.of(withoutDuplicates(), terminal));
    assertEquals(List.of(), open());
  }

  @Test
  void a_console_that_is_attached_holds_its_descriptors() throws Exception {
    Fd keeper = file("keeper");
    Fd master = file("master");
    Terminal terminal = new Terminal(0, keeper.release(), master.release());
    LxcConsole.Attached attached = LxcConsole.Attached.of(Syscalls.system(), terminal);
    assertFalse(open().isEmpty());
    attached.input().close();
    attached.output().close();
    attached.keeper().close();
    assertEquals(List.of(), open());
  }

  private Fd file(String name) {
    return Fd.open(
        Syscalls.system(),
        directory.resolve(name),
        Set.of(OpenFlag.READ, OpenFlag.WRITE, OpenFlag.CREATE));
  }

  /** A C library whose fcntl(2) duplicates nothing. */
  private static Syscalls withoutDuplicates() {
    LibC real = Syscalls.system().libc();
    Object fake =
        Proxy.newProxyInstance(
            LibC.class.getClassLoader(),
            new Class<?>[] {LibC.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("fcntl")
                  && arguments[1].equals(Constants.F_DUPFD_CLOEXEC)) {
                return -1;
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
    return Syscalls.over((LibC) fake);
  }
}
