package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.qemu.driver.QemuProcess.Mode;
import dev.stapes.qemu.driver.QemuProcess.Opened;
import dev.stapes.spi.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script is executed by the machine's shell, with programs of ours as setpriv and QEMU. */
class QemuProcessTest {
  private static final long USER = 1_900_000_001L;

  @TempDir Path temporary;
  private Path qemu = Path.of("");
  private Path setpriv = Path.of("");

  @BeforeEach
  void programs() throws IOException {
    setpriv =
        program(
            "set priv",
            """
            #!/bin/sh
            while [ "$1" != -- ] && [ "${1##*/}" != qemu ]; do
              echo "setpriv $1"
              shift
            done
            exec "$@"
            """);
    qemu =
        program(
            "qemu",
            """
            #!/bin/sh
            echo "cwd $(pwd -P | tr '\\n' '?')"
            for a; do echo "argument $a"; done
            for n in 3 4 5 6 7 8 9; do
              [ -e /proc/self/fd/$n ] || continue
              echo "open $n $(grep flags /proc/self/fdinfo/$n | cut -f 2)"
            done
            echo written >&5
            read -r line <&3
            echo "read $line"
            """);
  }

  private Path program(String name, String text) throws IOException {
    Path file = Files.writeString(temporary.resolve(name), text);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  private String run(Processes.Start start) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(start.arguments())
            .directory(Path.of("/").toFile())
            .redirectErrorStream(true)
            .redirectOutput(temporary.resolve("output").toFile());
    if (start.stdin() instanceof Processes.Stdio.DirectFile file) {
      builder.redirectInput(file.path().toFile());
    }
    builder.environment().clear();
    builder.environment().putAll(start.environment());
    Process process = builder.start();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    return Files.readString(temporary.resolve("output"));
  }

  private Processes.Start start(Path directory, List<Opened> files, String... arguments) {
    return new QemuProcess(directory, USER, OptionalLong.empty(), files)
        .start(setpriv, qemu, List.of(arguments), temporary.resolve("log"), false);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plain",
        "with blank",
        "it's",
        "dou\"ble",
        "new\nline",
        "$HOME `id` $(id) \\ ; & | * ?",
        "-n",
        "ümlaut",
        "a,b=c"
      })
  void odd_paths_are_opened_as_they_are(String name) throws Exception {
    Path directory = Files.createDirectory(temporary.resolve("d" + name).toAbsolutePath());
    Path disk = Files.writeString(directory.resolve(name), "sector\n");
    Path log = directory.resolve(name + ".log");
    String said =
        run(
            start(
                directory,
                List.of(new Opened(3, disk, Mode.WRITE), new Opened(5, log, Mode.APPEND)),
                "a b",
                "it's",
                "$x"));
    assertTrue(said.contains("read sector"), said);
    assertTrue(said.contains("cwd " + directory.toRealPath().toString().replace('\n', '?')), said);
    assertTrue(
        said.lines()
            .filter(line -> line.startsWith("argument "))
            .map(line -> line.substring(9))
            .toList()
            .equals(List.of("-add-fd", "fd=3,set=3", "-add-fd", "fd=5,set=5", "a b", "it's", "$x")),
        said);
    assertEquals("written\n", Files.readString(log));
    assertEquals("sector\n", Files.readString(disk));
  }

  @Test
  void files_are_open_as_they_are_to_be_used_and_no_others() throws Exception {
    Path disk = Files.writeString(temporary.resolve("disk"), "x\n");
    Path read = Files.writeString(temporary.resolve("read"), "x\n");
    Path log = Files.writeString(temporary.resolve("console"), "before\n");
    String said =
        run(
            start(
                temporary,
                List.of(
                    new Opened(3, disk, Mode.WRITE),
                    new Opened(4, read, Mode.READ),
                    new Opened(5, log, Mode.APPEND))));
    List<String> open =
        said.lines().filter(line -> line.startsWith("open ")).map(QemuProcessTest::mode).toList();
    assertEquals(List.of("3 2", "4 0", "5 1"), open, said); // O_RDWR, O_RDONLY, O_WRONLY
    assertEquals("before\nwritten\n", Files.readString(log));
  }

  @Test
  void a_device_is_known_by_its_number_alone() throws Exception {
    Path disk = Files.writeString(temporary.resolve("disk"), "x\n");
    Path log = temporary.resolve("console");
    Path device = Files.createFile(temporary.resolve("vhost-vsock"));
    String said =
        run(
            start(
                temporary,
                List.of(
                    new Opened(3, disk, Mode.WRITE),
                    new Opened(5, log, Mode.APPEND),
                    new Opened(7, device, Mode.DEVICE))));
    assertFalse(said.contains("set=7"), said);
    assertTrue(said.lines().anyMatch(line -> line.startsWith("open 7 ")), said);
  }

  /** The number of a descriptor and the way it may be used. */
  private static String mode(String line) {
    String[] words = line.split(" ", -1);
    return words[1] + " " + (Integer.parseInt(words[2], 8) & 3);
  }

  @Test
  void it_becomes_a_user_who_may_do_nothing() throws Exception {
    Path disk = Files.writeString(temporary.resolve("disk"), "x\n");
    List<Opened> files = List.of(new Opened(3, disk, Mode.WRITE));
    String said = run(start(temporary, files));
    assertEquals(
        List.of(
            "--reuid",
            "1900000001",
            "--regid",
            "1900000001",
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
            "--no-new-privs"),
        said.lines()
            .filter(line -> line.startsWith("setpriv "))
            .map(line -> line.substring(8))
            .toList());
    Processes.Start mortal =
        new QemuProcess(temporary, USER, OptionalLong.of(108), files)
            .start(setpriv, qemu, List.of(), temporary.resolve("log"), true);
    assertTrue(mortal.dieWithHost());
    String other = run(mortal);
    assertTrue(other.contains("setpriv --groups\nsetpriv 108\n"), other);
    assertTrue(other.contains("setpriv --pdeathsig\nsetpriv KILL\n"), other);
  }

  @Test
  void it_may_lock_as_much_memory_as_it_is_told() throws Exception {
    Path limits = program("limits", "#!/bin/sh\necho \"locks $(ulimit -l)\"\n");
    QemuProcess process =
        new QemuProcess(
            temporary, USER, OptionalLong.empty(), OptionalLong.of(64), List.<Opened>of());
    String said = run(process.start(limits, qemu, List.of(), temporary.resolve("log"), false));
    assertEquals("locks 64\n", said);
  }

  @Test
  void a_file_that_cannot_be_opened_is_named_and_nothing_is_started() throws Exception {
    Path directory = Files.createDirectory(temporary.resolve("a directory"));
    String said = run(start(temporary, List.of(new Opened(3, directory, Mode.WRITE))));
    assertTrue(said.contains("a directory"), said);
    assertTrue(!said.contains("setpriv"), said);
    String missing =
        run(start(temporary, List.of(new Opened(4, temporary.resolve("no"), Mode.READ))));
    assertTrue(missing.contains("/no") && !missing.contains("setpriv"), missing);
    String nowhere = run(start(temporary.resolve("nowhere"), List.of()));
    assertTrue(nowhere.contains("nowhere") && !nowhere.contains("setpriv"), nowhere);
  }

  @Test
  void a_file_that_no_shell_can_open_is_handed_over_as_its_input() throws Exception {
    Path disk = Files.writeString(temporary.resolve("disk"), "sector\n");
    Path log = temporary.resolve("log of it");
    List<Opened> files = List.of(new Opened(3, disk, Mode.DIRECT), new Opened(5, log, Mode.APPEND));
    Processes.Start start = start(temporary, files);
    assertEquals(new Processes.Stdio.DirectFile(disk), start.stdin());
    String said = run(start);
    assertTrue(said.contains("read sector"), said);
    assertTrue(said.contains("argument fd=3,set=3"), said);
    List<Opened> two = List.of(new Opened(3, disk, Mode.DIRECT), new Opened(4, disk, Mode.DIRECT));
    assertThrows(IllegalArgumentException.class, () -> start(temporary, two));
    assertEquals(
        Processes.Stdio.none(), start(temporary, List.of(new Opened(3, log, Mode.READ))).stdin());
  }

  @Test
  void a_shell_redirects_ten_descriptors() {
    for (int number : new int[] {2, 10, -1}) {
      assertThrows(IllegalArgumentException.class, () -> new Opened(number, temporary, Mode.READ));
    }
    assertEquals(Path.of("/dev/fdset/9"), Opened.inQemu(9));
  }
}
