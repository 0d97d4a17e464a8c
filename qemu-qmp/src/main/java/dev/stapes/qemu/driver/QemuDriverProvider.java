package dev.stapes.qemu.driver;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.InstanceType;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriver;
import dev.stapes.spi.InstanceDriverProvider;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The driver of virtual machines, {@code qemu}: needs QEMU, setpriv and root. */
public final class QemuDriverProvider implements InstanceDriverProvider {
  private final Optional<String> program;

  /** With the emulator of this machine's architecture on the PATH; {@link ServiceLoader}'s. */
  public QemuDriverProvider() {
    this.program = Optional.empty();
  }

  /**
   * With an emulator of the caller's choice, such as one that is newer than the installed one.
   *
   * @param program name of a program on the PATH, or an absolute path, for this machine's
   *     architecture
   */
  public QemuDriverProvider(String program) {
    this.program = Optional.of(program);
  }

  @Override
  public String name() {
    return "qemu";
  }

  @Override
  public InstanceType type() {
    return InstanceType.VIRTUAL_MACHINE;
  }

  @Override
  public Availability probe(Host host) {
    if (!host.facts().root()) {
      return Availability.unavailable("not root", "run the JVM as root");
    }
    String name = program.orElseGet(() -> QemuProgram.name(host));
    Optional<QemuProgram> qemu = QemuProgram.find(host, name);
    if (qemu.isEmpty()) {
      return Availability.unavailable(name + " not found", "install the package qemu-system");
    }
    if (!qemu.get().isUsable()) {
      return Availability.unavailable(
          "QEMU " + qemu.get().version() + " is too old", "install QEMU 7.2 or newer");
    }
    if (host.programs().find("setpriv").isEmpty()) {
      return Availability.unavailable("setpriv not found", "install the package util-linux");
    }
    return Availability.available();
  }

  @Override
  public InstanceDriver open(Host host, Scope scope) {
    probe(host).orThrow("qemu driver");
    Syscalls sys = Syscalls.system();
    HostRoot root = HostRoot.MACHINE;
    AtomicInteger number = new AtomicInteger();
    QemuProgram qemu =
        QemuProgram.find(host, program.orElseGet(() -> QemuProgram.name(host))).orElseThrow();
    Path setpriv = host.programs().find("setpriv").orElseThrow();
    long probe = new UserIds(scope.tag()).ofProbe();
    return new QemuDriver(
        new DriverContext(
            host,
            scope,
            sys,
            root,
            qemu,
            setpriv,
            new Kvm(host, root.kvm(), qemu, setpriv, probe, scope.runDirectory()),
            new Vsock(sys, root.vsock()),
            QmpLoop.open(
                sys,
                task -> {
                  Thread thread = new Thread(task);
                  thread.setDaemon(true);
                  return thread;
                }),
            Executors.newCachedThreadPool(
                task -> {
                  Thread thread = new Thread(task, "stapes-qemu-" + number.incrementAndGet());
                  thread.setDaemon(true);
                  return thread;
                })));
  }
}
