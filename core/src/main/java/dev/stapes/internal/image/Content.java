package dev.stapes.internal.image;

/** Takes the content of a file from its begin to its end. */
interface Content {
  /** Bytes of a block, which is retained where it is used when this has returned. */
  void data(Blocks.Block block, int offset, int length);

  /** So many zeros that the archive has not written out, more than none. */
  void hole(long length);
}
