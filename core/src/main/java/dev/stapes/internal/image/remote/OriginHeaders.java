package dev.stapes.internal.image.remote;

import dev.stapes.internal.http.Credentials;
import dev.stapes.model.ImageUrl;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Headers that nobody but the server of one address may see. */
record OriginHeaders(URI origin, Map<String, String> headers) implements Credentials {
  private static final int HTTP = 80;
  private static final int HTTPS = 443;

  /** Those of an image. */
  static OriginHeaders of(ImageUrl url) {
    return new OriginHeaders(url.archive(), url.headers());
  }

  @Override
  public Optional<String> authorization(URI uri) {
    return Optional.empty();
  }

  @Override
  public Map<String, String> headers(URI uri) {
    return name(uri).equals(name(origin)) ? headers : Map.of();
  }

  @Override
  public boolean answer(URI uri, String challenge) {
    return false;
  }

  private static String name(URI uri) {
    int usual = "https".equals(uri.getScheme()) ? HTTPS : HTTP;
    int port = uri.getPort() < 0 ? usual : uri.getPort();
    return (uri.getScheme() + "://" + uri.getHost() + ":" + port).toLowerCase(Locale.ROOT);
  }

  /** Without what is secret. */
  @Override
  public String toString() {
    return "headers for " + name(origin);
  }
}
