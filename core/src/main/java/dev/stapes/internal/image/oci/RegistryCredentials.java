package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.internal.http.Answer;
import dev.stapes.internal.http.Credentials;
import dev.stapes.internal.http.HttpQuery;
import dev.stapes.internal.http.HttpSession;
import dev.stapes.model.OciImageSpec.Login;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/**
 * Gets in at one registry: with a name and password, or with a token that its token server gives to
 * those who have them, or to anybody (distribution specification, auth/token). Other servers, such
 * as those that a registry redirects to, are told nothing.
 */
final class RegistryCredentials implements Credentials {
  private static final int TOKEN_BYTES = 1 << 20;

  private final HttpSession session;
  private final URI registry;
  private final String repository;
  private final Optional<Login> login;
  private Optional<String> header = Optional.empty();

  RegistryCredentials(HttpSession session, URI registry, String repository, Optional<Login> login) {
    this.session = session;
    this.registry = registry;
    this.repository = repository;
    this.login = login;
  }

  @Override
  public Optional<String> authorization(URI uri) {
    return isRegistry(uri) ? header : Optional.empty();
  }

  @Override
  public boolean answer(URI uri, String challenge) {
    if (!isRegistry(uri)) {
      return false;
    }
    Optional<Challenge> asked = Challenge.of(challenge);
    Optional<String> before = header;
    header = asked.flatMap(each -> each.scheme().equals("bearer") ? token(each) : basic(each));
    return header.isPresent() && !header.equals(before);
  }

  private boolean isRegistry(URI uri) {
    return registry.getScheme().equals(uri.getScheme())
        && registry.getAuthority().equals(uri.getAuthority());
  }

  private Optional<String> basic(Challenge challenge) {
    return challenge.scheme().equals("basic")
        ? login.map(RegistryCredentials::basic)
        : Optional.empty();
  }

  private static String basic(Login login) {
    String both = login.user() + ":" + login.password();
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  private Optional<String> token(Challenge challenge) {
    String subject = "registry " + registry.getAuthority();
    String realm =
        challenge
            .parameter("realm")
            .orElseThrow(() -> StapesException.invalid(subject, "names no token server"));
    URI server = HttpQuery.address(realm);
    if (registry.getScheme().equals("https") && !server.getScheme().equals("https")) {
      throw new StapesException(
          Kind.DENIED, subject, "its token server " + server.getHost() + " has no TLS");
    }
    String query =
        challenge.parameter("service").map(name -> "service=" + encode(name) + "&").orElse("")
            + "scope="
            + encode(challenge.parameter("scope").orElse("repository:" + repository + ":pull"));
    String separator = server.getRawQuery() == null ? "?" : "&";
    URI uri = URI.create(server + separator + query);
    HttpQuery ask = new HttpQuery(uri, Map.of(), new Once(server, login));
    Answer answer = session.get(ask, TOKEN_BYTES);
    JsonNode document = Json.object(answer.body(), "token of " + subject);
    return Json.text(document.path("token"))
        .or(() -> Json.text(document.path("access_token")))
        .filter(text -> text.matches("[\\x21-\\x7e]+"))
        .map(text -> "Bearer " + text);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** The token server is told at once. */
  private record Once(URI server, Optional<Login> login) implements Credentials {
    @Override
    public Optional<String> authorization(URI uri) {
      return uri.getAuthority().equals(server.getAuthority())
              && uri.getScheme().equals(server.getScheme())
          ? login.map(RegistryCredentials::basic)
          : Optional.empty();
    }

    @Override
    public boolean answer(URI uri, String challenge) {
      return false;
    }
  }
}
