package dev.stapes.examples.survival;

import dev.stapes.spi.Provider;
import java.util.ServiceLoader;

/** The providers of the class path. */
final class Found {
  private Found() {}

  /** The one of a name. */
  static <P extends Provider> P of(Class<P> type, String name) {
    for (P provider : ServiceLoader.load(type)) {
      if (provider.name().equals(name)) {
        return provider;
      }
    }
    throw new IllegalStateException("no " + type.getSimpleName() + " named " + name);
  }
}
