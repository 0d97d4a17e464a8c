package dev.stapes.internal.image;

import dev.stapes.internal.digest.Sha256;
import dev.stapes.model.ImageInfo;
import dev.stapes.model.ImageOrigin;
import dev.stapes.model.Progress;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.ImageSource;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An image of another store. Its files are copied and checked on the way, but for the parts that
 * the new store has.
 */
final class StoredSource implements ImageSource {
  private static final int CHUNK = 256 << 10;

  private final ImageInfo image;
  private final String store;
  private final Reader reader;

  /** Lets somebody read the files of the image, which stay meanwhile. */
  interface Reader {
    Fetched read(Function<ImageParts, Fetched> reading);
  }

  StoredSource(ImageInfo image, String store, Reader reader) {
    this.image = image;
    this.store = store;
    this.reader = reader;
  }

  @Override
  public String describe() {
    return ImageCatalog.subject(image.fingerprint()) + " of " + store;
  }

  @Override
  public Optional<ImageOrigin> origin() {
    return image.origin();
  }

  @Override
  public Fetched fetch(Context context) {
    return reader.read(parts -> new Copying(context, parts).run());
  }

  /** One fetch. */
  private final class Copying {
    private final Context context;
    private final ImageParts parts;
    private final byte[] chunk = new byte[CHUNK];
    private long done;

    Copying(Context context, ImageParts parts) {
      this.context = context;
      this.parts = parts;
    }

    Fetched run() {
      try {
        MessageDigest whole = Sha256.begin();
        Path archive = copy(parts.archive(), "image", whole);
        Optional<Path> rootfs = Optional.empty();
        if (parts.rootfs().isPresent()) {
          rootfs = Optional.of(copy(parts.rootfs().get(), "rootfs", whole));
        }
        require(image.fingerprint(), whole, parts.archive());
        List<Blob> blobs = new ArrayList<>();
        for (Blob blob : parts.blobs()) {
          blobs.add(new Blob(blob.digest(), copy(blob), blob.layer()));
        }
        return new Fetched(archive, rootfs, blobs, image.metadata());
      } catch (IOException e) {
        throw DiskError.of(describe(), "cannot be copied", e);
      }
    }

    private Path copy(Blob blob) throws IOException {
      Path target = context.work().resolve(blob.digest());
      if (Files.exists(target) || context.blobs().link(blob.digest(), target)) {
        return target;
      }
      MessageDigest digest = Sha256.begin();
      Path copied = copy(blob.file(), blob.digest(), digest);
      require(blob.digest(), digest, blob.file());
      return copied;
    }

    private Path copy(Path file, String name, MessageDigest digest) throws IOException {
      Path target = context.work().resolve(name);
      Progress progress = context.progress();
      // Not channels: an interrupt would close them.
      try (InputStream in = new FileInputStream(file.toFile());
          OutputStream out = SparseFile.over(target)) {
        for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
          if (Thread.currentThread().isInterrupted()) {
            throw new StapesException(Kind.INTERRUPTED, describe(), "its copying was interrupted");
          }
          out.write(chunk, 0, count);
          digest.update(chunk, 0, count);
          done += count;
          progress.update("copy", done, image.size().bytes());
        }
      }
      return target;
    }

    private void require(String expected, MessageDigest digest, Path file) {
      String its = Sha256.hex(digest);
      if (!its.equals(expected)) {
        throw StapesException.invalid(
            describe(), "is damaged: " + file + " has the SHA-256 " + its + ", not " + expected);
      }
    }
  }
}
