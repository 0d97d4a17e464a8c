package dev.stapes.spi;

import java.nio.file.Path;

/** Opens a state store. */
public interface StateStoreProvider extends Provider {
  /**
   * Opens the store of a root directory, making it where it does not exist.
   *
   * @throws dev.stapes.model.StapesException UNAVAILABLE where it is damaged or of a later format;
   *     its files are left as they are
   */
  StateStore open(Path root);
}
