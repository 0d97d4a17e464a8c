package dev.stapes.internal.image;

import java.io.IOException;
import java.io.InputStream;

/** Takes the things of a tree, directories before what is in them. */
interface EntrySink {
  /** Something without content. */
  void add(TarEntry entry) throws IOException;

  /**
   * A file, with as much of a stream as its size says.
   *
   * @throws java.io.EOFException where the stream has less
   */
  void add(TarEntry entry, InputStream content) throws IOException;

  /**
   * A file without its holes.
   *
   * @param map of its data
   * @throws java.io.EOFException where the stream has less than it says
   */
  void add(TarEntry entry, SparseMap map, InputStream content) throws IOException;
}
