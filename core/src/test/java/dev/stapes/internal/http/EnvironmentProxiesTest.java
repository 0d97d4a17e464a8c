package dev.stapes.internal.http;

import static dev.stapes.internal.http.TestSettings.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentProxiesTest {
  private static String select(Map<String, String> environment, String uri) {
    ProxySelector proxies = EnvironmentProxies.of(environment::get);
    List<Proxy> selected = proxies.select(URI.create(uri));
    assertEquals(1, selected.size());
    if (selected.get(0).address() instanceof InetSocketAddress address) {
      return address.getHostString() + ":" + address.getPort();
    }
    return "none";
  }

  @Test
  void each_scheme_has_its_own_proxy() {
    Map<String, String> environment =
        Map.of("http_proxy", "one.example.org:3128", "HTTPS_PROXY", "http://two.example.org/");
    assertEquals("one.example.org:3128", select(environment, "http://a.example.org/"));
    assertEquals("two.example.org:1080", select(environment, "https://a.example.org/"));
    assertEquals("none", select(Map.of(), "http://a.example.org/"));
    assertEquals("none", select(Map.of("http_proxy", " "), "http://a.example.org/"));
  }

  @Test
  void one_proxy_may_be_for_all() {
    Map<String, String> environment = Map.of("ALL_PROXY", "p.example.org:1", "http_proxy", "h:2");
    assertEquals("h:2", select(environment, "http://a.example.org/"));
    assertEquals("p.example.org:1", select(environment, "https://a.example.org/"));
  }

  @Test
  void a_header_of_a_client_is_no_variable() {
    assertEquals("none", select(Map.of("HTTP_PROXY", "p:1"), "http://a.example.org/"));
  }

  @Test
  void some_hosts_are_reached_without() {
    Map<String, String> environment =
        Map.of("http_proxy", "p:1", "no_proxy", "localhost, .Example.org b.example.net,[::1]");
    for (String without :
        List.of("localhost", "example.org", "a.EXAMPLE.org", "b.example.net", "[::1]")) {
      assertEquals("none", select(environment, "http://" + without + "/"), without);
    }
    for (String with : List.of("a.localhost.example.com", "anexample.org", "example.net")) {
      assertEquals("p:1", select(environment, "http://" + with + "/"), with);
    }
    assertEquals("none", select(Map.of("http_proxy", "p:1", "NO_PROXY", "*"), "http://a.b/"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://user:word@", "http://user:word@h:99999", "user:word@ h"})
  void what_is_no_address_is_refused_without_quoting_it(String value) {
    StapesException e =
        refused(
            Kind.INVALID,
            "environment variable https_proxy",
            () -> EnvironmentProxies.of(Map.of("https_proxy", value)::get));
    assertFalse(e.toString().contains("word"), e.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"socks5://h:1", "https://h:1"})
  void what_is_no_http_proxy_is_unsupported(String value) {
    refused(
        Kind.UNSUPPORTED,
        "only http://",
        () -> EnvironmentProxies.of(Map.of("all_proxy", value)::get));
  }
}
