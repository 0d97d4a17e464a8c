/**
 * System calls and kernel interfaces. Only {@code dev.stapes.linux.host} knows Stapes: it is the
 * machine that the core and the drivers see.
 */
module dev.stapes.linux {
  requires transitive dev.stapes.core;
  requires transitive org.jnrproject.ffi;
  requires static transitive org.jspecify;
  // jnr-ffi is an automatic module: it generates code with these and does not say so.
  requires org.objectweb.asm;
  requires org.objectweb.asm.commons;
  requires org.objectweb.asm.tree;
  requires org.objectweb.asm.tree.analysis;
  requires org.objectweb.asm.util;
  requires org.slf4j;

  exports dev.stapes.linux;
  exports dev.stapes.linux.block;
  exports dev.stapes.linux.btrfs;
  exports dev.stapes.linux.cgroup;
  exports dev.stapes.linux.ffi;
  exports dev.stapes.linux.host;
  exports dev.stapes.linux.net;
  exports dev.stapes.linux.zfs;

  // jnr-ffi implements LibC and the others in a class loader of its own.
  opens dev.stapes.linux.ffi;

  provides dev.stapes.spi.DecoderProvider with
      dev.stapes.linux.host.LzmaDecoderProvider;
  provides dev.stapes.spi.HostProvider with
      dev.stapes.linux.host.LinuxHostProvider;
}
