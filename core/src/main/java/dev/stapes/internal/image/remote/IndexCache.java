package dev.stapes.internal.image.remote;

import dev.stapes.internal.http.Answer;
import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks for documents that change now and then, and keeps them: the next time the server is only
 * asked whether they have changed. What cannot be asked is not taken from what was kept.
 */
public final class IndexCache {
  private static final Logger LOG = LoggerFactory.getLogger(IndexCache.class);

  private final HttpSession session;
  private final Optional<Path> directory;

  /**
   * Nothing is asked yet.
   *
   * @param directory to keep documents in; without one none are kept
   */
  public IndexCache(HttpSession session, Optional<Path> directory) {
    this.session = session;
    this.directory = directory;
  }

  /**
   * A document as it is now.
   *
   * @param most bytes that it may have
   * @param reader fails where it is no good: then it is not kept
   */
  public <T> T get(HttpQuery query, int most, Function<byte[], T> reader) {
    Optional<KeptDocument> kept = kept(query.uri(), most);
    if (kept.isPresent()) {
      Answer answer = session.get(kept.get().condition(query), most);
      if (answer.isNotModified()) {
        return reader.apply(kept.get().body());
      }
      return take(query.uri(), answer, reader);
    }
    return take(query.uri(), session.get(query, most), reader);
  }

  private <T> T take(URI uri, Answer answer, Function<byte[], T> reader) {
    T document = reader.apply(answer.body());
    Optional<KeptDocument> kept = KeptDocument.of(uri, answer);
    if (directory.isPresent() && kept.isPresent()) {
      try {
        kept.get().write(directory.get());
      } catch (IOException e) {
        LOG.warn("{} is not kept: {}", uri.getHost(), e.getMessage());
      }
    }
    return document;
  }

  private Optional<KeptDocument> kept(URI uri, int most) {
    return directory
        .flatMap(path -> KeptDocument.read(path, uri))
        .filter(document -> document.body().length <= most);
  }
}
