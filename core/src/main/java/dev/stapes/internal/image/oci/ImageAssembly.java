package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.image.DiskError;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource.Blob;
import dev.stapes.spi.ImageSource.Context;
import dev.stapes.spi.ImageSource.Fetched;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts an image together from its parts, wherever they are. Parts that the store has are not asked
 * for.
 */
final class ImageAssembly {
  /** Of a manifest or an index, as the distribution specification advises. */
  static final int MANIFEST_BYTES = 4 << 20;

  /** Of a configuration. */
  static final int CONFIG_BYTES = 4 << 20;

  /** Of a layer. */
  static final long LAYER_BYTES = 64L << 30;

  private static final int INDEX_DEPTH = 3;

  private final Context context;
  private final Parts parts;
  private final String subject;

  /** Where the parts are. */
  interface Parts {
    /** An index or a manifest, of at most {@link #MANIFEST_BYTES}; its digest is checked here. */
    byte[] document(String digest);

    /**
     * Brings parts to files in the work directory, each named by the digits of its digest.
     *
     * @param missing each once; size and digest of what comes are checked there
     */
    void bring(List<Descriptor> missing);
  }

  ImageAssembly(Context context, Parts parts, String subject) {
    this.context = context;
    this.parts = parts;
    this.subject = subject;
  }

  /** The platform that is meant where none is given: the machine's. */
  static Platform platform(Optional<String> given, Context context) {
    return given
        .map(Platform::parse)
        .orElseGet(() -> Platform.ofKernel(context.host().facts().architecture()));
  }

  /** An index or a manifest that is what its digest says. */
  byte[] document(String digest) {
    byte[] document = parts.document(digest);
    String its = "sha256:" + Sha256.hex(document);
    if (!digest.equals(its)) {
      throw StapesException.invalid(
          subject, "its manifest has the digest " + its + " instead of " + digest);
    }
    return document;
  }

  /** The manifest of the image itself, through the indexes that lead to it. */
  byte[] manifest(byte[] first, Platform platform) {
    byte[] document = first;
    for (int depth = 0; ; depth++) {
      JsonNode read = Json.object(document, subject);
      if (!Manifest.isIndex(read)) {
        return document;
      }
      if (depth == INDEX_DEPTH) {
        throw StapesException.invalid(subject, "has indexes of indexes without end");
      }
      document = document(Manifest.choose(read, platform, subject).digest());
    }
  }

  /**
   * The image of a manifest.
   *
   * @param reference its name
   */
  Fetched image(byte[] document, String reference) {
    Manifest manifest = Manifest.of(Json.object(document, subject), subject);
    List<Blob> blobs = new ArrayList<>();
    bring(List.of(manifest.config()), CONFIG_BYTES);
    blobs.add(new Blob(manifest.config().sha256(), file(manifest.config()), false));
    try {
      JsonNode config = Json.object(Files.readAllBytes(file(manifest.config())), subject);
      ImageMetadata metadata = ImageConfig.read(config, reference, subject);
      bring(manifest.layers(), LAYER_BYTES);
      for (Descriptor layer : manifest.layers()) {
        blobs.add(new Blob(layer.sha256(), file(layer), true));
      }
      Path archive = Files.write(context.work().resolve("manifest"), document);
      return new Fetched(archive, Optional.empty(), blobs, metadata);
    } catch (IOException e) {
      throw failed(subject, e);
    }
  }

  private void bring(List<Descriptor> wanted, long most) {
    Map<String, Descriptor> missing = new LinkedHashMap<>();
    for (Descriptor each : wanted) {
      if (each.size() > most) {
        throw StapesException.invalid(
            subject, "has a part of " + each.size() + " bytes, more than the allowed " + most);
      }
      Path file = file(each);
      if (!Files.exists(file) && !context.blobs().link(each.sha256(), file)) {
        missing.putIfAbsent(each.sha256(), each);
      }
    }
    if (!missing.isEmpty()) {
      parts.bring(List.copyOf(missing.values()));
    }
    wanted.forEach(this::requireSize);
  }

  /** Of one that the store had, too: another size is a lie of the manifest. */
  private void requireSize(Descriptor part) {
    try {
      long size = Files.size(file(part));
      if (size != part.size()) {
        throw StapesException.invalid(
            subject, part.digest() + " has " + size + " bytes instead of " + part.size());
      }
    } catch (IOException e) {
      throw failed(subject, e);
    }
  }

  private Path file(Descriptor part) {
    return context.work().resolve(part.sha256());
  }

  /** What went wrong in the work directory. */
  static StapesException failed(String subject, IOException e) {
    return DiskError.of(subject, "cannot be stored", e, Kind.INTERNAL);
  }
}
