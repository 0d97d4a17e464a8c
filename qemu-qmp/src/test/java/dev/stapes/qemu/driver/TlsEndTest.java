package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TlsEndTest {
  private static final List<String> NOTHING_LEFT = List.of("migrate-set-parameters", "qom-list");
  private static final String NONE = "[]";
  private static final String LEFT = "[{\"name\": \"moving-tls\", \"type\": \"child\"}]";

  @TempDir Path directory;

  private VmFiles files() throws IOException {
    VmFiles files = VmFiles.of(Specs.scope(directory, "tag"), Specs.ID);
    if (!Files.exists(files.directory())) {
      files.create();
    }
    return files;
  }

  private TlsEnd end(ScriptedQemu qemu) throws IOException {
    return new TlsEnd("instance vm", qemu.monitor(), files(), Syscalls.system());
  }

  private Path key() throws IOException {
    return files().directory().resolve("keys.psk");
  }

  @Test
  void a_key_is_told_to_nobody_by_accident() {
    PreSharedKey key = PreSharedKey.random();
    assertEquals("a key", key.toString());
    assertTrue(key.fileOf("me").matches("me:[0-9a-f]{64}\n"), "form");
    assertNotEquals(key.fileOf("me"), PreSharedKey.random().fileOf("me"));
  }

  @Test
  void who_is_connected_to_has_the_key_until_the_end() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("qom-list", NONE).answer("qom-list", LEFT);
      TlsEnd end = end(qemu);
      Files.writeString(key(), "of an earlier move");
      PreSharedKey key = PreSharedKey.random();
      end.begin(TlsEnd.Side.SERVER, key);
      assertEquals(key.fileOf("qemu"), Files.readString(key()));
      assertEquals(
          PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(key()));
      end.forget();
      assertFalse(Files.exists(key()));
      assertEquals(NOTHING_LEFT, qemu.heard().subList(0, 2));
      assertEquals(
          List.of(
              "object-add",
              "migrate-set-parameters",
              "migrate-set-parameters",
              "qom-list",
              "object-del"),
          qemu.heard().subList(2, 7));
    }
  }

  @Test
  void who_connects_reads_it_once() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("qom-list", NONE);
      end(qemu).begin(TlsEnd.Side.CLIENT, PreSharedKey.random());
      assertFalse(Files.exists(key()));
    }
  }

  private void failsToBegin(ScriptedQemu qemu, TlsEnd.Side side, Kind kind, String words)
      throws IOException {
    TlsEnd end = end(qemu);
    Specs.refused(kind, words, () -> end.begin(side, PreSharedKey.random()));
    assertFalse(Files.exists(key()));
  }

  @Test
  void an_emulator_that_cannot_encrypt_is_unsupported_and_keeps_no_key() throws Exception {
    for (String why :
        List.of(
            "TLS credentials support requires GNUTLS",
            "invalid object type: tls-creds-psk",
            "Parameter 'qom-type' does not accept value 'tls-creds-psk'")) {
      try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
        qemu.answer("qom-list", NONE).refuse("object-add", why);
        failsToBegin(qemu, TlsEnd.Side.CLIENT, Kind.UNSUPPORTED, "its QEMU cannot encrypt");
      }
    }
  }

  @Test
  void whatever_else_fails_is_told_as_it_is_and_leaves_nothing() throws Exception {
    for (TlsEnd.Side side : TlsEnd.Side.values()) {
      try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
        qemu.answer("qom-list", NONE).refuse("object-add", "Cannot load keys.psk");
        failsToBegin(qemu, side, Kind.INTERNAL, "Cannot load keys.psk");
      }
      try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
        qemu.answer("qom-list", LEFT).refuse("object-del", "in use");
        failsToBegin(qemu, side, Kind.INTERNAL, "in use");
      }
    }
  }

  @Test
  void a_key_that_cannot_be_removed_is_told_and_none_is_written() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("qom-list", NONE);
      Path inside = Files.createDirectories(key()).resolve("x");
      Files.writeString(inside, "by a captured emulator");
      TlsEnd end = end(qemu);
      StapesException e =
          assertThrows(
              StapesException.class, () -> end.begin(TlsEnd.Side.SERVER, PreSharedKey.random()));
      assertTrue(e.toString().contains("the key of its move cannot be removed"), e::toString);
      assertEquals(NOTHING_LEFT, qemu.heard());
    }
  }

  @Test
  @RequiresRoot
  void the_key_is_the_emulators_and_no_link_is_followed() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("qom-list", NONE);
      TlsEnd end = end(qemu);
      Files.setAttribute(files().directory(), "unix:uid", 4242);
      Path victim = Files.writeString(directory.resolve("victim"), "mine");
      Files.createSymbolicLink(key(), victim);
      end.begin(TlsEnd.Side.SERVER, PreSharedKey.random());
      assertEquals("mine", Files.readString(victim));
      assertFalse(Files.isSymbolicLink(key()));
      assertEquals(4242, Files.getAttribute(key(), "unix:uid"));
    }
  }
}
