package dev.stapes.internal.http;

import dev.stapes.model.StapesException.Kind;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.Set;

/** Where answers lead. */
final class Redirects {
  private static final Set<Integer> STATUSES = Set.of(301, 302, 303, 307, 308);

  private Redirects() {}

  /** Another address to ask; empty where this was the answer. */
  static Optional<URI> of(HttpResponse<?> response) throws HttpFailure {
    if (!STATUSES.contains(response.statusCode())) {
      return Optional.empty();
    }
    URI next;
    try {
      String location = response.headers().firstValue("Location").orElse("");
      next = response.uri().resolve(location);
      if (location.isEmpty() || !HttpQuery.isWeb(next)) {
        throw nowhere();
      }
    } catch (IllegalArgumentException e) {
      throw nowhere();
    }
    if ("https".equals(response.uri().getScheme()) && !"https".equals(next.getScheme())) {
      throw HttpFailure.lasting(
          Kind.DENIED, "the server redirects from https to " + HttpFailure.subject(next));
    }
    return Optional.of(next);
  }

  private static HttpFailure nowhere() {
    return HttpFailure.lasting(Kind.UNAVAILABLE, "the server redirects to what is no address");
  }
}
