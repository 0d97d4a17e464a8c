package dev.stapes.examples.image;

import dev.stapes.ImageSources;
import dev.stapes.spi.ImageSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A Debian that is made once, however many classes of a test run import it. */
public final class SharedDebian implements ImageSource {
  private static final ImageSource MADE = ImageSources.debootstrap("bookworm");
  private static final Path ARCHIVE =
      Path.of(System.getProperty("stapes.build", "target"))
          .toAbsolutePath()
          .resolve("debian-" + ProcessHandle.current().pid() + ".tar.zst");

  @Override
  public String describe() {
    return MADE.describe();
  }

  @Override
  public Fetched fetch(Context context) {
    synchronized (ARCHIVE) {
      if (Files.exists(ARCHIVE)) {
        return ImageSources.file(ARCHIVE).fetch(context);
      }
      Fetched fetched = MADE.fetch(context);
      try {
        ARCHIVE.toFile().deleteOnExit();
        Files.copy(fetched.archive(), ARCHIVE);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return fetched;
    }
  }
}
