package dev.stapes.internal.image;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.internal.image.disk.Disk;
import dev.stapes.internal.image.disk.Ovf;
import dev.stapes.internal.image.disk.QemuImg;
import dev.stapes.model.DiskFileSpec;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.InstanceType;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.spi.ImageSource;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The disk of a virtual machine in a file, or in an OVA, as a split image: the disk as it came, and
 * metadata of what was said of it.
 */
final class DiskSource implements ImageSource {
  private static final int LARGEST_OVF = 4 << 20;
  private static final ArchiveLimits LIMITS = DiskUnpacker.LIMITS;

  private final DiskFileSpec spec;
  private final String subject;

  /** Nothing is read yet. */
  DiskSource(DiskFileSpec spec) {
    this.spec = spec;
    this.subject = "disk file " + spec.path();
  }

  @Override
  public String describe() {
    return subject;
  }

  @Override
  public Fetched fetch(Context context) {
    Path disk = context.work().resolve("rootfs");
    TreeMap<String, String> properties = new TreeMap<>();
    String architecture =
        spec.architecture()
            .map(Architectures::kernelName)
            .orElseGet(() -> context.host().facts().architecture());
    properties.put("architecture", architecture);
    if (isArchive()) {
      properties.putAll(new Ova(context.progress()).extract(disk).properties());
    } else {
      FileSource.copy(spec.path(), disk, subject, context.progress());
    }
    properties.putAll(spec.properties());
    // The copy is looked at, not the file: what was checked is what is imported.
    new QemuImg(context.host(), subject).verified(disk, Disk.read(disk, subject));
    ImageMetadata metadata =
        new ImageMetadata(InstanceType.VIRTUAL_MACHINE, architecture, createdAt(), properties);
    Path archive = context.work().resolve("image");
    ArchiveFile.write(archive, false, metadata, metadata.createdAt(), tar -> {});
    return new Fetched(archive, Optional.of(disk), metadata);
  }

  private boolean isArchive() {
    FileSource.requireFile(spec.path(), subject);
    try (InputStream in = new FileInputStream(spec.path().toFile())) {
      return Compression.find(in.readNBytes(Compression.PEEK)).isPresent();
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be read", e);
    }
  }

  private Instant createdAt() {
    try {
      return Files.getLastModifiedTime(spec.path()).toInstant().truncatedTo(ChronoUnit.SECONDS);
    } catch (IOException e) {
      throw DiskError.of(subject, "cannot be read", e);
    }
  }

  /** A tar with the description of a machine, its disks, and often their hashes. */
  private final class Ova {
    private final Progress progress;

    Ova(Progress progress) {
      this.progress = progress;
    }

    Ovf extract(Path disk) {
      Ovf ovf =
          Ovf.read(
              document(name -> name.toLowerCase(Locale.ROOT).endsWith(".ovf"))
                  .orElseThrow(
                      () ->
                          StapesException.invalid(
                              subject, "is an archive without an OVF, and so no OVA")),
              subject);
      String sha256 = write(ovf.disk(), disk);
      document(name -> name.toLowerCase(Locale.ROOT).endsWith(".mf"))
          .flatMap(manifest -> expected(manifest, ovf.disk()))
          .filter(expected -> !expected.equals(sha256))
          .ifPresent(
              expected -> {
                throw StapesException.invalid(
                    subject,
                    "is damaged: its disk has the SHA-256 " + sha256 + ", not " + expected);
              });
      return ovf;
    }

    private Optional<String> expected(byte[] manifest, String disk) {
      Pattern line =
          Pattern.compile("(?m)^SHA256 ?\\(" + Pattern.quote(disk) + "\\) ?= ?([0-9a-fA-F]{64})");
      Matcher found = line.matcher(new String(manifest, StandardCharsets.ISO_8859_1));
      return found.find() ? Optional.of(found.group(1).toLowerCase(Locale.ROOT)) : Optional.empty();
    }

    private Optional<byte[]> document(Predicate<String> wanted) {
      return with(wanted, (entry, tar) -> tar.content(entry, LARGEST_OVF));
    }

    private String write(String name, Path disk) {
      return with(
              name::equals,
              (entry, tar) -> {
                if (entry.kind() != TarEntry.Kind.FILE) {
                  throw BadArchive.entry(entry.name(), "must be a file");
                }
                MessageDigest digest = Sha256.begin();
                try (OutputStream out = SparseFile.over(disk)) {
                  tar.content(new ToFile(out, digest));
                } catch (IOException e) {
                  throw DiskError.of(subject, "cannot be copied", e);
                }
                return Sha256.hex(digest);
              })
          .orElseThrow(
              () ->
                  StapesException.invalid(
                      subject, "has no file " + BadArchive.quote(name) + ", which its OVF names"));
    }

    private <T> Optional<T> with(Predicate<String> wanted, Use<T> use) {
      try (ArchiveInput in = ArchiveInput.open(spec.path(), LIMITS, progress, "copy")) {
        TarReader tar = new TarReader(in, LIMITS);
        for (Optional<TarEntry> next = tar.next(); next.isPresent(); next = tar.next()) {
          EntryPath path = EntryPath.of(next.get().name(), LIMITS);
          if (path.names().size() == 1 && wanted.test(path.names().get(0))) {
            return Optional.of(use.of(next.get(), tar));
          }
        }
        return Optional.empty();
      }
    }
  }

  private interface Use<T> {
    T of(TarEntry entry, TarReader tar);
  }

  private final class ToFile implements Content {
    private final OutputStream out;
    private final MessageDigest digest;

    ToFile(OutputStream out, MessageDigest digest) {
      this.out = out;
      this.digest = digest;
    }

    @Override
    public void data(Blocks.Block block, int offset, int length) {
      try {
        out.write(block.bytes(), offset, length);
        digest.update(block.bytes(), offset, length);
      } catch (IOException e) {
        throw DiskError.of(subject, "cannot be copied", e);
      }
    }

    @Override
    public void hole(long length) {
      throw BadArchive.because("has holes in a disk");
    }
  }
}
