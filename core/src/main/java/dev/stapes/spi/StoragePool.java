package dev.stapes.spi;

import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An open storage pool: a flat set of volumes. It knows nothing of instances and images; which
 * volume is whose stands in the state store. What only some pools can do is a capability that
 * others do not return.
 *
 * <p>Methods may be called from any thread; the engine never works on one volume from two at once
 * but for copying from it. Each method that changes something either does it or leaves the pool as
 * it was; after a crash in the middle a volume exists wholly, or not at all, or as one that {@link
 * #list} shows and {@link #discard} removes.
 */
public interface StoragePool extends AutoCloseable {
  /** What it is, with its usage at the time of the call. */
  PoolInfo info();

  /**
   * How it copies, as in {@link #info}. It never changes and is asked before each copy, so a driver
   * answers without a look at its disk.
   */
  default PoolInfo.Copies copies() {
    return info().copies();
  }

  /** Makes an empty volume, a directory owned by root with mode 0755. CONFLICT where it exists. */
  void create(VolumeId id);

  /**
   * Copies a volume in the fastest way that the pool has, sharing data where it can. The source
   * does not change meanwhile, or the copy is as of one moment where the pool can (see {@link
   * PoolInfo.Copies#INSTANT}).
   *
   * @param readOnly whether the copy refuses changes (a snapshot)
   * @throws dev.stapes.model.StapesException NOT_FOUND, CONFLICT, EXHAUSTED
   */
  void copy(VolumeId source, VolumeId target, boolean readOnly);

  /**
   * Removes a volume. When this returns it is gone by its id, in a time that does not grow with its
   * data; its space comes back with {@link #reclaim}. Does nothing where it does not exist.
   */
  void discard(VolumeId id);

  /**
   * Removes several volumes as {@link #discard} does, in fewer steps where the pool can. One that
   * does not exist is no error.
   *
   * @throws StapesException the first error, with the others in it; volumes that it does not
   *     concern are gone
   */
  default void discardAll(Collection<VolumeId> ids) {
    @Nullable StapesException failure = null;
    for (VolumeId id : ids) {
      try {
        discard(id);
      } catch (StapesException e) {
        if (failure != null) {
          failure.addSuppressed(e);
        } else if (e.kind() != StapesException.Kind.NOT_FOUND) {
          failure = e;
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Frees the space of discarded volumes, also those that a crash left. May take long. What
   * somebody still uses is not waited for without end: its space comes back later.
   */
  void reclaim();

  /** Whether a volume exists. */
  boolean exists(VolumeId id);

  /**
   * All volumes of a kind that were made in this pool, or were taken over into it. An engine
   * removes what it has no record of: so where pools of several machines have one space, a pool
   * does not show the volumes of the others.
   */
  Set<VolumeId> list(VolumeId.Kind kind);

  /** All volumes. */
  default Set<VolumeId> list() {
    Set<VolumeId> all = new HashSet<>();
    for (VolumeId.Kind kind : VolumeId.Kind.values()) {
      all.addAll(list(kind));
    }
    return all;
  }

  /** Opens the files of a volume, as they are on disk. */
  Tree tree(VolumeId id, Tree.Resolution resolution);

  /**
   * Makes a volume available to a machine until the answer is closed. After a crash the next open
   * of the pool finds nothing attached but what still running machines hold.
   *
   * @param mapping the id map of the machine. A pool whose volumes the driver can map itself by an
   *     idmapped mount leaves {@link Attachment#mapped} empty.
   */
  Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly);

  /** Limits how much data a volume may hold. */
  Optional<Quotas> quotas();

  /** Turns volumes into streams. */
  Optional<SendReceive> sendReceive();

  /** Streams that go on where they broke. A pool that has them has {@link #sendReceive}, too. */
  default Optional<Resumable> resumable() {
    return Optional.empty();
  }

  /**
   * Volumes that are block devices. A pool has them always or never: where it has, the root disk of
   * a virtual machine is one, of its id with {@code .disk} behind the name.
   */
  default Optional<BlockVolumes> blockVolumes() {
    return Optional.empty();
  }

  /** Copies several volumes as of one moment. */
  default Optional<GroupCopies> groupCopies() {
    return Optional.empty();
  }

  /** Makes the pool larger. */
  Optional<Growable> growable();

  /** Volumes that live in memory. */
  Optional<Scratch> scratch();

  /** Removes the pool with all its volumes and files. The pool is closed then. */
  void destroy();

  /** Detaches what no machine holds. Idempotent. */
  @Override
  void close();

  /** A volume in use. */
  interface Attachment extends AutoCloseable {
    /**
     * One at a path. For implementations of this SPI.
     *
     * @param mapped see {@link #mapped}
     * @param release done once, when it is closed
     */
    static Attachment of(Path path, Optional<IdMapping> mapped, Runnable release) {
      return new PathAttachment(path, mapped, release);
    }

    /** Where it is, in the host's mount namespace. */
    Path path();

    /** The map that its owners appear in; empty where they appear as on disk. */
    Optional<IdMapping> mapped();

    /**
     * The block device beside the directory, where the disk of a virtual machine is one. Drivers
     * leave it empty: the engine pairs their volumes.
     */
    default Optional<Path> device() {
      return Optional.empty();
    }

    @Override
    void close();
  }

  /** Limits how much data a volume may hold. */
  interface Quotas {
    /** Sets the limit, or removes it where it is empty. Writers get EDQUOT beyond it. */
    void limit(VolumeId id, Optional<Size> size);

    /** The data that a volume refers to, whether shared with others or not. */
    Size usage(VolumeId id);
  }

  /** Turns volumes into streams, of a format that is the driver's own. */
  interface SendReceive {
    /**
     * Writes a read-only volume.
     *
     * @param base a read-only volume that the receiver has too, to send only the difference
     */
    void send(VolumeId id, Optional<VolumeId> base, OutputStream out);

    /** Makes a read-only volume of a stream; what a stream that ends early made is removed. */
    void receive(VolumeId id, InputStream in);
  }

  /**
   * Streams that go on where they broke. What came of one is kept under the id of the volume that
   * it is to be, whatever becomes of this process or machine, until the rest has come or somebody
   * forgets it. It takes space but is no volume: {@link StoragePool#list} does not show it, {@link
   * StoragePool#discard} and {@link StoragePool#reclaim} leave it.
   */
  interface Resumable {
    /**
     * Makes a read-only volume of a stream: of one of {@link SendReceive#send}, or of the rest of
     * one, of {@link #send}. Where it breaks, what came is kept; an interrupt breaks it, too, and
     * stays set. A rest that broke before it brought anything new leaves the token as it was: who
     * sends again in a loop looks at that.
     *
     * @throws StapesException where nothing is kept of the volume, or this is not what it needs.
     *     What was kept before stays. INTERRUPTED before anything came. CONFLICT where the volume
     *     exists, where a stream begins anew although something is kept, and where it goes on
     *     elsewhere than what is kept ends. NOT_FOUND where it is the rest of something that is not
     *     kept. INVALID where it is no stream, of another volume than what is kept, or the
     *     difference to a volume that is not here. BUSY where somebody else receives it. EXHAUSTED.
     *     UNAVAILABLE where the pool was closed or its disk cannot be reached: {@link #find} tells
     *     what is kept when it can
     */
    Received receive(VolumeId id, InputStream in);

    /**
     * Writes what a receiver has not got yet of a read-only volume.
     *
     * @param token that the receiver gave, see {@link Kept}; it is not trusted
     * @throws StapesException NOT_FOUND where the volume is gone, or the one that its stream is the
     *     difference to; INVALID where the token is none of this driver, or of another volume, or
     *     the volume is not read-only; UNAVAILABLE where the pool was closed or {@code out} breaks;
     *     INTERRUPTED
     */
    void send(VolumeId id, String token, OutputStream out);

    /**
     * The ids that something is kept under, also what is being received now. What somebody forgets
     * at this moment is among them or not.
     */
    Set<VolumeId> list();

    /**
     * What is kept under an id; empty where nothing is. What somebody forgets at this moment is
     * there or not.
     *
     * @throws StapesException BUSY while it is being received
     */
    Optional<Kept> find(VolumeId id);

    /**
     * Removes what is kept under an id, as {@link StoragePool#discard} does with a volume. Does
     * nothing where nothing is.
     *
     * @throws StapesException BUSY while it is being received
     */
    void forget(VolumeId id);
  }

  /** What became of a stream that was received. */
  sealed interface Received {
    /** All of it came: the volume is there. */
    record Whole() implements Received {}

    /**
     * It broke.
     *
     * @param kept what came
     * @param why it broke, as {@link SendReceive#receive} would have thrown it
     */
    record Part(Kept kept, StapesException why) implements Received {
      /** Refuses null. */
      public Part {
        Objects.requireNonNull(kept, "kept");
        Objects.requireNonNull(why, "why");
      }
    }
  }

  /**
   * What came of a stream that broke.
   *
   * @param id of the volume that it is to be
   * @param token what a sender needs to go on: 1 to {@link #MOST_CHARACTERS} visible characters of
   *     ASCII, of the driver's own, without blanks
   * @param size how much of the stream came
   */
  record Kept(VolumeId id, String token, Size size) {
    /** The most characters that a token has. */
    public static final int MOST_CHARACTERS = 4096;

    /** Refuses what is no token with INVALID: it may have come from another machine. */
    public Kept {
      Objects.requireNonNull(id, "id");
      Objects.requireNonNull(size, "size");
      if (!isToken(token)) {
        throw StapesException.invalid(
            "volume " + id,
            "not a token: its "
                + token.length()
                + " characters have to be 1 to "
                + MOST_CHARACTERS
                + ", all of them visible ASCII");
      }
    }

    /** Whether a text can be the token of any driver. */
    public static boolean isToken(String text) {
      return !text.isEmpty()
          && text.length() <= MOST_CHARACTERS
          && text.chars().allMatch(c -> c > ' ' && c <= '~');
    }
  }

  /**
   * Volumes that are block devices. They are copied, discarded, listed and sent like the others, a
   * copy of one is one; but they have no files: {@link #tree} and {@link StoragePool#attach} refuse
   * them with INVALID.
   */
  interface BlockVolumes {
    /**
     * Makes one that reads as zeros and takes space only for what is written, or all at once where
     * the pool does so with each volume.
     *
     * @param size rounded up to what the pool can give
     * @throws StapesException CONFLICT where the volume exists; EXHAUSTED
     */
    void create(VolumeId id, Size size);

    /** The bytes that it has; empty where the volume is none of these. NOT_FOUND without it. */
    Optional<Size> size(VolumeId id);

    /**
     * Makes it larger, also while it is attached; the same size does nothing.
     *
     * @throws StapesException INVALID where it has more already; EXHAUSTED
     */
    void grow(VolumeId id, Size size);

    /**
     * Makes its device available until the answer is closed.
     *
     * @param readOnly whether writes to the device fail
     * @return the path is that of a block device of the host; nothing is mapped
     */
    Attachment attach(VolumeId id, boolean readOnly);
  }

  /** Copies several volumes as of one moment. */
  interface GroupCopies {
    /**
     * Makes a read-only copy of each: all or none, and whatever one of them shows was there when
     * the others were copied.
     *
     * @param targets by their sources
     * @throws StapesException NOT_FOUND, CONFLICT, EXHAUSTED
     */
    void copy(Map<VolumeId, VolumeId> targets);
  }

  /** Makes the pool larger. */
  interface Growable {
    /** Grows to a size; smaller than it is: INVALID. */
    void grow(Size size);
  }

  /** Volumes that live in memory: they cost microseconds, and are gone with this host. */
  interface Scratch {
    /**
     * Makes a volume of which only the differences to a source are kept, in memory. It is used like
     * any other volume; a {@link #copy} of it is one of its kind.
     *
     * @param limit the most that the differences may take; empty: half of the machine's memory
     */
    void create(VolumeId source, VolumeId target, Optional<Size> limit);

    /**
     * The same over a file system in a file, which the kernel reads where it is: nothing is copied
     * or unpacked. Several volumes may lie over one file. It never changes, and may be deleted.
     *
     * @param fileSystem a squashfs, which is trusted: the kernel does not defend itself against one
     *     that was made to harm it. Its device nodes cannot be opened
     * @throws StapesException UNSUPPORTED where the pool or the kernel cannot do it; NOT_FOUND
     *     without the file; INVALID where the kernel finds no such file system in it
     */
    default void create(Path fileSystem, VolumeId target, Optional<Size> limit) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED,
          "volume " + target,
          "this pool cannot use a file system in a file");
    }
  }
}
