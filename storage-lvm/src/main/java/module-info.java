/** The storage drivers {@code lvm} and {@code lvmcluster}: thin pools and volumes of LVM. */
module dev.stapes.storage.lvm {
  requires com.fasterxml.jackson.databind;
  requires transitive dev.stapes.core;
  requires dev.stapes.linux;
  requires org.slf4j;
  requires static transitive org.jspecify;

  exports dev.stapes.storage.lvm;

  provides dev.stapes.spi.StorageDriverProvider with
      dev.stapes.storage.lvm.LvmProvider,
      dev.stapes.storage.lvm.LvmClusterProvider;
}
