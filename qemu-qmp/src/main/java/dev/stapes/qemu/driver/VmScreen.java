package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.linux.OpenFlag;
import dev.stapes.linux.ffi.LinuxException;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Display;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.AddFd;
import dev.stapes.qmp.qemu.ImageFormat;
import dev.stapes.qmp.qemu.RemoveFd;
import dev.stapes.qmp.qemu.Screendump;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;

/**
 * The screen of a machine that has one. QEMU writes a picture into a file that it gets open and
 * cannot name: nothing that it has in its own directory is read.
 */
final class VmScreen implements Machine.Screen {
  /** The device that has the screen. */
  static final String DEVICE = "vga";

  /** More than a screen of 4096 times 4096 points has. */
  static final int MOST_BYTES = 64 << 20;

  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

  private final Syscalls sys;
  private final String subject;
  private final VmFiles files;
  private final Monitor monitor;
  private final VmGraphics graphics;

  VmScreen(Syscalls sys, String subject, VmFiles files, Monitor monitor, VmGraphics graphics) {
    this.sys = sys;
    this.subject = subject;
    this.files = files;
    this.monitor = monitor;
    this.graphics = graphics;
  }

  @Override
  public Display display() {
    return new Display(graphics.protocol(), files.directory().resolve(graphics.socket()));
  }

  @Override
  public byte[] picture() {
    try {
      files.createShares();
      Path file = files.shares().resolve("screen-" + UUID.randomUUID());
      try (Fd write =
              Fd.open(sys, file, Set.of(OpenFlag.WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE));
          InputStream read = Files.newInputStream(file)) {
        Files.delete(file);
        dump(write);
        return check(subject, read.readNBytes(MOST_BYTES + 1));
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (LinuxException e) {
      throw new StapesException(
          Kind.INTERNAL, subject, "the file of its picture: " + e.getMessage(), e);
    } catch (IOException e) {
      throw IoFailure.of(subject, "the file of its picture", e);
    }
  }

  private void dump(Fd file) {
    long set = monitor.execute(AddFd.builder().opaque("screen").build(), file).fdsetId();
    try {
      monitor.execute(
          Screendump.builder("/dev/fdset/" + set).device(DEVICE).format(ImageFormat.PNG).build());
    } finally {
      monitor.execute(RemoveFd.of(set));
    }
  }

  /**
   * What QEMU wrote, where that can be a picture.
   *
   * @throws StapesException EXHAUSTED where it is too long; INTERNAL where it is no PNG
   */
  static byte[] check(String subject, byte[] picture) {
    if (picture.length > MOST_BYTES) {
      throw new StapesException(
          Kind.EXHAUSTED, subject, "the picture has more than " + MOST_BYTES + " bytes");
    }
    if (picture.length < SIGNATURE.length
        || !Arrays.equals(SIGNATURE, Arrays.copyOf(picture, SIGNATURE.length))) {
      throw new StapesException(
          Kind.INTERNAL, subject, "QEMU wrote no PNG: " + picture.length + " bytes");
    }
    return picture;
  }
}
