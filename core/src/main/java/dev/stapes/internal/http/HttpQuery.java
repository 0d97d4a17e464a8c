package dev.stapes.internal.http;

import dev.stapes.model.StapesException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.Map;

/**
 * What is asked for.
 *
 * @param uri http or https
 * @param headers which every server on the way may see, redirects included; copied
 * @param credentials asked for each server that is met
 */
public record HttpQuery(URI uri, Map<String, String> headers, Credentials credentials) {
  /** Asks for what has another ETag. */
  public static final String IF_NONE_MATCH = "If-None-Match";

  /** Asks for what is newer. */
  public static final String IF_MODIFIED_SINCE = "If-Modified-Since";

  private static final int LAST_PORT = 65_535;

  /** Copies. */
  public HttpQuery {
    headers = Map.copyOf(headers);
  }

  /** Of anybody. */
  public static HttpQuery of(URI uri) {
    return new HttpQuery(uri, Map.of(), Credentials.NONE);
  }

  /** With one more header. */
  public HttpQuery with(String header, String value) {
    Map<String, String> more = new HashMap<>(headers);
    more.put(header, value);
    return new HttpQuery(uri, more, credentials);
  }

  /** Whether the answer may be that nothing has changed. */
  boolean isConditional() {
    return headers.containsKey(IF_NONE_MATCH) || headers.containsKey(IF_MODIFIED_SINCE);
  }

  /** Its address for a message, without what may be secret in it. */
  public String subject() {
    return HttpFailure.subject(uri);
  }

  /**
   * Reads an address.
   *
   * @throws StapesException INVALID where it is none of http or https
   */
  public static URI address(String text) {
    try {
      return address(new URI(text));
    } catch (URISyntaxException e) {
      throw StapesException.invalid("address", "is not one: " + e.getReason());
    }
  }

  /**
   * Checks an address.
   *
   * @throws StapesException INVALID where it is none of http or https
   */
  public static URI address(URI uri) {
    boolean plain = uri.getRawUserInfo() == null && uri.getRawFragment() == null;
    if (!isWeb(uri) || !plain) {
      throw StapesException.invalid(
          "address", "must be http:// or https:// with a host, no user, no fragment");
    }
    return uri;
  }

  /** Whether it can be asked at all. */
  static boolean isWeb(URI uri) {
    boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
    return web && uri.getHost() != null && uri.getPort() <= LAST_PORT && uri.getPort() != 0;
  }
}
