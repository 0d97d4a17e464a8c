package dev.stapes.internal.image;

import dev.stapes.model.ImageInfo;
import dev.stapes.model.Names;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.VolumeId;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images: their archives in a directory, their records in the state store, and their unpacked
 * form in the pools. An image is named by an alias, its fingerprint (SHA-256 of the archive) or a
 * unique start of that with at least 8 digits. Methods may be called from any thread; all that take
 * time end when the thread is interrupted, with nothing left behind.
 */
public final class ImageStore {
  private static final Logger LOG = LoggerFactory.getLogger(ImageStore.class);
  private static final int MOST_EDITS = 100;

  private final Host host;
  private final InstantSource clock;
  private final ImageCatalog catalog;
  private final ImageFiles files;
  private final ImageVolumes volumes;
  private final TemplateStore templates;
  private final ImageRecorder recorder;
  private final LastUses lastUses;
  private final ImageUses uses = new ImageUses();
  private final Object changes = new Object();

  private ImageStore(
      Host host,
      InstantSource clock,
      StateStore state,
      ImageCatalog catalog,
      ImageFiles files,
      Decoders decoders) {
    this.host = host;
    this.clock = clock;
    this.catalog = catalog;
    this.files = files;
    this.volumes =
        new ImageVolumes(state, clock, decoders, new DiskUnpacker(host, files, decoders));
    this.templates = new TemplateStore(state);
    this.recorder = new ImageRecorder(state, catalog, files, templates);
    this.lastUses = new LastUses(state, clock);
  }

  /**
   * Opens the images of a root directory, and removes what imports that crashed left of them.
   *
   * @param root the root directory; the archives are below {@code images} in it
   * @param decoders of archives
   */
  public static ImageStore open(
      Path root, StateStore state, Host host, Decoders decoders, InstantSource clock) {
    ImageCatalog catalog = new ImageCatalog(state);
    ImageFiles files =
        ImageFiles.open(
            root.resolve("images"),
            host,
            clock,
            fingerprint -> catalog.get(fingerprint).isPresent());
    files.retainBlobs(catalog::blobs);
    return new ImageStore(host, clock, state, catalog, files, decoders);
  }

  /**
   * Brings an image. One that is here already only gets the aliases.
   *
   * @param aliases names for it; none may belong to another image
   * @throws StapesException CONFLICT for an alias of another image, and what the source says
   */
  public Imported importFrom(ImageSource source, Collection<String> aliases, Progress progress) {
    return importFrom(source, new Wish(aliases, false, Optional.empty()), progress);
  }

  /**
   * What an image is to be here.
   *
   * @param aliases names for it; none may belong to another image; copied
   * @param cached whether it may go when it is not used
   * @param replaces the fingerprint of another image, which gives it all its aliases, and which it
   *     stays like where that is to stay by then
   */
  public record Wish(Collection<String> aliases, boolean cached, Optional<String> replaces) {
    /** Validates and copies. */
    public Wish {
      aliases = List.copyOf(aliases);
      aliases.forEach(Names::alias);
    }
  }

  /** Brings an image, as {@link #importFrom(ImageSource, Collection, Progress)} does. */
  public Imported importFrom(ImageSource source, Wish wish, Progress progress) {
    Path work = files.work();
    try {
      ImageSource.Fetched fetched = source.fetch(context(work, progress));
      ImageParts parts = ImageParts.of(fetched, work, source.describe());
      String fingerprint = ImageFiles.fingerprint(parts, progress);
      ImageInfo image =
          new ImageInfo(
              fingerprint,
              new TreeSet<>(wish.aliases()),
              fetched.metadata(),
              parts.size(),
              source.describe(),
              clock.instant());
      Optional<ImageTemplates> found =
          parts.blobs().isEmpty()
              ? TemplateReader.read(parts.archive(), fetched.metadata())
              : Optional.empty();
      synchronized (changes) {
        Optional<ImageRecord> replaced =
            wish.replaces().filter(old -> !old.equals(fingerprint)).flatMap(catalog::get);
        boolean mayGo = replaced.map(old -> old.info().cached()).orElse(true);
        return recorder.record(
            image.withOrigin(wish.cached() && mayGo, source.origin()), parts, found, replaced);
      }
    } finally {
      files.collect(work);
    }
  }

  private ImageSource.Context context(Path work, Progress progress) {
    return new ImageSource.Context(host, work, files.cache(), files::linkBlob, progress);
  }

  /** The fingerprint of what a source would bring, where it can say so. */
  public Optional<String> newest(ImageSource source, Progress progress) {
    Path work = files.work();
    try {
      return source.newest(context(work, progress));
    } finally {
      files.collect(work);
    }
  }

  /**
   * What an import did.
   *
   * @param image the image with all its aliases
   * @param isNew whether it was not there
   * @param newAliases those that it had not; copied
   * @param movedAliases those that were another image's; copied
   */
  public record Imported(
      ImageInfo image, boolean isNew, Set<String> newAliases, Set<String> movedAliases) {
    /** Copies. */
    public Imported {
      newAliases = Collections.unmodifiableSet(new TreeSet<>(newAliases));
      movedAliases = Collections.unmodifiableSet(new TreeSet<>(movedAliases));
    }

    static Imported of(
        ImageInfo image, Optional<ImageRecord> before, Optional<ImageRecord> replaced) {
      Set<String> moved = replaced.map(old -> old.info().aliases()).orElseGet(TreeSet::new);
      Set<String> added = new TreeSet<>(image.aliases());
      before.ifPresent(record -> added.removeAll(record.info().aliases()));
      added.removeAll(moved);
      return new Imported(image, before.isEmpty(), added, moved);
    }
  }

  /** Finds an image by alias, fingerprint or a unique start of it. */
  public ImageInfo find(String name) {
    return lastUses.in(catalog.find(name).info());
  }

  /** Whether there is an image of a fingerprint. */
  public boolean has(String fingerprint) {
    return catalog.get(fingerprint).isPresent();
  }

  /** All images, by fingerprint. */
  public List<ImageInfo> list() {
    return catalog.list().stream().map(lastUses::in).toList();
  }

  /** An instance is being made of an image. */
  public void used(ImageInfo image) {
    lastUses.used(image);
  }

  /**
   * Deletes an image with its aliases, its archive and its volumes in the given pools.
   *
   * @param pools the open pools by name; what others have of it goes when they are {@link #collect
   *     collected}
   * @return what it was
   * @throws StapesException NOT_FOUND; BUSY while it is unpacked, copied or exported
   */
  public ImageInfo delete(String name, Map<String, StoragePool> pools) {
    return deleteIf(name, image -> true, pools).orElseThrow();
  }

  /**
   * Deletes an image as {@link #delete} does, if it still is what the caller took it for.
   *
   * @param condition of the image as it is then, when nobody uses it and nobody else changes it
   * @return what it was; empty where the condition does not hold
   */
  public Optional<ImageInfo> deleteIf(
      String name, Predicate<ImageInfo> condition, Map<String, StoragePool> pools) {
    synchronized (changes) {
      ImageRecord record = catalog.find(name);
      String fingerprint = record.info().fingerprint();
      Set<String> gone = new HashSet<>();
      boolean deleted =
          uses.whenUnused(
              fingerprint,
              () -> {
                if (!condition.test(lastUses.in(record.info()))) {
                  return false;
                }
                gone.addAll(catalog.remove(record));
                templates.forget(fingerprint);
                lastUses.forget(fingerprint);
                return true;
              });
      if (!deleted) {
        return Optional.empty();
      }
      volumes.forgetVolumes(gone);
      removeFiles(fingerprint, gone, pools);
      return Optional.of(record.info());
    }
  }

  /** Of an image without a record; what stays is removed when it or its pool is opened next. */
  private void removeFiles(String fingerprint, Set<String> unused, Map<String, StoragePool> pools) {
    try {
      files.delete(fingerprint);
      files.retainBlobs(catalog::blobs);
    } catch (StapesException e) {
      LOG.warn("archive {} stays for now: {}", fingerprint, e.getMessage());
    }
    pools.forEach((name, pool) -> unused.forEach(volume -> discard(name, pool, volume)));
  }

  private static void discard(String poolName, StoragePool pool, String volume) {
    try {
      pool.discard(ImageVolumes.id(volume));
    } catch (StapesException e) {
      LOG.warn("pool {} keeps {} for now: {}", poolName, volume, e.getMessage());
    }
  }

  /** Gives an image one more alias; CONFLICT where it belongs to another. */
  public ImageInfo addAlias(String name, String alias) {
    synchronized (changes) {
      return catalog.addAlias(name, Names.alias(alias));
    }
  }

  /** Takes an alias away. */
  public ImageInfo removeAlias(String alias) {
    synchronized (changes) {
      return catalog.removeAlias(alias);
    }
  }

  /** Gives an alias another name; CONFLICT where that exists. */
  public ImageInfo renameAlias(String alias, String newAlias) {
    synchronized (changes) {
      return catalog.renameAlias(alias, newAlias);
    }
  }

  /**
   * Gives an image other properties; those in its archive stay as they are.
   *
   * @param change may take its time and call the store; it is called again where the image has
   *     changed meanwhile
   * @throws StapesException NOT_FOUND; CONFLICT where it changes all the time; what the change says
   */
  public ImageInfo edit(String name, UnaryOperator<SortedMap<String, String>> change) {
    for (int tries = 1; ; tries++) {
      ImageRecord record = catalog.find(name);
      SortedMap<String, String> properties =
          change.apply(new TreeMap<>(record.info().metadata().properties()));
      try {
        synchronized (changes) {
          return catalog.edit(record, properties);
        }
      } catch (StapesException e) {
        if (e.kind() != StapesException.Kind.CONFLICT || tries == MOST_EDITS) {
          throw e;
        }
      }
    }
  }

  /**
   * Copies the archive of an image, or makes one of an OCI image.
   *
   * @param target a path that does not exist; it appears whole or not at all
   * @return whose archive it is
   */
  public ImageInfo export(String name, Path target, Progress progress) {
    ImageInfo image = catalog.find(name).info();
    try (ImageUses.Use use = uses.begin(image.fingerprint())) {
      files.export(image, parts(image.fingerprint()), target, progress);
      return image;
    }
  }

  /** The directory of its archives, for people. */
  public String place() {
    return files.directory().toString();
  }

  /** An image for another store; it is not deleted while that copies it. */
  public ImageSource source(String name) {
    ImageInfo image = catalog.find(name).info();
    String fingerprint = image.fingerprint();
    return new StoredSource(
        image,
        place(),
        reading -> {
          try (ImageUses.Use use = uses.begin(fingerprint)) {
            return reading.apply(parts(fingerprint));
          }
        });
  }

  /**
   * Makes sure that a pool has an image unpacked, and says where. Any number of callers may ask at
   * once: one unpacks, the others wait.
   *
   * @param poolName under which the state store remembers it
   * @param name of the image
   * @return a volume, never to change; it may go with its image, unless it is used by {@link
   *     #fromUnpacked}
   * @throws StapesException NOT_FOUND; INVALID where the archive is damaged or hostile; what the
   *     pool says; INTERRUPTED
   */
  public VolumeId unpackInto(String poolName, StoragePool pool, String name, Progress progress) {
    return fromUnpacked(poolName, pool, name, progress, volume -> volume);
  }

  /**
   * Makes something of an image that is {@link #unpackInto unpacked} in a pool. It is not deleted
   * before that is made.
   *
   * @param making is given the volume to copy from, never to change
   */
  public <T> T fromUnpacked(
      String poolName,
      StoragePool pool,
      String name,
      Progress progress,
      Function<VolumeId, T> making) {
    String fingerprint = catalog.find(name).info().fingerprint();
    try (ImageUses.Use use = uses.begin(fingerprint)) {
      ImageRecord record = required(fingerprint); // it may have gone before the use began
      String volume = record.volume();
      return making.apply(
          volumes.isComplete(poolName, pool, volume)
              ? ImageVolumes.id(volume)
              : volumes.ensure(poolName, pool, record.info(), parts(fingerprint), progress));
    }
  }

  /**
   * Makes something of the root file system of an image in its file. It is not deleted before that
   * is made.
   *
   * @param unpacked is given the volume where the image is unpacked in the pool
   * @param making is given a squashfs otherwise, never to change
   * @throws StapesException NOT_FOUND; UNSUPPORTED where it has none
   */
  public void fromFile(
      String poolName,
      StoragePool pool,
      String name,
      Consumer<VolumeId> unpacked,
      Consumer<Path> making) {
    String fingerprint = catalog.find(name).info().fingerprint();
    try (ImageUses.Use use = uses.begin(fingerprint)) {
      String volume = required(fingerprint).volume();
      if (volumes.isComplete(poolName, pool, volume)) {
        unpacked.accept(ImageVolumes.id(volume));
        return;
      }
      making.accept(parts(fingerprint).squashfs(ImageCatalog.subject(fingerprint)));
    }
  }

  /**
   * Discards the image volumes of a pool that a crash left incomplete, and those of images that are
   * gone. To be called when a pool was opened.
   */
  public void collect(String poolName, StoragePool pool) {
    volumes.collect(poolName, pool, catalog.volumes());
  }

  /** The templates of images. */
  public TemplateStore templates() {
    return templates;
  }

  /**
   * Removes templates that nobody has. To be called while nobody brings an image or makes an
   * instance.
   *
   * @param used what instances have
   */
  public void collectTemplates(Set<String> used) {
    templates.collect(fingerprint -> catalog.get(fingerprint).isPresent(), used);
  }

  /** Forgets what a pool had. To be called when it was destroyed. */
  public void forgetPool(String poolName) {
    volumes.forgetPool(poolName);
  }

  /** Within a use, so that they stay. */
  private ImageParts parts(String fingerprint) {
    ImageRecord record = required(fingerprint);
    if (!files.exists(fingerprint, record.form())) {
      throw new StapesException(
          StapesException.Kind.UNAVAILABLE,
          ImageCatalog.subject(fingerprint),
          "its archive is missing: " + files.archive(fingerprint) + ": import it again");
    }
    return files.parts(fingerprint, record.form());
  }

  private ImageRecord required(String fingerprint) {
    return catalog
        .get(fingerprint)
        .orElseThrow(() -> StapesException.notFound(ImageCatalog.subject(fingerprint)));
  }
}
