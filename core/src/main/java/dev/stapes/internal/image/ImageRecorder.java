package dev.stapes.internal.image;

import dev.stapes.model.ImageInfo;
import dev.stapes.spi.StateStore;
import java.util.Optional;

/**
 * Puts what came into its place: templates, files, and the record, which is last. What fails is
 * taken back. For one thread at a time.
 */
final class ImageRecorder {
  private final StateStore state;
  private final ImageCatalog catalog;
  private final ImageFiles files;
  private final TemplateStore templates;

  ImageRecorder(StateStore state, ImageCatalog catalog, ImageFiles files, TemplateStore templates) {
    this.state = state;
    this.catalog = catalog;
    this.files = files;
    this.templates = templates;
  }

  /**
   * Records an image, or what is new of one that is there.
   *
   * @param found its templates
   * @param replaced another image that gives it its aliases
   */
  ImageStore.Imported record(
      ImageInfo image,
      ImageParts parts,
      Optional<ImageTemplates> found,
      Optional<ImageRecord> replaced) {
    Runnable undo = found.map(of -> templates.put(image.fingerprint(), of)).orElse(() -> {});
    try {
      return record(image, parts, replaced);
    } catch (RuntimeException e) {
      try {
        undo.run();
      } catch (RuntimeException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private ImageStore.Imported record(
      ImageInfo image, ImageParts parts, Optional<ImageRecord> replaced) {
    String fingerprint = image.fingerprint();
    Optional<ImageRecord> before = catalog.get(fingerprint);
    ImageForm form = before.map(ImageRecord::form).orElse(parts.form());
    boolean place = !files.exists(fingerprint, form);
    if (place) {
      files.place(parts, fingerprint);
    }
    try {
      ImageInfo recorded = catalog.put(image, form, replaced);
      state.sync();
      return ImageStore.Imported.of(recorded, before, replaced);
    } catch (RuntimeException e) {
      takeBack(fingerprint, before, replaced, e);
      if (place && catalog.get(fingerprint).isEmpty()) {
        files.delete(fingerprint);
        files.retainBlobs(catalog::blobs);
      }
      throw e;
    }
  }

  /** What was recorded but is not safe: the image, or the aliases that it had not had. */
  private void takeBack(
      String fingerprint,
      Optional<ImageRecord> before,
      Optional<ImageRecord> replaced,
      RuntimeException cause) {
    try {
      catalog.takeBack(fingerprint, before, replaced);
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }
}
