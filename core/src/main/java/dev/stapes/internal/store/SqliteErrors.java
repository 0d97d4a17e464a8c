package dev.stapes.internal.store;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;

/** What SQLite's result codes (sqlite.org/rescode.html) mean to the caller. */
final class SqliteErrors {
  private SqliteErrors() {}

  static StapesException of(String subject, String what, SQLException e) {
    // The low byte is the primary code; the rest says more of the same.
    SQLiteErrorCode code = SQLiteErrorCode.getErrorCode(e.getErrorCode() & 0xff);
    return switch (code) {
      case SQLITE_FULL ->
          new StapesException(Kind.EXHAUSTED, subject, what + ": the disk is full", e);
      case SQLITE_NOMEM ->
          new StapesException(Kind.EXHAUSTED, subject, what + ": out of memory", e);
      case SQLITE_CORRUPT, SQLITE_NOTADB ->
          unavailable(subject, what + ": damaged: " + e.getMessage(), e);
      case SQLITE_BUSY, SQLITE_LOCKED ->
          unavailable(subject, what + ": another process or another store of this one has it", e);
      case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH ->
          unavailable(
              subject, what + ": cannot be opened for reading and writing: " + e.getMessage(), e);
      case SQLITE_IOERR -> unavailable(subject, what + ": " + e.getMessage(), e);
      default -> new StapesException(Kind.INTERNAL, subject, what + ": " + e.getMessage(), e);
    };
  }

  static StapesException damaged(String subject, String problem) {
    return new StapesException(Kind.UNAVAILABLE, subject, "damaged: " + problem);
  }

  private static StapesException unavailable(String subject, String problem, SQLException e) {
    return new StapesException(Kind.UNAVAILABLE, subject, problem, e);
  }
}
