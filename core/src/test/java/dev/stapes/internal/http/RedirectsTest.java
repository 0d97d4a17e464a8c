package dev.stapes.internal.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.api.Test;

class RedirectsTest {
  private static Optional<URI> of(String from, int status, String location) throws HttpFailure {
    return Redirects.of(new Redirect(URI.create(from), status, location));
  }

  @Test
  void a_redirect_may_be_relative_or_to_another_host_or_from_http_to_https() throws Exception {
    assertEquals(
        Optional.of(URI.create("https://a.example.org/x/z?q")),
        of("https://a.example.org/x/y", 307, "z?q"));
    assertEquals(
        Optional.of(URI.create("https://b.example.org:1/")),
        of("https://a.example.org/x/y", 301, "//b.example.org:1/"));
    assertEquals(
        Optional.of(URI.create("https://a.example.org/")),
        of("http://a.example.org/", 308, "https://a.example.org/"));
    assertEquals(Optional.empty(), of("https://a.example.org/", 200, "http://x.example.org/"));
  }

  @Test
  void from_https_no_redirect_leads_to_http() {
    HttpFailure e =
        assertThrows(
            HttpFailure.class,
            () -> of("https://a.example.org/", 302, "http://a.example.org/x?secret=word"));
    String words = e.of(URI.create("https://a.example.org/"), 1).toString();
    assertTrue(words.endsWith("redirects from https to http://a.example.org/x"), words);
  }

  private record Redirect(URI uri, int statusCode, String location) implements HttpResponse<Void> {
    @Override
    public HttpHeaders headers() {
      return HttpHeaders.of(Map.of("Location", List.of(location)), (name, value) -> true);
    }

    @Override
    public HttpRequest request() {
      return HttpRequest.newBuilder(uri).build();
    }

    @Override
    public Optional<HttpResponse<Void>> previousResponse() {
      return Optional.empty();
    }

    @Override
    public Void body() {
      throw new IllegalStateException("has none");
    }

    @Override
    public Optional<SSLSession> sslSession() {
      return Optional.empty();
    }

    @Override
    public HttpClient.Version version() {
      return HttpClient.Version.HTTP_1_1;
    }
  }
}
