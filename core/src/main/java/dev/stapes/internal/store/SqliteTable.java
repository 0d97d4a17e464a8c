package dev.stapes.internal.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.stapes.model.StapesException;
import dev.stapes.spi.StateStore.Entry;
import java.nio.ByteBuffer;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.sqlite.SQLiteConnection;
import org.sqlite.core.DB;

/**
 * Entries in a SQLite database in WAL mode, through one connection.
 *
 * <p>Keys are blobs, so that SQLite compares their UTF-8 with memcmp. Each row has a CRC-32C over
 * all its columns: SQLite notices damage to the structure of pages, not to what is in them.
 */
final class SqliteTable implements Table {
  static final List<String> SCHEMA_OBJECTS =
      List.of(
          "CREATE TABLE entry (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL, created INTEGER"
              + " NOT NULL, modified INTEGER NOT NULL, lease INTEGER NOT NULL, checksum INTEGER NOT"
              + " NULL) WITHOUT ROWID",
          "CREATE INDEX leased ON entry (lease) WHERE lease > 0",
          "CREATE TABLE store (revision INTEGER NOT NULL, checksum INTEGER NOT NULL, synced INTEGER"
              + " NOT NULL)");

  /** What makes a new database. */
  static final List<String> SCHEMA = schema();

  private final String subject;
  private final SQLiteConnection connection;
  private final DB database;
  private final PreparedStatement get;
  private final PreparedStatement range;
  private final PreparedStatement leasedBy;
  private final PreparedStatement leased;
  private final PreparedStatement put;
  private final PreparedStatement remove;
  private final PreparedStatement advance;
  private final PreparedStatement mark;
  private long revision;
  private long synced;
  private boolean broken;

  /** Takes over a connection to a sound database. */
  SqliteTable(String subject, SQLiteConnection connection) throws SQLException {
    this.subject = subject;
    this.connection = connection;
    this.database = connection.getDatabase();
    String row = "SELECT key, value, created, modified, lease, checksum FROM entry ";
    get = connection.prepareStatement(row + "WHERE key = ?");
    range = connection.prepareStatement(row + "WHERE key >= ? AND key < ? ORDER BY key LIMIT ?");
    leasedBy = connection.prepareStatement("SELECT key FROM entry WHERE lease = ? AND lease > 0");
    leased = connection.prepareStatement("SELECT key FROM entry WHERE lease > 0");
    put = connection.prepareStatement("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?)");
    remove = connection.prepareStatement("DELETE FROM entry WHERE key = ?");
    advance = connection.prepareStatement("UPDATE store SET revision = ?, checksum = ?");
    // SQLite skips a write that changes nothing, and then has nothing to put on stable storage.
    mark = connection.prepareStatement("UPDATE store SET synced = synced + 1");
    revision = readRevision();
    synced = -1;
  }

  private long readRevision() throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement("SELECT revision, checksum FROM store");
        ResultSet result = statement.executeQuery()) {
      boolean sound = result.next() && result.getLong(2) == checksum(result.getLong(1));
      long read = sound ? result.getLong(1) : 0;
      if (!sound || result.next()) {
        throw SqliteErrors.damaged(subject, "its revision is not there or wrong");
      }
      return read;
    }
  }

  private static List<String> schema() {
    List<String> sql = new ArrayList<>(SCHEMA_OBJECTS);
    sql.add("INSERT INTO store VALUES (0, " + checksum(0) + ", 0)");
    return List.copyOf(sql);
  }

  @Override
  public long revision() {
    return revision;
  }

  @Override
  public Optional<Entry> get(String key) {
    return read(
        "key " + key + " not read",
        () -> {
          get.setBytes(1, key.getBytes(UTF_8));
          try (ResultSet result = get.executeQuery()) {
            return result.next() ? Optional.of(entry(result)) : Optional.empty();
          }
        });
  }

  @Override
  public List<Entry> range(String from, String to, int limit) {
    return read(
        "range not read",
        () -> {
          range.setBytes(1, from.getBytes(UTF_8));
          range.setBytes(2, to.getBytes(UTF_8));
          range.setInt(3, limit);
          List<Entry> entries = new ArrayList<>();
          try (ResultSet result = range.executeQuery()) {
            while (result.next()) {
              entries.add(entry(result));
            }
          }
          return entries;
        });
  }

  private Entry entry(ResultSet result) throws SQLException {
    byte[] key = result.getBytes(1);
    byte[] value = result.getBytes(2);
    long created = result.getLong(3);
    long modified = result.getLong(4);
    if (checksum(key, value, created, modified, result.getLong(5)) != result.getLong(6)) {
      throw SqliteErrors.damaged(
          subject, "the checksum of key \"" + new String(key, UTF_8) + "\" is wrong");
    }
    return new Entry(new String(key, UTF_8), new String(value, UTF_8), created, modified);
  }

  private static long checksum(long revision) {
    CRC32C sum = new CRC32C();
    sum.update(ByteBuffer.allocate(Long.BYTES).putLong(revision).flip());
    return sum.getValue();
  }

  private static long checksum(byte[] key, byte[] value, long created, long modified, long lease) {
    CRC32C sum = new CRC32C();
    sum.update(key);
    sum.update(
        ByteBuffer.allocate(3 * Long.BYTES)
            .putLong(created)
            .putLong(modified)
            .putLong(lease)
            .flip());
    sum.update(value);
    return sum.getValue();
  }

  @Override
  public List<String> leased(long lease) {
    return read(
        "keys of lease " + lease + " not read",
        () -> {
          leasedBy.setLong(1, lease);
          return keys(leasedBy);
        });
  }

  @Override
  public List<String> leased() {
    return read("keys with a lease not read", () -> keys(leased));
  }

  private static List<String> keys(PreparedStatement statement) throws SQLException {
    List<String> keys = new ArrayList<>();
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        keys.add(new String(result.getBytes(1), UTF_8));
      }
    }
    keys.sort(KeyRules.ORDER);
    return keys;
  }

  @Override
  public void apply(long revision, List<Write> writes) {
    transaction(
        "not committed",
        () -> {
          for (Write write : writes) {
            write(write);
          }
          advance.setLong(1, revision);
          advance.setLong(2, checksum(revision));
          advance.executeUpdate();
        });
    this.revision = revision;
  }

  private void write(Write write) throws SQLException {
    byte[] key = write.key().getBytes(UTF_8);
    Entry entry = write.entry();
    if (entry == null) {
      remove.setBytes(1, key);
      remove.executeUpdate();
      return;
    }
    byte[] value = entry.value().getBytes(UTF_8);
    put.setBytes(1, key);
    put.setBytes(2, value);
    put.setLong(3, entry.created());
    put.setLong(4, entry.modified());
    put.setLong(5, write.lease());
    put.setLong(6, checksum(key, value, entry.created(), entry.modified(), write.lease()));
    put.executeUpdate();
  }

  /**
   * {@inheritDoc}
   *
   * <p>Commits one more transaction, with synchronous=FULL: SQLite then calls fsync on the WAL,
   * which has all commits since the last checkpoint; those before were put on stable storage by it.
   * That is one fsync, where a checkpoint needs two and writes the pages again.
   */
  @Override
  public void sync() {
    if (synced == revision) {
      return;
    }
    transactionFree("PRAGMA synchronous = FULL");
    try {
      transaction("not synced", mark::executeUpdate);
    } finally {
      transactionFree("PRAGMA synchronous = NORMAL");
    }
    synced = revision;
  }

  private void transactionFree(String sql) {
    read("not synced", () -> database._exec(sql));
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw SqliteErrors.of(subject, "not closed", e);
    }
  }

  /** Lets go of the file without writing to it. */
  void abandon(Exception reason) {
    SqliteFile.abandon(connection, reason);
  }

  private void transaction(String what, Work work) {
    read(
        what,
        () -> {
          // Not Connection.setAutoCommit(false): the driver then keeps a transaction open between
          // two of ours, in which no pragma takes effect.
          database._exec("BEGIN IMMEDIATE");
          try {
            work.run();
            database._exec("COMMIT");
          } catch (SQLException | RuntimeException e) {
            rollback(e);
            throw e;
          }
          return revision;
        });
  }

  private void rollback(Exception reason) {
    try {
      database._exec("ROLLBACK");
    } catch (SQLException e) {
      // SQLite has rolled back by itself after some errors, such as a full disk. Then the next
      // transaction can begin, which is how to tell.
      try {
        database._exec("BEGIN");
        database._exec("ROLLBACK");
      } catch (SQLException stuck) {
        broken = true;
        stuck.addSuppressed(e);
        reason.addSuppressed(stuck);
      }
    }
  }

  private <T> T read(String what, Sql<T> work) {
    if (broken) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE,
          subject,
          what + ": a failed transaction could not be rolled back: open it again");
    }
    try {
      return work.run();
    } catch (SQLException e) {
      throw SqliteErrors.of(subject, what, e);
    }
  }

  private interface Work {
    void run() throws SQLException;
  }

  private interface Sql<T> {
    T run() throws SQLException;
  }
}
