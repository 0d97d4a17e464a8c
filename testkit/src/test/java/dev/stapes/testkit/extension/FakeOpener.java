package dev.stapes.testkit.extension;

import dev.stapes.Stapes;
import dev.stapes.model.ImageMetadata;
import dev.stapes.model.PoolSpec;
import dev.stapes.spi.ImageSource;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeInstances;
import dev.stapes.testkit.FakeMachineRoom;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.FakeStorage;
import dev.stapes.testkit.StapesOpener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** A Stapes of fakes, with an image called {@code busybox} of one file. */
public final class FakeOpener implements StapesOpener {
  /** The root directories that were opened, in order. */
  static final List<Path> OPENED = new CopyOnWriteArrayList<>();

  /** Where the instances of all of them run. */
  static final FakeMachineRoom ROOM = FakeMachineRoom.create();

  @Override
  public Stapes open(Path root) {
    OPENED.add(root);
    Stapes stapes =
        Stapes.builder(root)
            .with(FakeHost.builder().provider())
            .with(FakeStorage.create())
            .with(
                FakeInstances.in(ROOM)
                    .init(FakeOpener::init)
                    .program("write", FakeOpener::write)
                    .program("ls", FakeOpener::list))
            .defaultPool(PoolSpec.of("default", "fake"))
            .open();
    stapes.images().importFrom(new OneFile(), "busybox", "other");
    return stapes;
  }

  private static int init(FakeProgram.Call call) throws Exception {
    call.print("fake instance booted\n");
    call.stdin().transferTo(call.stdout());
    return 0;
  }

  private static int write(FakeProgram.Call call) throws Exception {
    try (var files = call.guest().orElseThrow().files();
        var out = files.write(call.arguments().get(1), 0644)) {
      out.write('x');
    }
    return 0;
  }

  private static int list(FakeProgram.Call call) throws Exception {
    try (var files = call.guest().orElseThrow().files()) {
      call.print(String.join("\n", files.list(call.arguments().get(1))) + "\n");
    }
    return 0;
  }

  private static final class OneFile implements ImageSource {
    @Override
    public String describe() {
      return "one file";
    }

    @Override
    public Fetched fetch(Context context) {
      Path archive = context.work().resolve("image.tar");
      try (TarArchiveOutputStream tar =
          new TarArchiveOutputStream(Files.newOutputStream(archive))) {
        add(
            tar,
            "metadata.yaml",
            "architecture: x86_64\ncreation_date: 0\nproperties:\n  os: fake\n");
        add(tar, "rootfs/", "");
        add(tar, "rootfs/etc/", "");
        add(tar, "rootfs/etc/hostname", "fake\n");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return new Fetched(
          archive, ImageMetadata.container("x86_64", Instant.EPOCH, Map.of("os", "fake")));
    }

    private static void add(TarArchiveOutputStream tar, String name, String text)
        throws IOException {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      TarArchiveEntry entry = new TarArchiveEntry(name);
      entry.setSize(bytes.length);
      tar.putArchiveEntry(entry);
      tar.write(bytes);
      tar.closeArchiveEntry();
    }
  }
}
