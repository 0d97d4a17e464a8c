package dev.stapes.storage.fs;

import java.nio.file.Path;
import java.util.List;

/**
 * What lies below the changes of a scratch volume.
 *
 * @param root a directory that idmaps are made of, in the host's mount namespace
 * @param layers directories in it, the uppermost first; never changed while this is in use
 */
record LayerBase(Path root, List<Path> layers) {
  LayerBase {
    layers = List.copyOf(layers);
  }

  /** The layers, where the root appears at another place. */
  List<Path> at(Path place) {
    return layers.stream().map(place::resolve).toList();
  }
}
