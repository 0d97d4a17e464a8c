package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.InstanceId;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The log of a console where there is no room for it or something in its way; its end. */
class LxcLogIT extends LxcDriverFixture {
  private static final String ID = "logged01";

  LxcLogIT() throws IOException {}

  private Machine.Spec durable() {
    return box.spec(ID, Lifetime.DURABLE, Map.of());
  }

  private Path log() {
    return box.scope.consoleLog(new InstanceId(ID));
  }

  private Machine start() throws Exception {
    return box.driver.start(durable());
  }

  private static void stop(Machine machine) throws Exception {
    machine.kill();
    end(machine);
  }

  @Test
  void a_disk_that_is_full_stops_nobody() throws Exception {
    Path logs = box.scope.logDirectory();
    box.host.mounts().mount("stapes-test", logs, "tmpfs", Set.of(), "size=16k");
    try {
      Path full = box.host.mounts().local(log());
      Files.createDirectory(full.resolveSibling(""));
      Machine machine = start();
      Result flood =
          run(machine, "sh", "-c", "yes | head -c 300000 >/dev/console; echo still here");
      assertEquals("still here\n", flood.out());
      assertTrue(Files.size(full) <= 16 << 10, () -> "it has " + full.toFile().length());
      stop(machine);
    } finally {
      box.host.mounts().unmount(logs);
    }
  }

  @Test
  void a_link_in_the_place_of_the_log_is_not_followed() throws Exception {
    linkIsNotFollowed(0);
  }

  @Test
  void a_link_in_the_place_of_the_log_is_not_followed_by_a_start_from_ahead() throws Exception {
    linkIsNotFollowed(3);
  }

  private void linkIsNotFollowed(int startsBefore) throws Exception {
    Path secret = Files.writeString(box.directory.resolve("secret"), "secret");
    for (int i = 0; i < startsBefore; i++) {
      stop(start());
    }
    Files.createDirectories(log().resolveSibling(""));
    Files.deleteIfExists(log());
    Files.createSymbolicLink(log(), secret);
    Machine machine = start();
    run(machine, "sh", "-c", "echo hello >/dev/console");
    awaitLogged(machine, "hello");
    stop(machine);
    assertEquals("secret", Files.readString(secret));
    assertTrue(Files.isRegularFile(log(), LinkOption.NOFOLLOW_LINKS));
    assertFalse(Files.readString(log()).contains("secret"));
  }

  @Test
  void what_is_in_the_way_of_the_directory_is_an_error_and_leaves_nothing() throws Exception {
    Files.writeString(log().resolveSibling(""), "in the way");
    for (int i = 0; i < 3; i++) {
      assertThrows(StapesException.class, this::start);
    }
    Files.delete(log().resolveSibling(""));
    stop(start());
  }

  @Test
  void the_console_may_be_given_back_at_once() throws Exception {
    Machine machine = start();
    for (int i = 0; i < 30; i++) {
      try (Machine.Console console = machine.console()) {
        console.input().write("typed\n".getBytes(StandardCharsets.US_ASCII));
        console.input().flush();
      }
      assertEquals(0, run(machine, "true").code());
    }
    stop(machine);
  }
}
