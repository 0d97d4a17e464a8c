package dev.stapes;

/** A container and virtual-machine manager in a directory. */
public final class Stapes {
  private Stapes() {}
}
