/** The storage driver {@code zfs}, over OpenZFS. */
module dev.stapes.storage.zfs {
  requires transitive dev.stapes.core;
  requires dev.stapes.linux;
  requires org.slf4j;
  requires static transitive org.jspecify;

  exports dev.stapes.storage.zfs;

  provides dev.stapes.spi.StorageDriverProvider with
      dev.stapes.storage.zfs.ZfsProvider;
}
