package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Errno;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.FakeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which of the machine's devices is that of a zvol; over devices that are not there. */
@Timeout(60)
class ZvolDevicesTest {
  private static final DatasetName OURS = new DatasetName("tank/stapes/instances:a");
  private static final String LOCKED = "";

  @TempDir Path machine;

  private final Map<String, String> owners = new HashMap<>();

  @BeforeEach
  void make() throws IOException {
    Files.createDirectory(machine.resolve("dev"));
    Files.createDirectory(machine.resolve("block"));
  }

  /** Adds one, which cannot be opened where it is locked. */
  private Path device(String name, String zvol) throws IOException {
    Files.createDirectory(machine.resolve("block").resolve(name));
    Path node = Files.createFile(machine.resolve("dev").resolve(name));
    owners.put(name, zvol);
    return node;
  }

  private Path await(Duration patience) {
    PoolContext pool =
        new PoolContext(
            FakeHost.create(), PoolSpec.of("p", "zfs"), machine.resolve("pool"), machine);
    ZvolDevices devices =
        new ZvolDevices(
            pool, machine.resolve("dev"), machine.resolve("block"), this::owner, patience);
    ZvolDevices.Search search = devices.search(() -> OURS);
    return search.await(search::look);
  }

  private String owner(Path node) {
    String owner = owners.getOrDefault(node.getFileName().toString(), "");
    if (owner.equals(LOCKED)) {
      throw new LinuxException("open", node, Errno.EACCES);
    }
    return owner;
  }

  @Test
  void a_device_that_cannot_be_opened_is_no_obstacle_where_it_is_somebody_else_s()
      throws IOException {
    for (int n = 0; n < 10; n++) {
      device("zd" + 16 * n, LOCKED);
    }
    Path ours = device("zd160", OURS.text());
    device("zd176", OURS.text() + "b");
    assertEquals(ours, await(Duration.ofDays(1)));
  }

  @Test
  void a_device_that_cannot_be_opened_and_may_be_the_one_is_said() throws IOException {
    device("zd0", "tank/stapes/instances:b");
    device("zd16", LOCKED);
    StapesException error = assertThrows(StapesException.class, () -> await(Duration.ofMillis(1)));
    assertEquals(Kind.DENIED, error.kind(), error::toString);
    assertTrue(String.valueOf(error.getMessage()).contains("zd16"), error::toString);
  }

  @Test
  void a_device_that_does_not_come_is_not_waited_for_without_end() throws IOException {
    device("zd0", "tank/stapes/instances:b");
    StapesException error = assertThrows(StapesException.class, () -> await(Duration.ofMillis(1)));
    assertEquals(Kind.TIMED_OUT, error.kind(), error::toString);
  }
}
