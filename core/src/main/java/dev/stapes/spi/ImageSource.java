package dev.stapes.spi;

import dev.stapes.model.ImageMetadata;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.Progress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where an image comes from. Used once. */
public interface ImageSource {
  /** What it is, in words, such as {@code busybox of this machine}. */
  String describe();

  /**
   * Brings the image. Everything it writes stays below the work directory, which is removed in any
   * case afterwards, and the cache; interrupting the thread ends it.
   */
  Fetched fetch(Context context);

  /** Where the image can be asked for again, without anything that is secret; empty: nowhere. */
  default Optional<ImageOrigin> origin() {
    return Optional.empty();
  }

  /**
   * The fingerprint of what {@link #fetch} would bring, where that can be known without bringing
   * it. The same context may be given to {@code fetch} afterwards.
   */
  default Optional<String> newest(Context context) {
    return Optional.empty();
  }

  /**
   * What a source works with.
   *
   * @param host the machine
   * @param work an empty directory of its own
   * @param cache a directory on the file system of {@code work} that all sources share and that
   *     stays: for what came only in part, and for what need not come again. Files in it are named
   *     after what they hold, and may be gone the next time
   * @param blobs what the store has already
   * @param progress is told how far it is
   */
  record Context(Host host, Path work, Path cache, Blobs blobs, Progress progress) {}

  /** The parts of OCI images that a store has, each once for all images. */
  @FunctionalInterface
  interface Blobs {
    /**
     * Gives a part another name below the work directory, where the store has it.
     *
     * @param digest its SHA-256, 64 lower-case hex digits
     * @param target does not exist
     * @return whether the store has it
     */
    boolean link(String digest, Path target);
  }

  /**
   * What came.
   *
   * @param archive an archive below the work directory, plain or compressed: a tar with {@code
   *     metadata.yaml}, and of a unified image with the root file system below {@code rootfs/} or
   *     the disk of a virtual machine, {@code rootfs.img}; of an image with blobs its manifest
   * @param rootfs of a split image the root file system, below the work directory: a tar, plain or
   *     compressed, or a squashfs file system; of a virtual machine its disk
   * @param blobs of an OCI image all that its manifest names, layers from the lowest on; copied
   * @param metadata the content of {@code metadata.yaml}, or what says the same, with the type of
   *     the instances that can be made of it
   */
  record Fetched(Path archive, Optional<Path> rootfs, List<Blob> blobs, ImageMetadata metadata) {
    /** Copies. */
    public Fetched {
      blobs = List.copyOf(blobs);
    }

    /** A unified image. */
    public Fetched(Path archive, ImageMetadata metadata) {
      this(archive, Optional.empty(), metadata);
    }

    /** A unified or a split image. */
    public Fetched(Path archive, Optional<Path> rootfs, ImageMetadata metadata) {
      this(archive, rootfs, List.of(), metadata);
    }
  }

  /**
   * A part of an OCI image.
   *
   * @param digest its SHA-256, 64 lower-case hex digits, which the source has checked
   * @param file below the work directory
   * @param layer whether it is a layer of the root file system: a tar, plain or compressed, with
   *     what differs from the layers below
   */
  record Blob(String digest, Path file, boolean layer) {}
}
