package dev.stapes.internal.image.oci;

import com.fasterxml.jackson.databind.JsonNode;
import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.image.TarFiles;
import dev.stapes.model.OciFileSpec;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource.Context;
import dev.stapes.spi.ImageSource.Fetched;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An image as {@code docker save} wrote it before Docker 25, and as others write it to this day: a
 * configuration and layers, which it has the SHA-256 of when they are not compressed. It has no
 * manifest. The one that it gets here is always the same for the same files. Used once.
 */
final class SavedImage {
  private static final String LIST = "manifest.json";
  private static final Pattern NAMED = Pattern.compile("(?:.*[/:])?([0-9a-f]{64})(?:\\.json)?");
  private static final Pattern SHA256 = Pattern.compile("sha256:([0-9a-f]{64})");

  private final LocalFiles files;
  private final OciFileSpec spec;
  private final Context context;
  private final String subject;

  SavedImage(LocalFiles files, OciFileSpec spec, Context context, String subject) {
    this.files = files;
    this.spec = spec;
    this.context = context;
    this.subject = subject;
  }

  /** Whether files are of that kind. */
  static boolean isIn(LocalFiles files) {
    return files.find(LIST).isPresent();
  }

  /** The image with all its parts. */
  Fetched fetch() {
    List<Choice> all = new ArrayList<>();
    byte[] list = files.read(found(LIST), ImageAssembly.MANIFEST_BYTES);
    for (JsonNode each : Json.array(list, subject)) {
      String config = Json.text(each, "Config", subject);
      Matcher digits = NAMED.matcher(config);
      String digest = digits.matches() ? "sha256:" + digits.group(1) : config;
      all.add(Choice.of(Json.texts(each.path("RepoTags"), subject), digest, each));
    }
    List<Choice> meant = Choice.meant(all, spec.image(), subject);
    if (meant.stream().map(Choice::digest).distinct().count() > 1) {
      throw Choice.several(meant, subject);
    }
    Choice image = meant.get(0);
    try {
      byte[] manifest = manifest(image).document();
      return new ImageAssembly(context, new Here(), subject)
          .image(manifest, image.reference(spec.path()));
    } catch (IOException e) {
      throw ImageAssembly.failed(subject, e);
    }
  }

  /** All parts are in the work directory by then. */
  private final class Here implements ImageAssembly.Parts {
    @Override
    public byte[] document(String digest) {
      throw StapesException.invalid(subject, "lacks " + digest);
    }

    @Override
    public void bring(List<Descriptor> missing) {
      throw StapesException.invalid(subject, "lacks " + missing.get(0).digest());
    }
  }

  private String found(String name) {
    return files
        .find(name)
        .orElseThrow(() -> StapesException.invalid(subject, "is not complete: it lacks " + name));
  }

  private Manifest manifest(Choice image) throws IOException {
    String name = Json.text(image.node(), "Config", subject);
    byte[] document = files.read(found(name), ImageAssembly.CONFIG_BYTES);
    String sha256 = Sha256.hex(document);
    if (image.digest().startsWith("sha256:") && !image.digest().equals("sha256:" + sha256)) {
      throw StapesException.invalid(subject, "is damaged: " + name + " has the SHA-256 " + sha256);
    }
    Files.write(context.work().resolve(sha256), document);
    Descriptor config = new Descriptor(Manifest.CONFIG, "sha256:" + sha256, document.length);
    List<String> layers = Json.texts(image.node().path("Layers"), subject);
    List<String> diffs = diffs(Json.object(document, subject));
    if (layers.size() != diffs.size() || layers.isEmpty()) {
      throw StapesException.invalid(
          subject,
          "has " + layers.size() + " layers, and a configuration for " + diffs.size() + " of them");
    }
    if (layers.size() > Manifest.MOST_LAYERS) {
      throw StapesException.invalid(subject, "has more than " + Manifest.MOST_LAYERS + " layers");
    }
    return new Manifest(config, layers(layers.stream().map(this::found).toList(), diffs));
  }

  private List<String> diffs(JsonNode config) {
    List<String> diffs = new ArrayList<>();
    for (String text : Json.texts(config.path("rootfs").path("diff_ids"), subject)) {
      Matcher digest = SHA256.matcher(text);
      if (!digest.matches()) {
        throw StapesException.invalid(subject, "has a layer of the digest \"" + text + "\"");
      }
      diffs.add(digest.group(1));
    }
    return diffs;
  }

  private List<Descriptor> layers(List<String> found, List<String> diffs) throws IOException {
    Map<String, LocalFiles.Wanted> wanted = new HashMap<>();
    for (int i = 0; i < found.size(); i++) {
      if (!isHere(found.get(i), diffs.get(i))) {
        Path target = context.work().resolve("layer-" + i);
        wanted.putIfAbsent(found.get(i), new LocalFiles.Wanted(target, ImageAssembly.LAYER_BYTES));
      }
    }
    Map<String, LocalFiles.Copied> copied = wanted.isEmpty() ? Map.of() : files.copy(wanted);
    Map<String, String> decoded = new HashMap<>();
    List<Descriptor> layers = new ArrayList<>();
    for (int i = 0; i < found.size(); i++) {
      LocalFiles.Copied copy = copied.get(found.get(i));
      layers.add(
          copy == null ? stored(diffs.get(i)) : checked(found.get(i), copy, diffs.get(i), decoded));
    }
    return layers;
  }

  /** One that is not compressed is known without reading it. */
  private boolean isHere(String found, String diff) {
    Path target = context.work().resolve(diff);
    return Compressed.of(files.start(found)) == Compressed.NOT
        && (Files.exists(target) || context.blobs().link(diff, target));
  }

  private Descriptor stored(String diff) throws IOException {
    long size = Files.size(context.work().resolve(diff));
    return new Descriptor(Compressed.NOT.mediaType, "sha256:" + diff, size);
  }

  private Descriptor checked(
      String name, LocalFiles.Copied copy, String diff, Map<String, String> decoded)
      throws IOException {
    Path target = context.work().resolve(copy.sha256());
    if (Files.exists(copy.file())) { // no layer before had that file
      Files.move(copy.file(), target, StandardCopyOption.REPLACE_EXISTING);
    }
    Compressed compressed = Compressed.of(files.start(name));
    String its =
        compressed == Compressed.NOT
            ? copy.sha256()
            : decoded.computeIfAbsent(name, each -> TarFiles.decodedSha256(target));
    if (!its.equals(diff)) {
      throw StapesException.invalid(
          subject, "is damaged: " + name + " holds the SHA-256 " + its + " instead of " + diff);
    }
    return new Descriptor(compressed.mediaType, "sha256:" + copy.sha256(), copy.size());
  }

  /** How a layer is compressed. */
  private enum Compressed {
    NOT(Manifest.LAYER, ""),
    GZIP(Manifest.LAYER + "+gzip", "1f8b"),
    ZSTD(Manifest.LAYER + "+zstd", "28b52ffd");

    private final String mediaType;
    private final String magic;

    Compressed(String mediaType, String magic) {
      this.mediaType = mediaType;
      this.magic = magic;
    }

    static Compressed of(byte[] start) {
      String text = HexFormat.of().formatHex(start);
      return text.startsWith(GZIP.magic) ? GZIP : text.startsWith(ZSTD.magic) ? ZSTD : NOT;
    }
  }

  /** Refuses what is older than anything that can be read here. */
  static StapesException unknown(LocalFiles files, String subject) {
    if (files.find("repositories").isPresent()) {
      return new StapesException(
          Kind.UNSUPPORTED, subject, "was saved by a Docker before 1.10: it has no " + LIST);
    }
    return StapesException.invalid(
        subject,
        "is no OCI image layout and nothing that docker save writes: it has neither oci-layout nor "
            + LIST);
  }
}
