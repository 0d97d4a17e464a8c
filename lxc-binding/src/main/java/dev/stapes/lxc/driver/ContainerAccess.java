package dev.stapes.lxc.driver;

import dev.stapes.lxc.ffi.ContainerCalls;
import dev.stapes.lxc.ffi.Liblxc;

/** Control of one container through its monitor. */
record ContainerAccess(Liblxc library, RunFiles files) {
  /** A new handle, which the caller closes. */
  ContainerCalls calls() {
    return library.container(files.name(), files.lxcPath().toString());
  }
}
