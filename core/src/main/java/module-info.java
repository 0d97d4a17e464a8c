/** The Stapes core: public API, SPI, engine, image store, embedded state store. */
module dev.stapes.core {
  requires transitive org.jspecify;
  requires com.github.benmanes.caffeine;
  requires java.sql;
  requires org.slf4j;
  requires org.xerial.sqlitejdbc;

  exports dev.stapes;
  exports dev.stapes.model;
  exports dev.stapes.spi;

  provides dev.stapes.spi.StateStoreProvider with
      dev.stapes.internal.store.SqliteStateStoreProvider;
}
