package dev.stapes.internal.http;

import java.net.ProxySelector;
import java.time.Duration;

/**
 * How patient somebody is with servers.
 *
 * @param connect how long a connection may take
 * @param silence how long a server may say nothing
 * @param attempts how often something is tried that may succeed the next time, from 1
 * @param pause before the second attempt; it doubles with each further one
 * @param longestPause what a server may ask for; one that asks for more is not waited for
 * @param redirects how many are followed
 * @param proxies where to go through
 */
public record HttpSettings(
    Duration connect,
    Duration silence,
    int attempts,
    Duration pause,
    Duration longestPause,
    int redirects,
    ProxySelector proxies) {
  /** The usual ones; proxies are those of the environment. */
  public static HttpSettings usual() {
    return new HttpSettings(
        Duration.ofSeconds(15),
        Duration.ofSeconds(30),
        5,
        Duration.ofMillis(500),
        Duration.ofSeconds(60),
        10,
        EnvironmentProxies.of(System::getenv));
  }
}
