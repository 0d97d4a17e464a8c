package dev.stapes.linux;

import dev.stapes.linux.ffi.Constants;

/** How mounts below a mount travel to and from its peers; see mount_namespaces(7). */
public enum Propagation {
  SHARED(Constants.MS_SHARED),
  SLAVE(Constants.MS_SLAVE),
  PRIVATE(Constants.MS_PRIVATE),
  UNBINDABLE(Constants.MS_UNBINDABLE);

  final int bits;

  Propagation(int bits) {
    this.bits = bits;
  }
}
