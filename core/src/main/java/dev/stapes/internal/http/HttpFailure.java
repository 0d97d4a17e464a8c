package dev.stapes.internal.http;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Why a request has failed, and whether it may succeed the next time. */
final class HttpFailure extends Exception {
  private static final long serialVersionUID = 1;

  static final int OK = 200;
  static final int PARTIAL = 206;
  static final int NOT_MODIFIED = 304;
  static final int UNAUTHORIZED = 401;
  static final int FORBIDDEN = 403;
  static final int NOT_FOUND = 404;
  static final int TIMED_OUT = 408;
  static final int GONE = 410;
  static final int RANGE = 416;
  static final int TOO_MANY = 429;
  static final int SERVER = 500;

  private final Kind kind;
  private final boolean passing;
  private final transient Optional<Duration> after;

  private HttpFailure(
      Kind kind,
      String reason,
      boolean passing,
      Optional<Duration> after,
      @Nullable Throwable cause) {
    super(reason, cause);
    this.kind = kind;
    this.passing = passing;
    this.after = after;
  }

  /** It will fail the next time, too. */
  static HttpFailure lasting(Kind kind, String reason) {
    return new HttpFailure(kind, reason, false, Optional.empty(), null);
  }

  /** The connection did not come about, or broke. */
  static HttpFailure passing(String reason, @Nullable Throwable cause) {
    return new HttpFailure(Kind.UNAVAILABLE, reason, true, Optional.empty(), cause);
  }

  /**
   * A status that is none of success.
   *
   * @param after how long the server asks to wait
   */
  static HttpFailure status(int status, Optional<Duration> after) {
    String wait = after.map(length -> " and asks to wait " + length.toSeconds() + " s").orElse("");
    String reason = "the server answers " + status + wait;
    if (status == TOO_MANY || status == TIMED_OUT || status >= SERVER) {
      return new HttpFailure(Kind.UNAVAILABLE, reason, true, after, null);
    }
    return switch (status) {
      case UNAUTHORIZED, FORBIDDEN -> lasting(Kind.DENIED, reason);
      case NOT_FOUND, GONE -> lasting(Kind.NOT_FOUND, reason);
      default -> lasting(Kind.UNAVAILABLE, reason);
    };
  }

  boolean isPassing() {
    return passing;
  }

  /** How long the server asks to wait. */
  Optional<Duration> after() {
    return after;
  }

  /** For the caller. */
  StapesException of(URI uri, int attempts) {
    String often = attempts > 1 ? ", tried " + attempts + " times" : "";
    return new StapesException(kind, subject(uri), getMessage() + often, this);
  }

  /** Names an address, without what may be secret in it. */
  static String subject(URI uri) {
    String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
    return uri.getScheme() + "://" + uri.getHost() + port + uri.getRawPath();
  }
}
