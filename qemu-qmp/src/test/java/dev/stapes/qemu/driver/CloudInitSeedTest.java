package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CloudInitSeedTest {
  @TempDir Path directory;

  private static SortedMap<String, String> files(String... config) {
    return CloudInitSeed.of(Specs.of(config)).orElseThrow().files();
  }

  private static String instanceId(String... config) {
    return files(config).getOrDefault("meta-data", "").split("\n", -1)[0];
  }

  @Test
  void an_instance_without_keys_has_none() {
    assertEquals(Optional.empty(), CloudInitSeed.of(Specs.of("user.other", "x")));
  }

  @Test
  void what_is_not_set_is_nothing_to_do_and_no_network() {
    SortedMap<String, String> files = files("cloud-init.user-data", "#cloud-config\na: b\n");
    assertEquals(List.of("meta-data", "user-data", "vendor-data"), List.copyOf(files.keySet()));
    assertEquals("#cloud-config\na: b\n", files.get("user-data"));
    assertEquals("#cloud-config\n{}\n", files.get("vendor-data"));
    assertEquals(
        "#cloud-config\n{}\n", files("cloud-init.network-config", "version: 2").get("user-data"));
  }

  @Test
  void each_key_is_a_file() {
    SortedMap<String, String> files =
        files(
            "cloud-init.user-data", "u",
            "cloud-init.vendor-data", "v",
            "cloud-init.network-config", "n");
    assertEquals("u", files.get("user-data"));
    assertEquals("v", files.get("vendor-data"));
    assertEquals("n", files.get("network-config"));
  }

  @Test
  void the_keys_of_before_hold_where_those_of_now_are_not_set() {
    SortedMap<String, String> files =
        files(
            "cloud-init.user-data", "new",
            "user.user-data", "old",
            "user.vendor-data", "v",
            "user.network-config", "n");
    assertEquals("new", files.get("user-data"));
    assertEquals("v", files.get("vendor-data"));
    assertEquals("n", files.get("network-config"));
    assertEquals("old", files("user.user-data", "old").get("user-data"));
  }

  @Test
  void the_data_about_the_instance_has_its_name_and_what_the_user_adds() {
    String text = files("user.meta-data", "public-keys: [x]").getOrDefault("meta-data", "");
    String[] lines = text.split("\n", -1);
    assertTrue(lines[0].matches("instance-id: \"abcd1234-[0-9a-f]{16}\""), text);
    assertEquals("local-hostname: \"vm\"", lines[1]);
    assertEquals("public-keys: [x]", lines[2]);
  }

  @Test
  void another_content_is_another_instance() {
    String id = instanceId("cloud-init.user-data", "a");
    assertEquals(id, instanceId("cloud-init.user-data", "a"));
    assertEquals(id, instanceId("user.user-data", "a"), "said by the other key");
    assertNotEquals(id, instanceId("cloud-init.user-data", "b"));
    assertNotEquals(id, instanceId("cloud-init.user-data", "a", "user.meta-data", "c: d"));
    assertNotEquals(id, instanceId("cloud-init.vendor-data", "a"));
  }

  @Test
  void it_is_written_for_nobody_else_and_over_nothing() throws IOException {
    CloudInitSeed seed = CloudInitSeed.of(Specs.of("user.user-data", "\u00e4")).orElseThrow();
    Path file = seed.write(directory);
    assertArrayEquals(seed.image(), Files.readAllBytes(file));
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    assertThrows(FileAlreadyExistsException.class, () -> seed.write(directory));
    Files.delete(file);
    Files.createSymbolicLink(file, directory.resolve("other"));
    assertThrows(FileAlreadyExistsException.class, () -> seed.write(directory));
    assertFalse(Files.exists(directory.resolve("other")));
  }
}
