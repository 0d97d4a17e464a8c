package dev.stapes.internal.engine;

import dev.stapes.internal.image.IsoImport;
import dev.stapes.internal.operation.Locks;
import dev.stapes.model.Config;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.model.VolumeContent;
import dev.stapes.model.VolumeKeys;
import dev.stapes.spi.StoragePool;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Makes custom volumes of images of CDs. */
public final class IsoImportService {
  private final Catalog catalog;
  private final Work work;
  private final PoolService pools;
  private final VolumeContents contents;
  private final InstantSource clock;

  IsoImportService(
      Catalog catalog, Work work, PoolService pools, VolumeContents contents, InstantSource clock) {
    this.catalog = catalog;
    this.work = work;
    this.pools = pools;
    this.contents = contents;
    this.clock = clock;
  }

  /** Makes one of a file, and answers its id. */
  public String read(String pool, Path file, String name, Progress progress) {
    if (!Files.exists(file)) {
      throw StapesException.notFound("image " + file);
    }
    if (!Files.isRegularFile(file)) {
      throw StapesException.invalid("image " + file, "is no file: read a device as a stream");
    }
    try (InputStream in = new FileInputStream(file.toFile())) {
      return read(pool, in, Optional.of(Size.ofBytes(Files.size(file))), name, progress);
    } catch (IOException e) {
      throw new StapesException(Kind.UNAVAILABLE, "image " + file, "cannot be read: " + e, e);
    }
  }

  /**
   * Makes one of a stream, and answers its id.
   *
   * @param size where it is known: then a pool makes no larger device than is needed
   */
  public String read(
      String pool, InputStream in, Optional<Size> size, String name, Progress progress) {
    Names.volume(name);
    String subject = VolumeRecord.subject(pool, name);
    return work.runLong(
        "storage-volume-import",
        subject,
        progress,
        step -> {
          StoragePool to = pools.pool(pool);
          step.keep(
              Locks.Claim.alone(Work.lockOfVolume(pool, name)).sharing(Work.lockOfPool(pool)));
          VolumeService.requireFree(catalog, pool, name);
          VolumeRecord draft = draft(pool, name);
          step.intend(false, List.of(draft.ref()));
          step.undo("volume " + draft.volumeId(), () -> Trash.takeBack(to, draft.volumeId()));
          Size has =
              IsoImport.read(
                  subject,
                  in,
                  size,
                  least -> contents.place(to, draft, size, least),
                  step.progress());
          Work.checkInterrupt(subject);
          Config config = Config.empty().with(VolumeKeys.SIZE.name(), has.toString());
          step.conclude(catalog.change(false).insert(draft.with("", config)));
          step.done();
          work.happened("storage-volume-created", subject, Map.of());
          return draft.id();
        });
  }

  private VolumeRecord draft(String pool, String name) {
    return new VolumeRecord(
        Ids.volume(),
        pool,
        name,
        "",
        Ids.volume(),
        new TreeMap<>(),
        clock.instant().toString(),
        VolumeRecord.textOf(VolumeContent.ISO));
  }
}
