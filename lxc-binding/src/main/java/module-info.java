/** liblxc, the typed configuration of a container, and the container driver. */
module dev.stapes.lxc {
  requires com.sun.jna;
  requires transitive dev.stapes.core;
  requires dev.stapes.linux;
  requires org.slf4j;
  requires static transitive org.jspecify;

  exports dev.stapes.lxc;
  exports dev.stapes.lxc.ffi;

  provides dev.stapes.spi.InstanceDriverProvider with
      dev.stapes.lxc.driver.LxcDriverProvider;

  // JNA reads the fields of the structures.
  opens dev.stapes.lxc.ffi to
      com.sun.jna;
}
