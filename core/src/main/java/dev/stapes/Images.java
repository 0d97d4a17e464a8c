package dev.stapes;

import dev.stapes.internal.engine.Engine;
import dev.stapes.internal.engine.ImageService;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.Progress;
import dev.stapes.model.PublishSpec;
import dev.stapes.model.SnapshotInfo;
import dev.stapes.spi.ImageSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The images of a root directory. An image is named by an alias, its fingerprint, or a prefix of
 * that of at least 8 digits which no other image has. Every change is an operation, see {@link
 * Operations}.
 */
public final class Images {
  private static final Duration CACHED_FOR = Duration.ofDays(10);

  private final Engine engine;

  Images(Engine engine) {
    this.engine = engine;
  }

  /**
   * Imports an image, see {@link ImageSources}. One that is there already gets the aliases.
   *
   * @param aliases names for it, one twice is one; CONFLICT where one belongs to another image
   */
  public ImageInfo importFrom(ImageSource source, String... aliases) {
    return importFrom(source, Progress.NONE, aliases);
  }

  /**
   * The same, telling how far it is. To cancel it, interrupt the thread or {@link
   * Operations#cancel}: what it runs is ended, and nothing is left of it.
   */
  public ImageInfo importFrom(ImageSource source, Progress progress, String... aliases) {
    return engine
        .images()
        .importFrom(source, new LinkedHashSet<>(List.of(aliases)), false, progress);
  }

  /**
   * Imports an image that may go when it has not been used for some time, see {@link #expire}: what
   * Incus does with the image of a launch. One that was imported to stay stays, and one that is
   * cached stays once it is imported to.
   *
   * @param aliases names for it, one twice is one; CONFLICT where one belongs to another image
   */
  public ImageInfo importCached(ImageSource source, String... aliases) {
    return importCached(source, Progress.NONE, aliases);
  }

  /** The same, telling how far it is. */
  public ImageInfo importCached(ImageSource source, Progress progress, String... aliases) {
    return engine
        .images()
        .importFrom(source, new LinkedHashSet<>(List.of(aliases)), true, progress);
  }

  /**
   * Makes an image of a stopped instance as it is, see {@link #publish(PublishSpec, Progress,
   * String...)}.
   *
   * @param aliases names for it, one twice is one; CONFLICT where one belongs to another image
   */
  public ImageInfo publish(Instance instance, String... aliases) {
    return publish(PublishSpec.of(instance.id()), aliases);
  }

  /**
   * Makes an image of a snapshot, whether its instance runs or not, see {@link
   * #publish(PublishSpec, Progress, String...)}.
   *
   * @param aliases names for it, one twice is one; CONFLICT where one belongs to another image
   */
  public ImageInfo publish(SnapshotInfo snapshot, String... aliases) {
    return publish(PublishSpec.of(snapshot), aliases);
  }

  /** The same with properties, another compression and more. */
  public ImageInfo publish(PublishSpec spec, String... aliases) {
    return publish(spec, Progress.NONE, aliases);
  }

  /**
   * Makes a unified image of an instance or a snapshot: its root file system with the owners that
   * the instance sees, extended attributes, hard links and holes; the properties and the templates
   * of the image that it was made of. Left out are sockets and what is below {@code /dev}. What
   * makes a system the one that it is, such as its machine id and its keys, is in it: remove that
   * before. Equal content gives an equal image, and one that is there already gets the aliases.
   *
   * <p>Of a virtual machine it has the disk, as a compressed qcow2, which qemu-img(1) makes;
   * UNAVAILABLE where that is missing.
   *
   * <p>The instance is held only as long as it takes to copy its root disk, which in most pools is
   * a moment, and goes its way while the copy is packed. To cancel it, interrupt the thread or
   * {@link Operations#cancel}: nothing is left of it.
   *
   * @param aliases names for it, one twice is one
   * @throws dev.stapes.model.StapesException BUSY where it is an instance that runs, unless it is
   *     asked for by {@link PublishSpec#running}; NOT_FOUND for the instance or the snapshot;
   *     CONFLICT where an alias belongs to another image; EXHAUSTED where the disk is full; INVALID
   *     where it is more than an image may be, such as files of 256 GiB in all, holes included
   */
  public ImageInfo publish(PublishSpec spec, Progress progress, String... aliases) {
    return engine.images().publish(spec, new LinkedHashSet<>(List.of(aliases)), progress);
  }

  /** One image. NOT_FOUND; CONFLICT where a prefix is not unique. */
  public ImageInfo get(String reference) {
    return engine.images().find(reference);
  }

  /** All images, by fingerprint. */
  public List<ImageInfo> list() {
    return engine.images().list();
  }

  /**
   * Those that are meant, by fingerprint.
   *
   * @param which such as an {@link ImageFilter}
   */
  public List<ImageInfo> list(Predicate<? super ImageInfo> which) {
    return list().stream().filter(which).toList();
  }

  /**
   * Gives an image a property, or another value of it. Its archive stays as it is; who imports it
   * again elsewhere gets the old ones. Instances that are made of it have the new one as {@code
   * image.<key>}; those that were made stay as they are.
   *
   * @param key 1 to 255 characters, no white space, no control characters, no {@code =}
   * @param value at most 65,536 characters, of control characters only tabs
   * @return the image as it is now
   * @throws dev.stapes.model.StapesException INVALID; NOT_FOUND
   */
  public ImageInfo setProperty(String reference, String key, String value) {
    ImageMetadata.requireProperty(key, value);
    return editProperties(reference, properties -> properties.put(key, value));
  }

  /**
   * Takes a property from an image; does nothing where it has none of that name.
   *
   * @return the image as it is now
   * @throws dev.stapes.model.StapesException NOT_FOUND for the image
   */
  public ImageInfo unsetProperty(String reference, String key) {
    return editProperties(reference, properties -> properties.remove(key));
  }

  /**
   * Changes properties of an image, all at once.
   *
   * @param changes is given those that there are, and changes them; may be called again
   * @return the image as it is now
   * @throws dev.stapes.model.StapesException INVALID for one that {@link #setProperty} refuses;
   *     NOT_FOUND; CONFLICT where others change the image each time; nothing has changed then
   */
  public ImageInfo editProperties(String reference, Consumer<SortedMap<String, String>> changes) {
    return engine
        .images()
        .edit(
            reference,
            before -> {
              TreeMap<String, String> after = new TreeMap<>(before);
              changes.accept(after);
              after.forEach(
                  (key, value) -> {
                    if (!value.equals(before.get(key))) {
                      ImageMetadata.requireProperty(key, value);
                    }
                  });
              return after;
            });
  }

  /**
   * Deletes an image; instances that were made of it stay. BUSY while one is made of it, and while
   * it is copied or exported.
   */
  public void delete(String reference) {
    engine.images().delete(reference);
  }

  /** Gives an image one more name; CONFLICT where another image has it. */
  public void addAlias(String reference, String alias) {
    engine.images().addAlias(reference, alias);
  }

  /** Takes a name away. */
  public void removeAlias(String alias) {
    engine.images().removeAlias(alias);
  }

  /**
   * Writes the file of an image, which must not exist; it appears whole or not at all. The root
   * file system of a split image is written beside it, to {@code <target>.root}.
   *
   * <p>An OCI image becomes an archive of an OCI image layout, which skopeo(1) and {@link
   * ImageSources#oci(Path)} read: its manifest, configuration and layers as they came, so that its
   * digest stays, under the name that its property {@code id} has, unless that is none. The same
   * image always gives the same bytes. It is INVALID where a part was damaged.
   */
  public void export(String reference, Path target) {
    engine.images().export(reference, target);
  }

  /** Copies an image to another root directory, without names but those that are given. */
  public ImageInfo copyTo(String reference, Stapes other, String... aliases) {
    return copyTo(reference, other, Progress.NONE, aliases);
  }

  /**
   * Copies an image to another root directory: its files, which are checked on the way, and its
   * metadata with the properties as they are now. The fingerprint is the same. Of an OCI image only
   * the parts are copied that the other one does not have. It is an operation of both, and either
   * can be cancelled.
   *
   * @param aliases names for it there; to keep those that it has, give {@link ImageInfo#aliases}
   * @throws dev.stapes.model.StapesException NOT_FOUND; CONFLICT where an alias belongs to another
   *     image there; INVALID where a file of the image was damaged; EXHAUSTED where the disk is
   *     full
   */
  public ImageInfo copyTo(String reference, Stapes other, Progress progress, String... aliases) {
    return other
        .images()
        .receive(engine.images(), reference, new LinkedHashSet<>(List.of(aliases)), progress);
  }

  private ImageInfo receive(
      ImageService from, String reference, Set<String> aliases, Progress progress) {
    return from.copyTo(reference, engine.images(), aliases, progress);
  }

  /**
   * Asks where an image came from for a newer version, and imports that where there is one: all
   * aliases are the new one's then, at once. Instances stay as they are. The old image stays
   * without names, or goes where it was cached. Nothing calls this by itself: a program does, as
   * often as it likes.
   *
   * <p>Nothing secret is kept: an image that came with headers or a login of its own needs its
   * {@link #refresh(String, ImageSource) source} again. A server that names no fingerprint has to
   * send the whole image to be asked.
   *
   * @return the new image, or the same
   * @throws dev.stapes.model.StapesException UNSUPPORTED where the image cannot be asked for again:
   *     one of a file or a directory, a published one, one that came with headers or a login, one
   *     of an address with a query, or one whose fingerprint was demanded; NOT_FOUND; and what the
   *     source says, when nothing has changed
   */
  public ImageInfo refresh(String reference) {
    return refresh(reference, Progress.NONE);
  }

  /** The same, telling how far it is. */
  public ImageInfo refresh(String reference, Progress progress) {
    return engine.imageUpkeep().refresh(reference, Optional.empty(), progress);
  }

  /** The same from a given source, whatever the image came from. */
  public ImageInfo refresh(String reference, ImageSource source) {
    return refresh(reference, source, Progress.NONE);
  }

  /** The same, telling how far it is. */
  public ImageInfo refresh(String reference, ImageSource source, Progress progress) {
    return engine.imageUpkeep().refresh(reference, Optional.of(source), progress);
  }

  /**
   * Refreshes all images that have an alias and can be asked for again, one after the other. Where
   * one fails the others are refreshed all the same; one that is deleted meanwhile is passed over.
   *
   * @return the new images
   * @throws dev.stapes.model.ImageRefreshException where some failed: it has the new images, and
   *     what the others failed with; an interrupt ends it at once
   */
  public List<ImageInfo> refreshAll() {
    return engine.imageUpkeep().refreshAll(Progress.NONE);
  }

  /** Removes cached images of which nothing was made for 10 days, see {@link #expire(Duration)}. */
  public List<ImageInfo> expire() {
    return expire(CACHED_FOR);
  }

  /**
   * Removes cached images of which no instance was made for so long, counted from their import
   * where none ever was. Instances that were made of them stay. One that is just being used stays.
   * Nothing calls this by itself: a program does, as often as it likes.
   *
   * @param unusedFor zero or more; times of use are known to the day
   * @return what was removed
   * @throws dev.stapes.model.StapesException INVALID for a negative time
   */
  public List<ImageInfo> expire(Duration unusedFor) {
    return engine.imageUpkeep().expire(unusedFor);
  }
}
