/** The Stapes core: public API, SPI, engine, image store, embedded state store. */
module dev.stapes.core {
  requires transitive org.jspecify;
  requires org.slf4j;

  exports dev.stapes;
  exports dev.stapes.model;
  exports dev.stapes.spi;
}
