package dev.stapes.benchmarks.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class IoToolTest {
  private static final String FIO =
      """
      note: both iodepth >= 1 and synchronous I/O engine are selected
      {
        "fio version" : "fio-3.33",
        "jobs" : [ { "jobname" : "bench",
          "read" : { "io_bytes" : 4096000, "runtime" : 500, "iops" : 2000.0, "total_ios" : 1000 },
          "write" : { "io_bytes" : 0, "runtime" : 0, "iops" : 0.0, "total_ios" : 0 } } ]
      }
      """;

  @Test
  void fio_says_how_many_requests_it_made_a_second() throws IOException {
    assertEquals(500_000_000, Fio.nanos(StoragePath.RANDOM_READ, FIO));
  }

  @Test
  void what_fio_did_not_do_is_no_number() {
    var e = assertThrows(IOException.class, () -> Fio.nanos(StoragePath.RANDOM_WRITE, FIO));
    assertTrue(String.valueOf(e.getMessage()).startsWith("fio says nothing of"), e.getMessage());
    assertThrows(IOException.class, () -> Fio.nanos(StoragePath.RANDOM_READ, ""));
    assertThrows(IOException.class, () -> Fio.nanos(StoragePath.RANDOM_READ, "{ \"jobs\" : ["));
  }

  @Test
  void the_libraries_of_a_program_are_those_that_ldd_has_found() {
    String ldd =
        """
        \tlinux-vdso.so.1 (0x00007ffd8a9c5000)
        \tlibaio.so.1 => /lib/x86_64-linux-gnu/libaio.so.1 (0x00007f1c2a000000)
        \tlibnbd.so.0 => not found
        \t/lib64/ld-linux-x86-64.so.2 (0x00007f1c2a3d6000)
        """;
    assertEquals(
        List.of(
            Path.of("/lib/x86_64-linux-gnu/libaio.so.1"), Path.of("/lib64/ld-linux-x86-64.so.2")),
        Fio.libraries(ldd));
  }

  @Test
  void dd_says_how_long_it_took() throws IOException {
    String said = "8+0 records in\n8+0 records out\n8388608 bytes (8.0MB) copied, 0.025 seconds\n";
    assertEquals(25_000_000, Dd.nanos(said));
    assertThrows(IOException.class, () -> Dd.nanos("dd: can't open '/x'"));
  }

  @Test
  void dd_does_nothing_random() {
    Dd dd = new Dd(Scale.QUICK);
    assertEquals(
        List.of(StoragePath.SEQUENTIAL_WRITE, StoragePath.SEQUENTIAL_READ),
        List.of(StoragePath.values()).stream().filter(dd::does).toList());
  }
}
