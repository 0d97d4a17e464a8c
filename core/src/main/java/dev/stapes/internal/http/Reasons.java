package dev.stapes.internal.http;

import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/** Why the client has failed, in words, found among the causes. */
final class Reasons {
  private Reasons() {}

  /** A failure of the request; throws what is none but one of where the answer was to go. */
  static HttpFailure of(Throwable thrown) throws IOException {
    IOException first = null;
    for (Throwable e = thrown; e != null; e = e.getCause()) {
      if (e instanceof Sink.TooLong) {
        return HttpFailure.lasting(Kind.INVALID, String.valueOf(e.getMessage()));
      }
      if (e instanceof Sink.Unwritable unwritable) {
        throw unwritable.reason();
      }
      if (e instanceof SSLHandshakeException) {
        return HttpFailure.lasting(Kind.UNAVAILABLE, "no secure connection: " + e.getMessage());
      }
      if (e instanceof UnresolvedAddressException || e instanceof UnknownHostException) {
        return HttpFailure.passing("its host name has no address", thrown);
      }
      if (first == null && e instanceof IOException io) {
        first = io;
      }
    }
    if (first == null) {
      throw new IllegalStateException("the HTTP client failed: " + thrown, thrown);
    }
    return HttpFailure.passing("the connection failed: " + words(first), thrown);
  }

  private static String words(IOException e) {
    String name = e.getClass().getSimpleName();
    for (@Nullable Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause.getMessage() != null) {
        return name + ": " + cause.getMessage();
      }
    }
    return name;
  }
}
