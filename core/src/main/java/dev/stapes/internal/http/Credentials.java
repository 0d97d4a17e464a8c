package dev.stapes.internal.http;

import java.net.URI;
import java.util.Map;
import java.util.Optional;

/** What a server wants to know of who asks. */
public interface Credentials {
  /** Of nobody. */
  Credentials NONE =
      new Credentials() {
        @Override
        public Optional<String> authorization(URI uri) {
          return Optional.empty();
        }

        @Override
        public boolean answer(URI uri, String challenge) {
          return false;
        }
      };

  /** The value of the header {@code Authorization} of a request, empty for none. */
  Optional<String> authorization(URI uri);

  /** Further headers of a request. */
  default Map<String, String> headers(URI uri) {
    return Map.of();
  }

  /**
   * A request was answered by 401.
   *
   * @param challenge the header {@code WWW-Authenticate}
   * @return whether it is worth another try
   */
  boolean answer(URI uri, String challenge);
}
