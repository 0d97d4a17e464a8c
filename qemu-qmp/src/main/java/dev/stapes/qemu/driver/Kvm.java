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
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's own virtual machines. Their device may be there and no kernel run in them: where
 * this machine is a virtual one itself, or where it emulates part of a processor. So it is tried,
 * once, by {@code kvm-probe.S}, which does what a kernel does first, as a user like that of a
 * machine.
 */
final class Kvm {
  private static final Logger LOG = LoggerFactory.getLogger(Kvm.class);
  private static final String PROBE = "kvm-probe.bin";
  private static final int DISK = 1 << 20;

  /** The descriptor of the probe. */
  private static final int OPENED = 3;

  /** It takes 50 ms where it works, and nothing else is at work. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final Host host;
  private final Path device;
  private final QemuProgram qemu;
  private final Path setpriv;
  private final long user;
  private final Path directory;
  private boolean tried;
  private boolean usable;

  /**
   * Those of a host.
   *
   * @param device by which they are used
   * @param setpriv the program of setpriv(1)
   * @param user who tries them
   * @param directory where the probe may lie for a moment
   */
  Kvm(Host host, Path device, QemuProgram qemu, Path setpriv, long user, Path directory) {
    this.host = host;
    this.device = device;
    this.qemu = qemu;
    this.setpriv = setpriv;
    this.user = user;
    this.directory = directory;
  }

  /** Whether a kernel runs in them. */
  synchronized boolean isUsable() {
    if (!tried) {
      usable = Files.exists(device) && isOpenToOthers() && boots("kvm", "host");
      tried = true;
    }
    return usable;
  }

  /** Whether the probe runs to its end with an accelerator. */
  boolean boots(String accelerator, String cpu) {
    Path probe = directory.resolve(PROBE);
    try {
      write(probe);
      List<String> command = command(probe, accelerator, cpu);
      host.programs().run(Command.of(command.toArray(new String[0])).timeout(LIMIT));
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

  /** As a machine is started: the probe is open, and the user has no right to anything. */
  private List<String> command(Path probe, String accelerator, String cpu) {
    OptionalLong group = accelerator.equals("kvm") ? group() : OptionalLong.empty();
    QemuProcess.Opened opened = new QemuProcess.Opened(OPENED, probe, QemuProcess.Mode.READ);
    List<String> arguments =
        List.of(
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
                + QemuProcess.Opened.inQemu(OPENED),
            "-device",
            "virtio-blk-pci,drive=probe");
    return new QemuProcess(directory, user, group, List.of(opened))
        .command(setpriv, qemu.path(), arguments, false);
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
  private boolean isOpenToOthers() {
    try {
      boolean open =
          group().isPresent()
              || Files.getPosixFilePermissions(device).contains(PosixFilePermission.OTHERS_WRITE);
      if (!open) {
        LOG.info(
            "virtual machines are emulated, as only root can use {}: chgrp kvm {}", device, device);
      }
      return open;
    } catch (IOException e) {
      return false;
    }
  }

  /** The group that may use them, which is not root's: that may read too much. */
  OptionalLong group() {
    try {
      long gid = ((Number) Files.getAttribute(device, "unix:gid")).longValue();
      return gid == 0 ? OptionalLong.empty() : OptionalLong.of(gid);
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
