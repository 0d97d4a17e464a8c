package dev.stapes.internal.engine;

import dev.stapes.internal.image.ImageStore;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.Progress;
import dev.stapes.model.PublishSpec;
import dev.stapes.spi.ImageSource;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Images: each change is an operation that can be cancelled, and what came of it an event. Unlike
 * {@link Work#run} it keeps neither locks, which the store has itself, nor the host's fast paths,
 * which would be held for as long as a download takes.
 */
public final class ImageService {
  private final ImageStore store;
  private final Work work;
  private final PoolService pools;
  private final Trash trash;
  private final Publisher publisher;

  ImageService(ImageStore store, Work work, PoolService pools, Trash trash, Publisher publisher) {
    this.store = store;
    this.work = work;
    this.pools = pools;
    this.trash = trash;
    this.publisher = publisher;
  }

  /**
   * Brings an image, or gives the one that is there the aliases.
   *
   * @param cached whether it may go when it is not used
   */
  public ImageInfo importFrom(
      ImageSource source, Set<String> aliases, boolean cached, Progress progress) {
    String subject = "image " + aliases.stream().findFirst().orElseGet(source::describe);
    return work.unlocked(
        "image-create",
        subject,
        progress,
        told -> bring(source, new ImageStore.Wish(aliases, cached, Optional.empty()), told));
  }

  private ImageInfo bring(ImageSource source, ImageStore.Wish wish, Progress told) {
    ImageStore.Imported imported = store.importFrom(source, wish, told);
    happened(imported, source);
    return imported.image();
  }

  /** Says what an import has changed. */
  void happened(ImageStore.Imported imported, ImageSource source) {
    ImageInfo image = imported.image();
    if (imported.isNew()) {
      work.happened("image-created", subject(image), Map.of("source", source.describe()));
    }
    imported.newAliases().forEach(alias -> aliasCreated(alias, image));
    for (String alias : imported.movedAliases()) {
      work.happened(
          "image-alias-updated", aliasSubject(alias), Map.of("target", image.fingerprint()));
    }
  }

  /** Makes an image of an instance or a snapshot; the one that is there gets the aliases. */
  public ImageInfo publish(PublishSpec spec, Set<String> aliases, Progress progress) {
    return publisher.publish(
        spec,
        aliases.stream().findFirst(),
        progress,
        (source, told) ->
            bring(source, new ImageStore.Wish(aliases, false, Optional.empty()), told));
  }

  /** Deletes an image everywhere. */
  public void delete(String reference) {
    deleteIf(reference, image -> true);
  }

  /** Deletes an image everywhere if it still is what the caller took it for; false where not. */
  boolean deleteIf(String reference, Predicate<ImageInfo> condition) {
    boolean deleted =
        work.unlocked(
            "image-delete",
            "image " + reference,
            Progress.NONE,
            told -> {
              Optional<ImageInfo> image = store.deleteIf(reference, condition, pools.open());
              image.ifPresent(gone -> work.happened("image-deleted", subject(gone), Map.of()));
              return image.isPresent();
            });
    if (deleted) {
      pools.open().keySet().forEach(trash::reclaimBehind);
    }
    return deleted;
  }

  /** Gives an image one more name. */
  public void addAlias(String reference, String alias) {
    work.unlocked(
        "image-alias-create",
        aliasSubject(alias),
        Progress.NONE,
        told -> {
          boolean had = store.find(reference).aliases().contains(alias);
          ImageInfo image = store.addAlias(reference, alias);
          if (!had) {
            aliasCreated(alias, image);
          }
          return true;
        });
  }

  /** Takes a name away. */
  public void removeAlias(String alias) {
    work.unlocked(
        "image-alias-delete",
        aliasSubject(alias),
        Progress.NONE,
        told -> {
          ImageInfo image = store.removeAlias(alias);
          work.happened(
              "image-alias-deleted", aliasSubject(alias), Map.of("target", image.fingerprint()));
          return true;
        });
  }

  /** Gives an image other properties. */
  public ImageInfo edit(String reference, UnaryOperator<SortedMap<String, String>> change) {
    return work.unlocked(
        "image-update",
        "image " + reference,
        Progress.NONE,
        told -> {
          ImageInfo before = store.find(reference);
          ImageInfo image = store.edit(reference, change);
          if (!image.metadata().equals(before.metadata())) {
            work.happened("image-updated", subject(image), Map.of());
          }
          return image;
        });
  }

  /** Copies the archive of an image. */
  public void export(String reference, Path target) {
    work.unlocked(
        "image-export",
        "image " + reference,
        Progress.NONE,
        told -> {
          ImageInfo image = store.export(reference, target, told);
          work.happened("image-retrieved", subject(image), Map.of("target", target.toString()));
          return true;
        });
  }

  /** Copies an image to another root directory, which this engine stays open for. */
  public ImageInfo copyTo(
      String reference, ImageService other, Set<String> aliases, Progress progress) {
    return work.unlocked(
        "image-copy",
        "image " + reference,
        Progress.NONE,
        told -> {
          ImageInfo copied = other.importFrom(store.source(reference), aliases, false, progress);
          work.happened("image-retrieved", subject(copied), Map.of("target", other.store.place()));
          return copied;
        });
  }

  /** Finds an image by alias, fingerprint or a unique start of it. */
  public ImageInfo find(String reference) {
    return store.find(reference);
  }

  /** All images, by fingerprint. */
  public List<ImageInfo> list() {
    return store.list();
  }

  private void aliasCreated(String alias, ImageInfo image) {
    work.happened(
        "image-alias-created", aliasSubject(alias), Map.of("target", image.fingerprint()));
  }

  private static String subject(ImageInfo image) {
    return "image " + image.fingerprint();
  }

  private static String aliasSubject(String alias) {
    return "image alias " + alias;
  }
}
