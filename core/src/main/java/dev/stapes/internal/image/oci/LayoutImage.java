package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource.Context;
import dev.stapes.spi.ImageSource.Fetched;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** An image of an OCI image layout (OCI image specification 1.1, image-layout.md). Used once. */
final class LayoutImage implements ImageAssembly.Parts {
  private static final String MARK = "oci-layout";
  private static final String INDEX = "index.json";
  private static final int MARK_BYTES = 64 << 10;
  private static final List<String> NAMES =
      List.of("io.containerd.image.name", "org.opencontainers.image.ref.name");

  private final LocalFiles files;
  private final OciFileSpec spec;
  private final Context context;
  private final String subject;
  private final ImageAssembly assembly;

  LayoutImage(LocalFiles files, OciFileSpec spec, Context context, String subject) {
    this.files = files;
    this.spec = spec;
    this.context = context;
    this.subject = subject;
    this.assembly = new ImageAssembly(context, this, subject);
  }

  /** Whether files are such a layout. */
  static boolean isIn(LocalFiles files) {
    return files.find(MARK).isPresent();
  }

  /** The image with all its parts. */
  Fetched fetch() {
    requireVersion();
    List<Choice> meant = meant();
    return assembly.image(manifest(meant), meant.get(0).reference(spec.path()));
  }

  /** Its manifest alone. */
  byte[] manifest() {
    requireVersion();
    return manifest(meant());
  }

  private void requireVersion() {
    String version = Json.text(object(MARK, MARK_BYTES), "imageLayoutVersion", subject);
    if (!version.startsWith("1.")) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          subject,
          "is an OCI image layout of the unknown version " + Choice.said(version));
    }
  }

  private JsonNode object(String name, int most) {
    return Json.object(files.read(found(name), most), subject);
  }

  private String found(String name) {
    return files
        .find(name)
        .orElseThrow(
            () ->
                StapesException.invalid(subject, "is not complete: it lacks " + Choice.said(name)));
  }

  private List<Choice> meant() {
    JsonNode index = object(INDEX, ImageAssembly.MANIFEST_BYTES);
    if (!Manifest.isIndex(index)) {
      throw StapesException.invalid(subject, "its " + INDEX + " lists no manifests");
    }
    List<Choice> all =
        Manifest.listed(index, subject).stream()
            .map(each -> Choice.of(names(each), each.path("digest").asText(), each))
            .toList();
    return Choice.meant(all, spec.image(), subject);
  }

  private static List<String> names(JsonNode listed) {
    return NAMES.stream()
        .flatMap(name -> Json.text(listed.path("annotations").path(name)).stream())
        .toList();
  }

  private byte[] manifest(List<Choice> meant) {
    Platform platform = ImageAssembly.platform(spec.platform(), context);
    return assembly.manifest(assembly.document(chosen(meant, platform).digest()), platform);
  }

  /** Several of one name are one image for several platforms. */
  private Descriptor chosen(List<Choice> meant, Platform platform) {
    boolean forPlatforms = meant.stream().allMatch(each -> each.node().path("platform").isObject());
    boolean one = meant.stream().map(Choice::digest).distinct().count() == 1;
    if (one && (spec.platform().isEmpty() || !forPlatforms)) {
      return Descriptor.of(meant.get(0).node(), subject);
    }
    List<Choice> different = one ? List.of(meant.get(0)) : meant;
    if (!forPlatforms || different.stream().map(Choice::names).distinct().count() > 1) {
      throw Choice.several(meant, subject);
    }
    return Manifest.choose(different.stream().map(Choice::node).toList(), platform, subject);
  }

  @Override
  public byte[] document(String digest) {
    return files.read(found(name(digest)), ImageAssembly.MANIFEST_BYTES);
  }

  private static String name(String digest) {
    return "blobs/" + digest.replace(':', '/');
  }

  @Override
  public void bring(List<Descriptor> missing) {
    Map<String, LocalFiles.Wanted> wanted = new HashMap<>();
    Map<String, Descriptor> parts = new HashMap<>();
    for (Descriptor part : missing) {
      String found = found(name(part.digest()));
      if (parts.put(found, part) != null) {
        throw StapesException.invalid(subject, "has one file for several digests: " + found);
      }
      wanted.put(found, new LocalFiles.Wanted(context.work().resolve(part.sha256()), part.size()));
    }
    Map<String, LocalFiles.Copied> copied = files.copy(wanted);
    parts.forEach((found, part) -> require(part, Objects.requireNonNull(copied.get(found))));
  }

  private void require(Descriptor part, LocalFiles.Copied copied) {
    if (copied.size() != part.size()) {
      throw StapesException.invalid(
          subject, part.digest() + " has " + copied.size() + " bytes instead of " + part.size());
    }
    if (!copied.sha256().equals(part.sha256())) {
      throw StapesException.invalid(
          subject, "is damaged: " + part.digest() + " has the SHA-256 " + copied.sha256());
    }
  }
}
