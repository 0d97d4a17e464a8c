package dev.stapes.internal.engine;

import dev.stapes.model.IdMapping;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Mounts;
import dev.stapes.spi.StoragePool;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/**
 * Directories of volumes, attached without the rest. Instances that have all of a volume may write
 * to it: where its directories are is found by the kernel at the moment of the mount, never by a
 * path that a link could lead astray.
 */
final class Subdirectories {
  private final Mounts mounts;
  private final Path places;

  /**
   * None yet; places that a crash has left are removed.
   *
   * @param places a directory for mount points, made when it is needed
   */
  Subdirectories(Mounts mounts, Path places) {
    this.mounts = mounts;
    this.places = places;
    if (Files.isDirectory(places)) {
      try (Stream<Path> left = Files.list(places)) {
        List.copyOf(left.toList()).forEach(this::remove);
      } catch (IOException e) {
        throw failure(places, e);
      }
    }
  }

  /** Attaches one of a volume that is attached; the volume is let go of with it. */
  StoragePool.Attachment of(StoragePool.Attachment volume, String below) {
    Path place = places.resolve(Ids.volume());
    try {
      make(place);
      mounts.bindBelow(volume.path(), below, place, Set.of());
      return new Attached(place, volume);
    } catch (RuntimeException | Error e) {
      try (volume) {
        remove(place);
      } catch (RuntimeException leftover) {
        e.addSuppressed(leftover);
      }
      throw e;
    }
  }

  /** Not while another thread removes the directory of all places. */
  private synchronized void make(Path place) {
    try {
      Files.createDirectories(place);
    } catch (IOException e) {
      throw failure(place, e);
    }
  }

  private synchronized void remove(Path place) {
    try {
      Files.deleteIfExists(place);
      Files.deleteIfExists(places);
    } catch (DirectoryNotEmptyException | NoSuchFileException e) {
      return; // others are in use
    } catch (IOException e) {
      throw failure(place, e);
    }
  }

  private static StapesException failure(Path place, IOException e) {
    return new StapesException(
        Kind.INTERNAL, "mount point " + place, "cannot be made or removed: " + e, e);
  }

  private final class Attached implements StoragePool.Attachment {
    private final Path place;
    private final StoragePool.Attachment volume;
    private final AtomicBoolean closed = new AtomicBoolean();

    Attached(Path place, StoragePool.Attachment volume) {
      this.place = place;
      this.volume = volume;
    }

    @Override
    public Path path() {
      return place;
    }

    @Override
    public Optional<IdMapping> mapped() {
      return volume.mapped();
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        try (volume) {
          mounts.unmount(place);
          remove(place);
        }
      }
    }
  }
}
