package dev.stapes.internal.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.sqlite.SQLiteConnection;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * Makes and opens the file of a SQLite state store. What it cannot use it leaves as it is, byte for
 * byte, with all files beside it.
 *
 * <p>The header is compared before SQLite sees the file, because SQLite would mend what it takes
 * for its own; the format is described at sqlite.org/fileformat2.html.
 */
final class SqliteFile {
  static final String NAME = "state.db";

  /** What tells our files from other SQLite databases: "STAP". */
  static final int APPLICATION_ID = 0x53544150;

  /** Grows with every change of the tables. */
  static final int FORMAT = 1;

  private static final int PAGE = 4096;
  private static final int HEADER = 100;
  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(ISO_8859_1);

  private SqliteFile() {}

  static String subject(Path file) {
    return "state store " + file;
  }

  /**
   * Opens that of a root directory, making both where they do not exist.
   *
   * @param root absolute
   * @throws StapesException UNAVAILABLE with the reason
   */
  static SqliteTable open(Path root) {
    SqliteLibrary.load();
    Path file = root.resolve(NAME);
    // An interrupted thread cannot read a file through a channel, and opening is short.
    boolean interrupted = Thread.interrupted();
    try {
      if (Files.notExists(file, LinkOption.NOFOLLOW_LINKS)) {
        create(root, file);
      }
      check(file);
      return connectAndCheck(file);
    } catch (IOException e) {
      throw new StapesException(Kind.UNAVAILABLE, subject(file), "not opened: " + e, e);
    } catch (SQLException e) {
      throw SqliteErrors.of(subject(file), "not opened", e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Makes it under another name first: a file of the right name is always a whole one. */
  private static void create(Path root, Path file) throws IOException, SQLException {
    refuse(file, "-wal");
    Files.createDirectories(root);
    Path draft = beside(file, ".new");
    for (String suffix : new String[] {"-wal", "-journal", ""}) {
      Files.deleteIfExists(beside(draft, suffix));
    }
    // What instances are configured with is nobody else's business.
    Files.createFile(
        draft, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try (SQLiteConnection connection = connect(draft);
        Statement statement = connection.createStatement()) {
      // It has no name yet under which it could be found damaged; one fsync at the end is enough.
      statement.executeUpdate("PRAGMA synchronous = OFF");
      statement.executeUpdate("PRAGMA page_size = " + PAGE);
      statement.executeUpdate("BEGIN");
      statement.executeUpdate("PRAGMA application_id = " + APPLICATION_ID);
      statement.executeUpdate("PRAGMA user_version = " + FORMAT);
      for (String sql : SqliteTable.SCHEMA) {
        statement.executeUpdate(sql);
      }
      statement.executeUpdate("COMMIT");
      statement.execute("PRAGMA journal_mode = WAL");
    }
    force(draft);
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    force(root);
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void check(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw unavailable(file, "is no regular file");
    }
    if (!Files.isReadable(file) || !Files.isWritable(file)) {
      throw unavailable(file, "cannot be read and written by this process");
    }
    // SQLite would roll it back into the file. Our files never have one.
    refuse(file, "-journal");
    checkHeader(file);
  }

  private static void refuse(Path file, String suffix) {
    Path foreign = beside(file, suffix);
    if (Files.exists(foreign, LinkOption.NOFOLLOW_LINKS)) {
      throw unavailable(file, "beside it is " + foreign.getFileName() + ", which is not its own");
    }
  }

  private static void checkHeader(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(HEADER);
    }
    ByteBuffer header = ByteBuffer.wrap(bytes);
    if (bytes.length < HEADER || !startsWithMagic(bytes)) {
      throw unavailable(file, "is damaged or no SQLite database");
    }
    int application = header.getInt(68);
    if (application != APPLICATION_ID) {
      throw unavailable(
          file,
          "is not a state store of Stapes: its application id is 0x"
              + Integer.toHexString(application)
              + ", not 0x"
              + Integer.toHexString(APPLICATION_ID));
    }
    int format = header.getInt(60);
    if (format > FORMAT) {
      throw unavailable(
          file,
          "was written by a later version: its format is "
              + format
              + ", this version knows up to "
              + FORMAT);
    }
    // The rest of the header that never changes: the size of pages, the WAL mode, the payload
    // fractions, the schema format, the encoding, and the zeros of what is not used.
    boolean sound =
        format == FORMAT
            && header.getShort(16) == PAGE
            && header.getInt(18) == 0x02020040
            && header.getShort(22) == 0x2020
            && header.getInt(44) == 4
            && header.getInt(52) == 0
            && header.getInt(56) == 1
            && header.getInt(64) == 0;
    for (int i = 72; i < 92; i++) {
      sound &= bytes[i] == 0;
    }
    if (!sound) {
      throw unavailable(file, "is damaged: its header is not what this version writes");
    }
  }

  private static boolean startsWithMagic(byte[] bytes) {
    return ByteBuffer.wrap(bytes, 0, MAGIC.length).equals(ByteBuffer.wrap(MAGIC));
  }

  private static SqliteTable connectAndCheck(Path file) throws SQLException {
    SQLiteConnection connection = connect(file);
    try (Statement statement = connection.createStatement()) {
      // Before the first access, so that the index of the WAL is on the heap: without a mapped
      // file a full disk or a file that another program cuts cannot become a SIGBUS. It also keeps
      // other processes out.
      statement.execute("PRAGMA locking_mode = EXCLUSIVE");
      statement.execute("PRAGMA synchronous = NORMAL");
      statement.execute("PRAGMA journal_size_limit = 8388608");
      statement.execute("PRAGMA trusted_schema = OFF");
      checkPages(file, statement);
      checkSchema(file, statement);
      // A file that can only be read says so here.
      statement.executeUpdate("BEGIN IMMEDIATE");
      statement.executeUpdate("ROLLBACK");
      return new SqliteTable(subject(file), connection);
    } catch (SQLException | RuntimeException e) {
      abandon(connection, e);
      throw e;
    }
  }

  /** Its cost grows with the file: 1 ms per MB. */
  private static void checkPages(Path file, Statement statement) throws SQLException {
    try (ResultSet result = statement.executeQuery("PRAGMA quick_check(1)")) {
      String answer = result.next() ? String.valueOf(result.getString(1)) : "no answer";
      if (!answer.equals("ok")) {
        throw unavailable(file, "is damaged: " + answer.replace('\n', ' '));
      }
    }
  }

  private static void checkSchema(Path file, Statement statement) throws SQLException {
    StringBuilder found = new StringBuilder();
    try (ResultSet result =
        statement.executeQuery("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY rowid")) {
      while (result.next()) {
        found.append(result.getString(1)).append('\n');
      }
    }
    if (!found.toString().equals(String.join("\n", SqliteTable.SCHEMA_OBJECTS) + "\n")) {
      throw unavailable(file, "is damaged: it has other tables than this version makes");
    }
  }

  /**
   * Lets go of a file without writing to it. A connection that is closed would move its WAL into
   * the file; one that was interrupted (sqlite3_interrupt) gives that up and leaves both.
   */
  static void abandon(SQLiteConnection connection, Exception reason) {
    try {
      connection.getDatabase().interrupt();
      connection.close();
    } catch (SQLException e) {
      reason.addSuppressed(e);
    }
  }

  private static SQLiteConnection connect(Path file) throws SQLException {
    try {
      // A URI, because the driver takes a question mark in a plain name for the begin of options.
      // Not through DriverManager, which hides drivers from other class loaders.
      String uri = file.toUri().toASCIIString();
      Properties options = new Properties();
      options.setProperty("busy_timeout", "0");
      return new JDBC4Connection("jdbc:sqlite:" + uri, uri, options);
    } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
      throw unavailable(file, "cannot be read without SQLite's native library: " + e.getMessage());
    }
  }

  private static Path beside(Path file, String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  private static StapesException unavailable(Path file, String problem) {
    return new StapesException(Kind.UNAVAILABLE, subject(file), problem);
  }
}
