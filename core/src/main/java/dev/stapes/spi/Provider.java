package dev.stapes.spi;

/**
 * What the providers of all SPIs share. A provider is found through {@link java.util.ServiceLoader}
 * or given to {@code Stapes.Builder.with}; it has a public constructor without arguments and does
 * nothing before it is asked.
 */
public interface Provider {
  /** The name that it is chosen by, such as {@code btrfs}; unique in its SPI. */
  String name();
}
