package dev.stapes.internal.image.simplestreams;

import dev.stapes.internal.http.HttpQuery;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** The places where the same files are. The one that has answered last is asked first. */
final class Addresses {
  private static final int LONGEST_PATH = 1_024;
  private static final Set<String> LEADING_ELSEWHERE = Set.of("", ".", "..");

  private final List<URI> bases;
  private int current;

  /** In the order in which they are asked. */
  Addresses(List<URI> bases) {
    this.bases = bases;
  }

  /**
   * Checks an address of a server.
   *
   * @return it with a slash at its end
   * @throws StapesException INVALID
   */
  static URI base(URI address) {
    HttpQuery.address(address);
    if (address.getRawQuery() != null) {
      throw StapesException.invalid("address", "must have no query: it is that of a directory");
    }
    String text = address.toString();
    return text.endsWith("/") ? address : URI.create(text + "/");
  }

  /** Asks one after the other, as long as they are UNAVAILABLE. */
  <T> T ask(String path, Function<HttpQuery, T> question) {
    List<StapesException> failures = new ArrayList<>();
    for (int i = 0; i < bases.size(); i++) {
      int at = (current + i) % bases.size();
      try {
        T answer = question.apply(HttpQuery.of(resolve(bases.get(at), path)));
        current = at;
        return answer;
      } catch (StapesException e) {
        if (e.kind() != Kind.UNAVAILABLE || bases.size() == 1) {
          throw e;
        }
        failures.add(e);
      }
    }
    StapesException none =
        new StapesException(
            Kind.UNAVAILABLE,
            "image server",
            "none of "
                + bases.size()
                + " addresses has "
                + path
                + ": "
                + failures.get(0).getMessage());
    failures.forEach(none::addSuppressed);
    throw none;
  }

  /**
   * A file below an address.
   *
   * @throws StapesException INVALID where it would be elsewhere
   */
  static URI resolve(URI base, String path) {
    boolean elsewhere =
        path.length() > LONGEST_PATH
            || path.chars().anyMatch(c -> c <= ' ' || c == '\\' || Character.isISOControl(c))
            || Arrays.stream(path.split("/", -1)).anyMatch(LEADING_ELSEWHERE::contains);
    if (elsewhere) {
      throw StapesException.invalid(
          "image server " + HttpQuery.of(base).subject(),
          "names a file whose path does not lead below it, or is too long");
    }
    try {
      // This constructor quotes whatever has a meaning elsewhere in an address, and percent signs.
      String quoted = new URI(null, null, "/" + path, null).toASCIIString();
      return URI.create(base + quoted.substring(1));
    } catch (URISyntaxException e) {
      throw StapesException.invalid(
          "image server " + HttpQuery.of(base).subject(),
          "names a file whose path is none: " + e.getReason());
    }
  }
}
