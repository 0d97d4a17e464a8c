package dev.stapes.benchmarks.unpack;

import dev.stapes.benchmarks.Isolated;
import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Tool;
import dev.stapes.internal.image.ArchiveLimits;
import dev.stapes.internal.image.Decoders;
import dev.stapes.internal.image.ImageParts;
import dev.stapes.internal.image.RootfsUnpacker;
import dev.stapes.linux.host.LzmaDecoderProvider;
import dev.stapes.model.Progress;
import dev.stapes.spi.Host;
import dev.stapes.spi.Tree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Those who unpack a file into an empty subvolume. */
final class Unpackers {
  /** What runs within this JVM is to be compiled; the others find warm caches after one round. */
  static final int WARM_UP_RUNS = 20;

  private static final Decoders DECODERS = new Decoders(List.of(new LzmaDecoderProvider()));

  private final Host host;
  private final LoopBtrfs btrfs;
  private final Contents expected;

  Unpackers(Host host, LoopBtrfs btrfs, Contents expected) {
    this.host = host;
    this.btrfs = btrfs;
    this.expected = expected;
  }

  /**
   * Of a path.
   *
   * @param path one of {@link UnpackPath#ofFile}
   * @param archive the file of that path
   * @param metadata what belongs to it in a split image
   */
  List<Isolated.Entrant> of(UnpackPath path, Path archive, Path metadata) {
    ImageParts image = new ImageParts(metadata, Optional.of(archive));
    List<Isolated.Entrant> all = new ArrayList<>();
    all.add(entrant("stapes", WARM_UP_RUNS, target -> stapes(image, target)));
    switch (path) {
      case TAR_ZST -> tars("--zstd", archive, all);
      case TAR_GZ -> tars("--gzip", archive, all);
      case TAR_XZ -> tars("--xz", archive, all);
      case SQUASHFS ->
          all.add(
              entrant(
                  "unsquashfs",
                  0,
                  target ->
                      new Tool("unsquashfs")
                          .run("-n", "-q", "-f", "-d", target.toString(), archive.toString())));
      default -> throw new IllegalArgumentException(path.label());
    }
    return all;
  }

  private void tars(String compression, Path archive, List<Isolated.Entrant> all) {
    all.add(
        entrant(
            "tar",
            0,
            target ->
                new Tool("tar")
                    .run(
                        compression,
                        "-xpf",
                        archive.toString(),
                        "--numeric-owner",
                        "--xattrs",
                        "--xattrs-include=*",
                        "-C",
                        target.toString())));
    all.add(
        entrant(
            "bsdtar",
            0,
            target ->
                new Tool("bsdtar")
                    .run("-xpf", archive.toString(), "--numeric-owner", "-C", target.toString())));
  }

  private Isolated.Entrant entrant(String subject, int warmUps, UnpackLane.Unpacking unpacking) {
    Path target = btrfs.path("target-" + subject);
    return new Isolated.Entrant(
        subject, warmUps, false, () -> new UnpackLane(btrfs, target, expected, unpacking));
  }

  private void stapes(ImageParts image, Path target) {
    try (Tree tree = host.tree(target, Tree.Resolution.BENEATH)) {
      new RootfsUnpacker(tree, false, ArchiveLimits.USUAL, DECODERS).unpack(image, Progress.NONE);
    }
  }
}
