package dev.stapes.internal.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource.Blob;
import java.io.BufferedOutputStream;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An OCI image as an archive of an OCI image layout (OCI image specification 1.1, image-layout.md).
 * Its parts are checked on the way. The same image always gives the same bytes.
 */
final class LayoutArchive {
  private static final int BUFFER = 256 << 10;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BLOBS = "blobs/sha256";

  /** The grammar of the annotation, annotations.md. */
  private static final Pattern NAME =
      Pattern.compile(
          "[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*"
              + "(?:/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*");

  private static final int LONGEST_NAME = 512;

  private final ImageInfo image;
  private final ImageParts parts;
  private final Progress progress;
  private final String subject;
  private long done;

  LayoutArchive(ImageInfo image, ImageParts parts, Progress progress) {
    this.image = image;
    this.parts = parts;
    this.progress = progress;
    this.subject = ImageCatalog.subject(image.fingerprint());
  }

  /** Writes it to a file that does not exist. */
  void write(Path target) throws IOException {
    byte[] manifest = Files.readAllBytes(parts.archive());
    require(parts.archive(), Sha256.hex(manifest), image.fingerprint());
    Map<String, Path> blobs = new LinkedHashMap<>();
    blobs.put(image.fingerprint(), parts.archive());
    for (Blob blob : parts.blobs()) {
      blobs.put(blob.digest(), blob.file());
    }
    // Not a channel: an interrupt would close it.
    try (OutputStream file = Files.newOutputStream(target, StandardOpenOption.CREATE_NEW);
        OutputStream out = new BufferedOutputStream(file, BUFFER)) {
      TarWriter tar = new TarWriter(out);
      add(tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
      add(tar, "index.json", index(manifest));
      tar.add(TarEntry.directory("blobs", 0755, Instant.EPOCH));
      tar.add(TarEntry.directory(BLOBS, 0755, Instant.EPOCH));
      for (Map.Entry<String, Path> blob : blobs.entrySet()) {
        add(tar, blob.getKey(), blob.getValue());
      }
      tar.finish();
    }
  }

  private static void add(TarWriter tar, String name, String text) throws IOException {
    byte[] content = text.getBytes(StandardCharsets.UTF_8);
    tar.add(TarEntry.file(name, 0644, content.length, Instant.EPOCH), content);
  }

  private void add(TarWriter tar, String digest, Path file) throws IOException {
    try (Checked in = new Checked(new FileInputStream(file.toFile()))) {
      TarEntry entry = TarEntry.file(BLOBS + "/" + digest, 0644, Files.size(file), Instant.EPOCH);
      tar.add(entry, in);
      require(file, Sha256.hex(in.digest), digest);
    }
  }

  private void require(Path file, String its, String digest) {
    if (!its.equals(digest)) {
      throw StapesException.invalid(
          subject, "is damaged: " + file + " has the SHA-256 " + its + ", not " + digest);
    }
  }

  private String index(byte[] manifest) throws IOException {
    ObjectNode index = JSON.createObjectNode();
    index.put("schemaVersion", 2);
    index.put("mediaType", "application/vnd.oci.image.index.v1+json");
    ObjectNode descriptor = index.putArray("manifests").addObject();
    descriptor.put("mediaType", mediaType(JSON.readTree(manifest)));
    descriptor.put("digest", "sha256:" + image.fingerprint());
    descriptor.put("size", manifest.length);
    name()
        .ifPresent(
            name ->
                descriptor.putObject("annotations").put("org.opencontainers.image.ref.name", name));
    return index.toString();
  }

  /** Those of OCI need not say it, those of Docker do. */
  private static String mediaType(JsonNode manifest) {
    String said = manifest.path("mediaType").asText();
    return said.isEmpty() ? "application/vnd.oci.image.manifest.v1+json" : said;
  }

  private Optional<String> name() {
    return Optional.ofNullable(image.metadata().properties().get("id"))
        .filter(name -> name.length() <= LONGEST_NAME && NAME.matcher(name).matches());
  }

  /** A file that is hashed while it is read; an interrupt ends it. */
  private final class Checked extends FilterInputStream {
    private final MessageDigest digest = Sha256.begin();

    Checked(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (Thread.currentThread().isInterrupted()) {
        throw new StapesException(Kind.INTERRUPTED, subject, "its export was interrupted");
      }
      int count = super.read(into, offset, length);
      if (count > 0) {
        digest.update(into, offset, count);
        done += count;
        progress.update("copy", done, image.size().bytes());
      }
      return count;
    }
  }
}
