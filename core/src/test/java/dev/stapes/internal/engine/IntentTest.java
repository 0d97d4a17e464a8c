package dev.stapes.internal.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.stapes.model.InstanceType;
import dev.stapes.model.Lifetime;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class IntentTest {
  private static final Json<Intent> JSON = Json.of(Intent.class);

  private static InstanceRecord record() {
    return new InstanceRecord(
        "abcd1234",
        "vm",
        InstanceType.VIRTUAL_MACHINE,
        "",
        Lifetime.DURABLE,
        null,
        null,
        "default",
        "abcd1234-x",
        new TreeMap<>(Map.of("limits.cpu", "2")),
        new TreeMap<>(Map.of("eth0", new TreeMap<>(Map.of("type", "nic")))),
        "2026-01-01T00:00:00Z",
        null);
  }

  @Test
  void a_change_is_written_with_all_that_it_was_to_make() {
    Intent read = JSON.read("x", JSON.write(Intent.changeTo(record())));
    assertEquals(record(), read.attempted());
    assertNull(read.frozen());
  }

  @Test
  void a_creation_and_a_removal_of_a_pool_say_what_it_is() {
    PoolRecord pool = new PoolRecord("p", "zfs", new TreeMap<>(Map.of("source", "/dev/sdx")));
    Intent creation = JSON.read("x", JSON.write(Intent.creationOf(pool)));
    assertEquals(pool, creation.made());
    assertNull(creation.removed());
    Intent removal = JSON.read("x", JSON.write(Intent.removalOf(pool)));
    assertEquals(pool, removal.removed());
    assertNull(removal.made());
  }

  @Test
  void one_of_an_older_version_attempts_nothing() {
    String text = "{\"action\":\"a\",\"subject\":\"s\",\"volumes\":[],\"pool\":\"\"}";
    Intent read = JSON.read("x", text);
    assertNull(read.attempted());
    assertNull(read.loaded());
    assertNull(read.removed());
    assertNull(read.made());
  }
}
