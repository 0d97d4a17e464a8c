package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.VolumeInfo;
import dev.stapes.model.VolumeSpec;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The custom volumes of a pool: directory trees and disks that devices of instances use. */
public final class Volumes {
  private final Engine engine;
  private final String pool;

  Volumes(Engine engine, String pool) {
    this.engine = engine;
    this.pool = pool;
  }

  /** Makes an empty one without a limit. See {@link #create(VolumeSpec)}. */
  public Volume create(String name) {
    return create(VolumeSpec.of(name));
  }

  /**
   * Makes an empty one: a directory tree, or a disk ({@link VolumeSpec#block}) that reads as zeros.
   *
   * @throws StapesException CONFLICT where there is one of that name; UNSUPPORTED where a limit is
   *     asked for and the pool has no quotas; INVALID for an ISO volume
   */
  public Volume create(VolumeSpec spec) {
    return new Volume(engine, engine.volumes().create(pool, spec));
  }

  /** Makes one of an image of a CD. See the other methods of this name. */
  public Volume importIso(Path image, String name) {
    return importIso(image, name, Progress.NONE);
  }

  /**
   * Makes one of an image of a CD in a file, whose size is known. See the other method of this
   * name.
   *
   * @throws StapesException NOT_FOUND; INVALID where it is no plain file; UNAVAILABLE where it
   *     cannot be read
   */
  public Volume importIso(Path image, String name, Progress progress) {
    return new Volume(engine, engine.isoImports().read(pool, image, name, progress));
  }

  /**
   * Makes one of an image of a CD or DVD, which virtual machines have as that: they read it and can
   * boot from it. It stays as it is. Where it fails nothing is left.
   *
   * @param image is read to its end, and stays open
   * @param progress told of bytes
   * @throws StapesException INVALID where it is no ISO 9660 image, nor UDF, or was cut; CONFLICT
   *     where there is a volume of that name; EXHAUSTED where it does not fit
   */
  public Volume importIso(InputStream image, String name, Progress progress) {
    return new Volume(
        engine, engine.isoImports().read(pool, image, Optional.empty(), name, progress));
  }

  /** Makes one of a backup, by the name that it had; see the other method of this name. */
  public Volume importFrom(Path backup) {
    return importFrom(backup, Optional.empty(), Progress.NONE);
  }

  /**
   * Makes one of a backup that {@link Volume#export} wrote, with its snapshots. The whole file is
   * checked first, and is not trusted: nothing is written outside of the volume, and device nodes
   * are left out. Where it fails nothing is left.
   *
   * @param name empty: the one that it had
   * @throws StapesException INVALID where it is no backup, was cut, or was changed; CONFLICT where
   *     there is one of that name; UNSUPPORTED where it has a limit and the pool has no quotas;
   *     NOT_FOUND; EXHAUSTED where it does not fit
   */
  public Volume importFrom(Path backup, Optional<String> name, Progress progress) {
    return new Volume(engine, engine.volumeBackups().read(pool, backup, name, progress));
  }

  /**
   * One of them.
   *
   * @throws StapesException NOT_FOUND
   */
  public Volume get(String name) {
    return new Volume(engine, engine.volumes().find(pool, name));
  }

  /** What all of them are, by name. */
  public List<VolumeInfo> list() {
    return engine.volumes().list(pool);
  }
}
