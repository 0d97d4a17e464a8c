package dev.stapes.internal.http;

import dev.stapes.model.StapesException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The proxies that the environment names as curl(1) reads it: {@code http_proxy}, {@code
 * https_proxy}, {@code all_proxy} and {@code no_proxy}, the latter three also in upper case. Where
 * it names none, those of the JVM's system properties.
 */
final class EnvironmentProxies extends ProxySelector {
  private static final int DEFAULT_PORT = 1080;

  private final Map<String, InetSocketAddress> proxies = new HashMap<>();
  private final Set<String> without = new HashSet<>();
  private final @Nullable ProxySelector otherwise;

  private EnvironmentProxies(
      Function<String, @Nullable String> environment, @Nullable ProxySelector otherwise) {
    this.otherwise = otherwise;
    for (String scheme : List.of("http", "https")) {
      proxy(environment, scheme + "_proxy")
          .or(() -> proxy(environment, "all_proxy"))
          .ifPresent(address -> proxies.put(scheme, address));
    }
    for (String host : value(environment, "no_proxy").orElse("").split("[,\\s]+")) {
      without.add(bare(host.startsWith(".") ? host.substring(1) : host));
    }
    without.remove("");
  }

  /**
   * Those of an environment; the JVM's where it says nothing.
   *
   * @throws StapesException INVALID where a variable is no address, UNSUPPORTED for a proxy that is
   *     spoken to in another way than by http
   */
  static ProxySelector of(Function<String, @Nullable String> environment) {
    return new EnvironmentProxies(environment, ProxySelector.getDefault());
  }

  @Override
  public List<Proxy> select(URI uri) {
    if (isWithout(bare(uri.getHost() == null ? "" : uri.getHost()))) {
      return List.of(Proxy.NO_PROXY);
    }
    InetSocketAddress named = proxies.get(String.valueOf(uri.getScheme()));
    if (named != null) {
      return List.of(new Proxy(Proxy.Type.HTTP, named));
    }
    return otherwise == null ? List.of(Proxy.NO_PROXY) : otherwise.select(uri);
  }

  private boolean isWithout(String host) {
    return without.contains("*")
        || without.stream().anyMatch(name -> host.equals(name) || host.endsWith("." + name));
  }

  /** In lower case, an IPv6 address without brackets. */
  private static String bare(String host) {
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    return (bracketed ? host.substring(1, host.length() - 1) : host).toLowerCase(Locale.ROOT);
  }

  private static Optional<String> value(
      Function<String, @Nullable String> environment, String name) {
    String value = environment.apply(name);
    if (value == null && !name.equals("http_proxy")) { // HTTP_PROXY may be a client's header (CGI)
      value = environment.apply(name.toUpperCase(Locale.ROOT));
    }
    return Optional.ofNullable(value).map(String::trim).filter(text -> !text.isEmpty());
  }

  private static Optional<InetSocketAddress> proxy(
      Function<String, @Nullable String> environment, String name) {
    return value(environment, name).map(text -> address(name, text));
  }

  /** What is wrong is not quoted: it may have a password. */
  private static InetSocketAddress address(String variable, String text) {
    String subject = "environment variable " + variable;
    try {
      URI proxy = new URI(text.contains("://") ? text : "http://" + text);
      if (!"http".equalsIgnoreCase(proxy.getScheme())) {
        throw new StapesException(
            StapesException.Kind.UNSUPPORTED, subject, "only http:// proxies are supported");
      }
      if (proxy.getHost() != null && proxy.getPort() <= 65_535) {
        int port = proxy.getPort() < 0 ? DEFAULT_PORT : proxy.getPort();
        return InetSocketAddress.createUnresolved(proxy.getHost(), port);
      }
    } catch (URISyntaxException e) {
      throw StapesException.invalid(subject, "is no address of a proxy: " + e.getReason());
    }
    throw StapesException.invalid(subject, "is no address of a proxy");
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException e) {
    // The request fails with the reason.
  }
}
