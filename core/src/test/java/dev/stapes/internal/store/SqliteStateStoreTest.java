package dev.stapes.internal.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Transaction;
import dev.stapes.spi.StateStoreProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only the file of a SQLite store does; the rest is its contract, in testkit. */
class SqliteStateStoreTest {
  private final Path root;

  SqliteStateStoreTest(@TempDir Path root) {
    this.root = root;
  }

  private static StateStore open(Path root) {
    return new SqliteStateStoreProvider().open(root);
  }

  @Test
  void it_is_found_by_name() {
    assertEquals(
        SqliteStateStoreProvider.class,
        ServiceLoader.load(StateStoreProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(provider -> provider.name().equals("sqlite"))
            .findFirst()
            .orElseThrow()
            .getClass());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"plain", "with space", "what?", "a#b", "100%41", "ü😀", "deep/er", "mode=memory"})
  void any_directory_can_be_its_root(String name) {
    Path directory = root.resolve(name);
    try (StateStore store = open(directory)) {
      store.commit(Transaction.begin().put("a", "1").build());
    }
    assertTrue(Files.isRegularFile(directory.resolve("state.db")));
    try (StateStore store = open(directory)) {
      assertEquals(Optional.of("1"), store.get("a").map(StateStore.Entry::value));
    }
  }

  @Test
  void only_its_owner_can_read_it() throws IOException {
    try (StateStore store = open(root)) {
      store.commit(Transaction.begin().put("secret", "1").build());
      for (String name : new String[] {"state.db", "state.db-wal"}) {
        assertEquals(
            "rw-------",
            PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve(name))));
      }
    }
  }

  @Test
  void closed_it_is_one_file() throws IOException {
    try (StateStore store = open(root)) {
      store.commit(Transaction.begin().put("a", "1").build());
      assertFalse(Files.exists(root.resolve("state.db-shm")), "no mapped file");
    }
    try (var files = Files.list(root)) {
      assertEquals("[state.db]", files.map(Path::getFileName).toList().toString());
    }
  }

  @Test
  void a_second_opening_is_refused_at_once_and_harms_nothing() {
    try (StateStore store = open(root)) {
      store.commit(Transaction.begin().put("a", "1").build());
      StapesException error = assertThrows(StapesException.class, () -> open(root));
      assertEquals(Kind.UNAVAILABLE, error.kind());
      assertTrue(error.toString().contains("another process or another store"), error.toString());
      assertTrue(error.toString().contains(root.resolve("state.db").toString()));
      store.commit(Transaction.begin().put("a", "2").build());
    }
    try (StateStore store = open(root)) {
      assertEquals(Optional.of("2"), store.get("a").map(StateStore.Entry::value));
    }
  }

  @Test
  void an_interrupted_thread_can_open_it_and_stays_interrupted() {
    Thread.currentThread().interrupt();
    try (StateStore store = open(root)) {
      assertTrue(Thread.interrupted());
      assertEquals(0, store.revision());
    }
  }
}
