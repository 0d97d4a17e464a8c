package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What applications write: followed while they run, and kept afterwards. */
@Tag("once")
class OciLogIT extends OciFixture {
  private static final long LIMIT = 2 << 20;

  private static Path kept(Instance instance) {
    return BENCH.root().resolve("logs").resolve(instance.id().value());
  }

  @Test
  void what_a_program_wrote_is_kept_over_its_starts_and_those_of_stapes() throws Exception {
    Instance instance =
        create(bring("kept", program("echo out; echo err >&2; echo $RUN; exit 3"), base));
    StringBuilder all = new StringBuilder();
    for (int run = 1; run <= 4; run++) { // the later ones from containers that were started ahead
      String number = "run " + run;
      instance.update(change -> change.config("environment.RUN", number));
      assertEquals(3, runToItsEnd(instance).code().orElseThrow());
      all.append("out\nerr\n").append(number).append('\n');
      assertEquals(all.toString(), log(instance));
    }
    String name = instance.name();
    Instance again = BENCH.reopen().instances().get(name);
    assertEquals(all.toString(), log(again));
    try (InputStream follow = again.consoleLog().follow()) { // it does not run: it has an end
      assertEquals(all.length(), text(follow.readAllBytes()).length());
    }
    again.rename(name + "-2");
    assertEquals(all.toString(), log(again));
    Path kept = kept(again);
    assertTrue(Files.exists(kept));
    again.delete();
    assertEquals(
        Kind.NOT_FOUND,
        assertThrows(StapesException.class, () -> again.consoleLog().text()).kind());
    BENCH.reopen(); // what is done behind is done
    assertFalse(Files.exists(kept));
  }

  @Test
  void what_a_program_writes_while_nobody_has_stapes_open_is_kept() throws Exception {
    Instance instance =
        create(
                bring(
                    "away",
                    program("echo up; until [ -e /go ]; do sleep 0.05; done; echo later; exit 4"),
                    base))
            .start();
    awaitLog(instance, "up\n");
    String name = instance.name();
    instance.files().write("/go", new byte[0]);
    Instance again = BENCH.reopen().instances().get(name);
    again.await(InstanceStatus.STOPPED, SOON);
    assertEquals("up\nlater\n", log(again));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8).replace("\r", "");
  }

  @Test
  void a_program_is_followed_to_its_end() throws Exception {
    Instance instance =
        create(
            bring(
                "follow",
                program(
                    "echo first; read go; i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1));"
                        + " done; echo last"),
                base));
    instance.start();
    try (InputStream one = instance.consoleLog().follow();
        InputStream two = instance.consoleLog().follow()) {
      CompletableFuture<byte[]> all = CompletableFuture.supplyAsync(() -> read(two));
      StringBuilder shown = new StringBuilder();
      while (shown.indexOf("first") < 0) {
        shown.append((char) one.read());
      }
      try (var console = instance.console()) {
        console.input().write('\n');
        console.input().flush();
        String rest = text(one.readAllBytes());
        assertTrue(rest.endsWith("499\nlast\n"), rest);
      }
      assertTrue(text(all.get(1, TimeUnit.MINUTES)).endsWith("499\nlast\n"));
    }
    instance.await(InstanceStatus.STOPPED, SOON);
  }

  private static byte[] read(InputStream in) {
    try {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void a_flood_stays_within_the_limit_and_can_be_followed() throws Exception {
    Instance instance = create(bring("flood", program("exec yes flood"), base)).start();
    Path kept = kept(instance);
    try (InputStream follow = instance.consoleLog().follow()) {
      long read = 0;
      byte[] buffer = new byte[1 << 16];
      while (read < 5 * LIMIT) {
        int count = follow.read(buffer);
        assertTrue(count > 0);
        read += count;
        try (Stream<Path> files = Files.list(kept)) {
          long size = files.mapToLong(OciLogIT::size).sum();
          assertTrue(size <= LIMIT, () -> "the log has " + size + " bytes");
        }
      }
    }
    assertTrue(instance.exec("true").exitCode() == 0);
    instance.stop(Stop.FORCE);
    byte[] log = instance.consoleLog().bytes();
    assertTrue(log.length >= LIMIT / 2 && log.length <= LIMIT, () -> "it has " + log.length);
    assertTrue(text(log).contains("\nflood\nflood\n"));
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0; // it has just got its other name, and is counted there
    }
  }

  @Test
  void the_limit_is_that_of_raw_lxc_where_it_says_one() throws Exception {
    ImageInfo image =
        bring("limit", program("i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done"), base);
    Instance instance = create(image, java.util.Map.of("raw.lxc", "lxc.console.size = 4096"));
    runToItsEnd(instance);
    int size = instance.consoleLog().bytes().length;
    assertTrue(size >= 4096 && size <= 8192, () -> "it has " + size);
    assertTrue(log(instance).contains("\n4900\n"), () -> log(instance));
  }

  @Test
  void a_throwaway_is_followed_and_leaves_no_log() throws Exception {
    ImageInfo image = bring("throwaway", program("echo up; exec sleep 1000"), base);
    for (int i = 0; i < 4; i++) { // the later ones from containers that were started ahead
      Instance instance =
          BENCH
              .stapes()
              .instances()
              .launch(
                  InstanceSpec.container(BENCH.name(), image.fingerprint())
                      .lifetime(Lifetime.THROWAWAY)
                      .build());
      assertEquals("up\n", awaitLog(instance, "up\n"));
      assertFalse(Files.exists(kept(instance)));
      try (InputStream follow = instance.consoleLog().follow()) {
        instance.delete(Delete.FORCE);
        assertEquals("up\n", text(follow.readAllBytes()));
      }
    }
  }

  @Test
  void a_system_container_has_a_log_too() throws Exception {
    Instance box = BENCH.launch();
    box.exec("sh", "-c", "echo to the console >/dev/console").orThrow();
    awaitLog(box, "to the console\n");
    box.stop(Stop.FORCE);
    assertTrue(log(box).contains("to the console\n"));
  }
}
