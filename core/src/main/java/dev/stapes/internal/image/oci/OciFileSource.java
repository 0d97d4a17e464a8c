package dev.stapes.internal.image.oci;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import dev.stapes.spi.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An image of an OCI image layout, which is a directory or an archive, or of an archive of {@code
 * docker save}. Which of them it is its content says. Nothing is known of a newer one elsewhere, so
 * it has no origin.
 */
public final class OciFileSource implements ImageSource {
  private final OciFileSpec spec;
  private final String subject;

  /** Nothing is read yet. */
  public OciFileSource(OciFileSpec spec) {
    this.spec = spec;
    this.subject = "OCI image " + spec;
  }

  @Override
  public String describe() {
    return subject;
  }

  /** Without a manifest of its own an image has to be read for it. */
  @Override
  public Optional<String> newest(Context context) {
    try (LocalFiles files = open(context)) {
      return LayoutImage.isIn(files)
          ? Optional.of(Sha256.hex(new LayoutImage(files, spec, context, subject).manifest()))
          : Optional.empty();
    }
  }

  @Override
  public Fetched fetch(Context context) {
    try (LocalFiles files = open(context)) {
      if (LayoutImage.isIn(files)) {
        return new LayoutImage(files, spec, context, subject).fetch();
      } else if (SavedImage.isIn(files)) {
        return new SavedImage(files, spec, context, subject).fetch();
      }
      throw SavedImage.unknown(files, subject);
    }
  }

  private LocalFiles open(Context context) {
    Path path = spec.path().toAbsolutePath();
    if (Files.isDirectory(path)) {
      Tree tree = context.host().tree(path, Tree.Resolution.BENEATH);
      return new DirectoryFiles(tree, context.progress(), subject);
    }
    if (!Files.exists(path)) {
      throw StapesException.notFound(subject);
    }
    if (!Files.isRegularFile(path)) {
      throw StapesException.invalid(subject, "is no directory and no regular file");
    }
    return ArchivedFiles.open(path, context.progress(), subject);
  }
}
