package dev.stapes.internal.image.remote;

import dev.stapes.internal.http.Expected;
import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.internal.image.DiskError;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.Set;

/**
 * Brings files. What has come of one whose SHA-256 is known is kept under that name in the cache,
 * also where the JVM is killed: whoever wants the file next goes on from there, from whichever
 * server. One thread at a time brings it, others wait.
 */
public final class DownloadCache {
  /** No file of an image has more bytes. */
  public static final long MOST = Size.ofGibibytes(64).bytes();

  private static final String PART = ".part";
  private static final Set<Path> TAKEN = new HashSet<>();

  private final HttpSession session;
  private final ImageSource.Context context;

  /** Into the work directory of an import. */
  public DownloadCache(HttpSession session, ImageSource.Context context) {
    this.session = session;
    this.context = context;
  }

  /**
   * Brings a file.
   *
   * @param name that it gets in the work directory
   * @return where it is; its size and SHA-256 are right where they are known
   */
  public Path bring(HttpQuery query, Expected expected, String name) {
    Path target = context.work().resolve(name);
    try {
      if (expected.sha256().isEmpty()) {
        session.download(query, target, expected, context.progress());
        return target;
      }
      Path part = context.cache().toRealPath().resolve(expected.sha256().get() + PART);
      try (Turn turn = Turn.take(part, query)) {
        complete(query, part, expected);
        return Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw DiskError.of("image download " + query.subject(), "cannot be written", e);
    }
  }

  private void complete(HttpQuery query, Path part, Expected expected) throws IOException {
    boolean written = false;
    try {
      session.download(query, part, expected, context.progress());
      written = true;
    } catch (StapesException e) {
      written = Files.size(part) > 0;
      throw e;
    } finally {
      if (!written) { // nothing has come, or there is no space: then it must not take any
        Files.deleteIfExists(part);
      }
    }
  }

  /** Who brings a file. */
  private record Turn(Path part) implements AutoCloseable {
    static Turn take(Path part, HttpQuery query) {
      synchronized (TAKEN) {
        try {
          while (!TAKEN.add(part)) {
            TAKEN.wait();
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new StapesException(
              StapesException.Kind.INTERRUPTED,
              query.subject(),
              "interrupted while another import brings it",
              e);
        }
      }
      return new Turn(part);
    }

    @Override
    public void close() {
      synchronized (TAKEN) {
        TAKEN.remove(part);
        TAKEN.notifyAll();
      }
    }
  }
}
