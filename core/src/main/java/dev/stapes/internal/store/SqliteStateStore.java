package dev.stapes.internal.store;

import java.nio.file.Path;
import java.time.InstantSource;

/** A state store in a SQLite file. */
final class SqliteStateStore extends LocalStateStore {
  private SqliteStateStore(Path file, Table table, InstantSource clock) {
    super(SqliteFile.subject(file), table, clock);
  }

  static SqliteStateStore open(Path root, InstantSource clock) {
    Path absolute = root.toAbsolutePath();
    Path file = absolute.resolve(SqliteFile.NAME);
    SqliteTable table = SqliteFile.open(absolute);
    try {
      return new SqliteStateStore(file, table, clock);
    } catch (RuntimeException e) {
      table.abandon(e);
      throw e;
    }
  }
}
