/** The Stapes core: public API, SPI, engine, image store, embedded state store. */
module dev.stapes.core {
  requires transitive org.jspecify;
  requires com.fasterxml.jackson.core;
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.dataformat.yaml;
  requires com.github.benmanes.caffeine;
  requires com.github.luben.zstd_jni;
  requires io.pebbletemplates;
  requires java.net.http;
  requires java.sql;
  requires java.xml;
  requires org.apache.commons.compress;
  requires org.slf4j;
  requires org.tukaani.xz;
  requires org.xerial.sqlitejdbc;

  uses dev.stapes.spi.DecoderProvider;
  uses dev.stapes.spi.HostProvider;
  uses dev.stapes.spi.InstanceDriverProvider;
  uses dev.stapes.spi.StorageDriverProvider;

  opens dev.stapes.internal.engine to
      com.fasterxml.jackson.databind;

  exports dev.stapes;
  exports dev.stapes.model;
  exports dev.stapes.spi;

  provides dev.stapes.spi.StateStoreProvider with
      dev.stapes.internal.store.SqliteStateStoreProvider,
      dev.stapes.internal.store.MemoryStateStoreProvider;
}
