package dev.stapes.storage.lvm;

import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.storage.lvm.ThinMetadata.Parts;
import java.util.List;

/**
 * Where the volumes of a pool have their space from, and what differs by that: in a thin pool they
 * take what is written and are copied at once, plain ones take all of their size and are copied
 * block by block. {@link Spaces} chooses.
 */
interface Space {
  /**
   * How much there is.
   *
   * @param size of all, in bytes
   * @param used of it, in bytes
   */
  record Usage(long size, long used) {}

  /** Room that is kept for somebody, until it is closed; that may be done again. */
  @FunctionalInterface
  interface Room extends AutoCloseable {
    @Override
    void close();
  }

  /** How it copies. */
  PoolInfo.Copies copies();

  /** Looks how much there is, and takes more where it is tight and there is some. */
  Usage measure();

  /**
   * Refuses where nothing new is to be made, whatever its size.
   *
   * @throws dev.stapes.model.StapesException EXHAUSTED
   */
  void require();

  /** The same, by a look at it now: for who fills it faster than a look becomes old. */
  void requireNow();

  /** The size of a volume of which nobody said one, in bytes. */
  long usualSize();

  /**
   * A size of a block device, as the pool can give it.
   *
   * @param subject for errors
   * @throws dev.stapes.model.StapesException EXHAUSTED where no volume can be so large
   */
  long rounded(String subject, Size size);

  /**
   * Makes a volume that reads as zeros, and is trash until {@link PoolVolumes#name}: what a crash
   * leaves before that is no volume with half a file system. It is active.
   *
   * @throws dev.stapes.model.StapesException EXHAUSTED, and nothing is made
   */
  void create(ThinVolume volume);

  /** Makes a block device that reads as zeros, with its id. */
  void createBlock(ThinVolume volume);

  /**
   * Makes a logical volume with the data of another one, as of one moment, whoever writes to that
   * meanwhile. With a tag that says more of it than that it is trash it has all of the data. It is
   * not active, where nobody made it so.
   *
   * @param source a name
   * @param target a new name
   * @param tags those that it has when this returns
   * @throws dev.stapes.model.StapesException EXHAUSTED
   */
  void copy(String source, String target, List<String> tags);

  /**
   * Looks whether a volume that comes can be made, and a copy of it afterwards, and keeps the room
   * for the copy: {@link #copy} takes what is free.
   *
   * @param size of each, in bytes
   * @throws dev.stapes.model.StapesException EXHAUSTED
   */
  Room forCopyOf(long size);

  /**
   * Gives a volume another size; does nothing where it has that. What is on it is not looked at;
   * what it has more reads as zeros.
   *
   * @param volume a name
   * @param now the bytes that it has
   * @throws dev.stapes.model.StapesException EXHAUSTED, and nothing is changed
   */
  void resize(String volume, long now, long bytes);

  /** How much of the pool a volume takes, in bytes; it is active. */
  long used(ThinVolume volume);

  /** What of a volume may be other than zeros. */
  Parts mapped(String volume, Holding stream);

  /** What of a volume may not be the same as in another one. */
  Parts changed(String base, String volume, Holding stream);

  /** Waits until nobody looks for such parts any more; who did has been told to end. */
  void awaitEnd();

  /** The bytes of the pool, without a look at how full it is. */
  long size();

  /**
   * Takes what the group has got since.
   *
   * @return whether that was something
   */
  boolean fill();

  /** Takes some more bytes of a group that has others. */
  void extend(long bytes);
}
