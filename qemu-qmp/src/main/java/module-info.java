/** QMP, the QEMU guest agent, and the driver of virtual machines. */
module dev.stapes.qemu {
  requires transitive com.fasterxml.jackson.databind;
  requires transitive dev.stapes.core;
  requires dev.stapes.linux;
  requires org.slf4j;
  requires static transitive org.jspecify;

  exports dev.stapes.qemu.driver;
  exports dev.stapes.qmp;
  exports dev.stapes.qmp.guest;
  exports dev.stapes.qmp.qemu;

  provides dev.stapes.spi.InstanceDriverProvider with
      dev.stapes.qemu.driver.QemuDriverProvider;
}
