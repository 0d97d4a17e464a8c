package dev.stapes.internal.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that is not a whole one of ours is refused, and left as it is, with all beside it. */
class SqliteDamageTest {
  /** The entries that there were at each revision of {@link #fill}. */
  private final Map<Long, List<Entry>> history = new HashMap<>();

  private final Path root;
  private final Path file;
  private final Path wal;

  SqliteDamageTest(@TempDir Path root) {
    this.root = root.resolve("state");
    this.file = this.root.resolve("state.db");
    this.wal = this.root.resolve("state.db-wal");
  }

  private StateStore open() {
    return new SqliteStateStoreProvider().open(root);
  }

  /** The files of a store that was closed, with some hundred entries in some dozen pages. */
  private byte[] closed() throws IOException {
    try (StateStore store = open()) {
      fill(store, 60);
    }
    return Files.readAllBytes(file);
  }

  /** The files of a store whose process was killed after some commits that are in the WAL alone. */
  private Map<String, byte[]> live(int commits) throws IOException {
    closed();
    try (StateStore store = open()) {
      fill(store, commits);
      return files();
    }
  }

  private void fill(StateStore store, int commits) {
    for (int i = 0; i < commits; i++) {
      Transaction.Builder builder = Transaction.begin();
      for (int k = 0; k < 3; k++) {
        builder.put("instance/" + (i * 7 + k * 31) % 97, ("{\"n\":" + i + "}").repeat(1 + i * 3));
      }
      builder.remove("instance/" + (i * 5) % 97);
      store.commit(builder.build());
      history.put(store.revision(), store.prefix(""));
    }
  }

  private Map<String, byte[]> files() throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (var paths = Files.list(root)) {
      for (Path path : paths.toList()) {
        byte[] bytes =
            Files.isRegularFile(path) ? Files.readAllBytes(path) : "not a file".getBytes(UTF_8);
        files.put(path.getFileName().toString(), bytes);
      }
    }
    return files;
  }

  private void write(Map<String, byte[]> files) throws IOException {
    for (Map.Entry<String, byte[]> each : files.entrySet()) {
      Files.write(root.resolve(each.getKey()), each.getValue());
    }
  }

  private static byte[] bytes(Map<String, byte[]> files, String name) {
    return Objects.requireNonNull(files.get(name), name);
  }

  private static Map<String, String> printable(Map<String, byte[]> files) {
    Map<String, String> printable = new TreeMap<>();
    files.forEach((name, bytes) -> printable.put(name, HexFormat.of().formatHex(bytes)));
    return printable;
  }

  /** Opening must fail, with the path and a reason, and change nothing. */
  private void isRefused(String reason) throws IOException {
    Map<String, String> before = printable(files());
    StapesException error = assertThrows(StapesException.class, this::open);
    assertEquals(Kind.UNAVAILABLE, error.kind(), error::toString);
    assertTrue(error.toString().contains(file.toString()), error::toString);
    assertTrue(error.toString().contains(reason), error::toString);
    assertEquals(before, printable(files()));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 50, 99, 5000})
  void garbage_is_refused(int length) throws IOException {
    Files.createDirectories(root);
    byte[] garbage = new byte[length];
    new Random(length).nextBytes(garbage);
    Files.write(file, garbage);
    isRefused("damaged or no SQLite database");
  }

  @Test
  void a_file_that_was_cut_is_refused() throws IOException {
    byte[] whole = closed();
    Random random = new Random(1);
    for (int i = 0; i < 40; i++) {
      int length =
          i < 20 ? random.nextInt(whole.length) : random.nextInt(whole.length / 4096) * 4096;
      Files.write(file, Arrays.copyOf(whole, length));
      isRefused("damaged");
    }
    Files.write(file, whole);
    open().close();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0x53716c69, damaged or no SQLite database",
    "60, 2, later version: its format is 2",
    "60, 0x7fffffff, later version",
    "60, 0, damaged",
    "60, -1, damaged",
    "68, 0, not a state store of Stapes",
    "68, 0x47504b47, application id is 0x47504b47",
    "16, 0x20000202, damaged",
    "16, 0x10000101, damaged",
    "20, 0x08402020, damaged",
    "44, 1, damaged",
    "52, 1, damaged",
    "56, 2, damaged",
    "80, 1, damaged",
    "28, 99999, damaged",
    "28, 2, damaged"
  })
  void a_header_that_is_not_ours_is_refused(int offset, String value, String reason)
      throws IOException {
    byte[] bytes = closed();
    ByteBuffer.wrap(bytes).putInt(offset, Long.decode(value).intValue());
    Files.write(file, bytes);
    isRefused(reason);
  }

  @Test
  void another_programs_database_is_refused() throws Exception {
    Files.createDirectories(root);
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE TABLE bookmarks (url TEXT)");
    }
    isRefused("not a state store of Stapes");
  }

  @Test
  void other_tables_than_ours_are_refused() throws Exception {
    closed();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate(
          "CREATE TRIGGER sly AFTER INSERT ON entry BEGIN DELETE FROM entry; END");
    }
    isRefused("other tables");
  }

  @Test
  void a_directory_is_refused() throws IOException {
    Files.createDirectories(file);
    isRefused("no regular file");
  }

  @Test
  void a_link_to_nowhere_is_refused() throws IOException {
    Files.createDirectories(root);
    Files.createSymbolicLink(file, Path.of("nowhere"));
    isRefused("no regular file");
  }

  @Test
  void a_root_that_is_a_file_is_refused() throws IOException {
    Files.writeString(root, "file");
    StapesException error = assertThrows(StapesException.class, this::open);
    assertEquals(Kind.UNAVAILABLE, error.kind());
    assertTrue(error.toString().contains(root.toString()));
    assertEquals("file", Files.readString(root));
  }

  @Test
  void a_rollback_journal_beside_it_is_refused() throws IOException {
    closed();
    Files.write(root.resolve("state.db-journal"), new byte[600]);
    isRefused("state.db-journal");
  }

  @Test
  void a_wal_whose_file_is_gone_is_refused() throws IOException {
    Map<String, byte[]> files = live(60);
    Files.delete(file);
    Files.write(wal, bytes(files, "state.db-wal"));
    isRefused("state.db-wal");
  }

  @Test
  void a_draft_that_a_killed_process_left_is_overwritten() throws IOException {
    Files.createDirectories(root);
    Files.writeString(root.resolve("state.db.new"), "half");
    Files.writeString(root.resolve("state.db.new-wal"), "half");
    open().close();
    assertEquals(List.of("state.db"), List.copyOf(files().keySet()));
  }

  @Test
  void a_flipped_bit_is_noticed_before_anything_wrong_is_told() throws IOException {
    byte[] whole = closed();
    Random random = new Random(2);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] bytes = whole.clone();
      // Half of them in the first page, which has the header and the schema.
      int at = random.nextInt(random.nextBoolean() ? 4096 : bytes.length);
      bytes[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, bytes);
      refused += staysTrue("bit at " + at) ? 0 : 1;
    }
    assertTrue(refused > 50, "only " + refused + " of 300 were noticed");
  }

  @Test
  void after_a_kill_all_is_there() throws IOException {
    Map<String, byte[]> files = live(60);
    write(files);
    assertTrue(bytes(files, "state.db-wal").length > 0);
    try (StateStore store = open()) {
      assertEquals(120, store.revision());
      assertEquals(history.get(120L), store.prefix(""));
    }
  }

  @Test
  void after_a_kill_a_flipped_bit_is_noticed_too_and_the_wal_is_kept() throws IOException {
    Map<String, byte[]> files = live(2);
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < 100; i++) {
      write(files);
      byte[] bytes = bytes(files, "state.db").clone();
      int at = random.nextInt(bytes.length);
      bytes[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, bytes);
      refused += staysTrue("bit at " + at) ? 0 : 1;
    }
    assertTrue(refused > 5, "only " + refused + " of 100 were noticed");
  }

  @Test
  void a_wal_that_is_cut_or_damaged_gives_a_state_that_there_was() throws IOException {
    Map<String, byte[]> files = live(60);
    Random random = new Random(4);
    byte[] whole = bytes(files, "state.db-wal");
    for (int i = 0; i < 60; i++) {
      write(files);
      byte[] bytes = Arrays.copyOf(whole, i < 30 ? random.nextInt(whole.length) : whole.length);
      if (i >= 30) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(wal, bytes);
      assertTrue(staysTrue("WAL " + i));
    }
  }

  /**
   * Whatever was done to the files: what the store tells, there was once. True: it tells all;
   * false: it says that it is damaged.
   */
  private boolean staysTrue(String what) throws IOException {
    Map<String, String> before = printable(files());
    StateStore store;
    try {
      store = open();
    } catch (StapesException e) {
      assertEquals(Kind.UNAVAILABLE, e.kind(), () -> what + ": " + e);
      assertEquals(before, printable(files()), what);
      return false;
    }
    try (store) {
      assertEquals(history.get(store.revision()), store.prefix(""), what);
      return true;
    } catch (StapesException e) {
      assertEquals(Kind.UNAVAILABLE, e.kind(), () -> what + ": " + e);
      return false;
    }
  }
}
