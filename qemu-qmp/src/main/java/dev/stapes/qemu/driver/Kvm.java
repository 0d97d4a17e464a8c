package dev.stapes.qemu.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's own virtual machines. Their device may be there and no kernel run in them: where
 * this machine is a virtual one itself, or where it emulates part of a processor. So it is tried,
 * once, by {@code kvm-probe.S}, which does what a kernel does first.
 */
final class Kvm {
  private static final Logger LOG = LoggerFactory.getLogger(Kvm.class);
  private static final Path DEVICE = Path.of("/dev/kvm");
  private static final String PROBE = "kvm-probe.bin";
  private static final int DISK = 1 << 20;

  /** It takes 50 ms where it works. */
  private static final Duration LIMIT = Duration.ofSeconds(3);

  private final Host host;
  private final QemuProgram qemu;
  private final Path directory;
  private boolean tried;
  private boolean usable;

  /**
   * Those of this machine.
   *
   * @param directory where the probe may lie for a moment
   */
  Kvm(Host host, QemuProgram qemu, Path directory) {
    this.host = host;
    this.qemu = qemu;
    this.directory = directory;
  }

  /** Whether a kernel runs in them. */
  synchronized boolean isUsable() {
    if (!tried) {
      usable = Files.exists(DEVICE) && isOpenToOthers() && boots("kvm", "host");
      tried = true;
    }
    return usable;
  }

  /** Whether the probe runs to its end with an accelerator. */
  boolean boots(String accelerator, String cpu) {
    Path probe = directory.resolve(PROBE);
    try {
      write(probe);
      host.programs()
          .run(
              Command.of(
                      qemu.path().toString(),
                      "-machine",
                      "q35",
                      "-accel",
                      accelerator,
                      "-cpu",
                      cpu,
                      "-m",
                      "16",
                      "-nodefaults",
                      "-no-user-config",
                      "-display",
                      "none",
                      "-blockdev",
                      "driver=file,node-name=probe,read-only=on,filename="
                          + QemuArguments.escape(probe.toString()),
                      "-device",
                      "virtio-blk-pci,drive=probe")
                  .timeout(LIMIT));
      return true;
    } catch (StapesException e) {
      if (e.kind() == Kind.INTERRUPTED) {
        throw e;
      }
      LOG.info(
          "virtual machines are emulated, as {} does not work: {}", accelerator, e.getMessage());
      return false;
    } catch (IOException e) {
      throw new StapesException(Kind.INTERNAL, "qemu driver", PROBE + ": " + e, e);
    } finally {
      delete(probe);
    }
  }

  /** Removes what a JVM left that died while it tried. */
  void collect() {
    delete(directory.resolve(PROBE));
  }

  private static void write(Path probe) throws IOException {
    try (InputStream in = Objects.requireNonNull(Kvm.class.getResourceAsStream(PROBE), PROBE)) {
      // The BIOS takes no disk that is as small as that.
      Files.write(probe, Arrays.copyOf(in.readAllBytes(), DISK));
    }
  }

  private static void delete(Path probe) {
    try {
      Files.deleteIfExists(probe);
    } catch (IOException e) {
      LOG.warn("{} stays", probe, e);
    }
  }

  /** Whether somebody who is not root can use them: emulators are not. */
  private static boolean isOpenToOthers() {
    try {
      boolean open =
          group().isPresent()
              || Files.getPosixFilePermissions(DEVICE).contains(PosixFilePermission.OTHERS_WRITE);
      if (!open) {
        LOG.info(
            "virtual machines are emulated, as only root can use {}: chgrp kvm {}", DEVICE, DEVICE);
      }
      return open;
    } catch (IOException e) {
      return false;
    }
  }

  /** The group that may use them, which is not root's: that may read too much. */
  static OptionalLong group() {
    try {
      long gid = ((Number) Files.getAttribute(DEVICE, "unix:gid")).longValue();
      return gid == 0 ? OptionalLong.empty() : OptionalLong.of(gid);
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
