package dev.stapes.linux.zfs;

import java.util.List;
import java.util.Optional;

/**
 * Changes of ZFS by calls of this process. Each is done wholly or not at all, and returns when it
 * is on the disk. Those that several threads make at once share a transaction group of the kernel,
 * and so its writes. May be called from any thread; one in the kernel is not ended by an interrupt,
 * and hangs while its zpool is suspended.
 *
 * <p>Names are not checked: the kernel does.
 */
public interface ZfsCalls {
  /**
   * Those of this machine: empty without libzfs_core (OpenZFS 2.0 or newer), the kernel module, or
   * the right to use it.
   */
  static Optional<ZfsCalls> find() {
    return CoreCalls.find().map(calls -> calls);
  }

  /**
   * Makes a dataset of a snapshot, with properties that it inherits; nothing is mounted.
   *
   * @return 0, or an error number (errno(3)) where nothing was done
   */
  int clone(String snapshot, String dataset);

  /**
   * Gives a dataset or a snapshot another name. What is mounted stays so.
   *
   * @return 0, or an error number (errno(3)) where nothing was done
   */
  int rename(String from, String to);

  /**
   * Takes snapshots, all of one moment.
   *
   * @param names of one zpool, one of each dataset
   * @return 0, or an error number (errno(3)) where nothing was done
   */
  int snapshot(List<String> names);

  /**
   * Destroys a dataset that nobody uses or has mounted, and that has nothing below it.
   *
   * @return 0, or an error number (errno(3)) where nothing was done
   */
  int destroy(String dataset);

  /**
   * Destroys snapshots: all or none, unless this process is killed meanwhile. Those that are not
   * there do not matter.
   *
   * @param names of one zpool
   * @param deferred whether one that has clones or is held goes by itself when it is not any more;
   *     else that is an error
   * @return 0, or an error number (errno(3)) where nothing was done
   */
  int destroySnapshots(List<String> names, boolean deferred);
}
