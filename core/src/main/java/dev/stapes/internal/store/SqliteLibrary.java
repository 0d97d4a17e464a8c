package dev.stapes.internal.store;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sqlite.SQLiteJDBCLoader;

/**
 * Loads SQLite's native library so that no file of it stays. The driver copies it out of its jar to
 * the temporary directory and deletes the copy when the JVM ends, which one that is killed does not
 * do. A copy that is loaded needs its name no more.
 */
final class SqliteLibrary {
  private static final String PLACE = "org.sqlite.tmpdir";
  private static final String OWN_LIBRARY = "org.sqlite.lib.path";

  private static boolean loaded;

  private SqliteLibrary() {}

  /**
   * Loads it where it is not loaded yet. Where the program has said whence or whither, with the
   * properties of the driver, nothing else is done.
   *
   * @throws StapesException UNAVAILABLE where the machine has none or refuses it
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    try {
      if (System.getProperty(PLACE) != null || System.getProperty(OWN_LIBRARY) != null) {
        SQLiteJDBCLoader.initialize();
      } else {
        loadAndForget(Files.createTempDirectory("sqlite-"));
      }
    } catch (Exception e) { // which is what the driver declares
      throw new StapesException(Kind.UNAVAILABLE, "SQLite", "its library does not load: " + e, e);
    }
    loaded = true;
  }

  private static void loadAndForget(Path place) throws Exception {
    System.setProperty(PLACE, place.toString());
    try {
      SQLiteJDBCLoader.initialize();
    } finally {
      System.clearProperty(PLACE);
      remove(place);
    }
  }

  private static void remove(Path place) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(place)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(place);
  }
}
