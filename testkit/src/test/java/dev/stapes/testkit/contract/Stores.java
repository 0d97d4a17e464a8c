package dev.stapes.testkit.contract;

import dev.stapes.spi.StateStoreProvider;
import java.util.ServiceLoader;

/** The stores that core provides, as anyone finds them. */
final class Stores {
  private Stores() {}

  static StateStoreProvider named(String name) {
    return ServiceLoader.load(StateStoreProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
