/** Storage drivers on file systems: {@code btrfs}, {@code dir} and {@code overlay}. */
module dev.stapes.storage.fs {
  requires transitive dev.stapes.core;
  requires dev.stapes.linux;
  requires org.slf4j;
  requires static transitive org.jspecify;

  exports dev.stapes.storage.fs;

  provides dev.stapes.spi.StorageDriverProvider with
      dev.stapes.storage.fs.BtrfsProvider,
      dev.stapes.storage.fs.DirProvider,
      dev.stapes.storage.fs.OverlayProvider;
}
