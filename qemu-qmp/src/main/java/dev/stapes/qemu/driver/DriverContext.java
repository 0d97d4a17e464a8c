package dev.stapes.qemu.driver;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.qmp.QmpLoop;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import dev.stapes.spi.Machine;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;

/**
 * What a driver and its machines work with.
 *
 * @param root where the kernel tells of the host
 * @param qemu the emulator
 * @param setpriv the program of setpriv(1)
 * @param kvm what executes them where it can
 * @param vsock what guests reach the host by where it has that
 * @param loop reads from all monitors and agents
 * @param behind does what nobody waits for
 */
record DriverContext(
    Host host,
    Scope scope,
    Syscalls sys,
    HostRoot root,
    QemuProgram qemu,
    Path setpriv,
    Kvm kvm,
    Vsock vsock,
    QmpLoop loop,
    ExecutorService behind) {
  /** What a spec means on this host. */
  VmPlan plan(Machine.Spec spec) {
    return VmPlan.of(spec, host.facts().memory(), root);
  }

  /** The bytes of a root disk. */
  long rootSize(Machine.Spec spec) {
    Path disk = host.mounts().local(VmPlan.disk(spec));
    return DiskSize.of(sys, disk, "instance " + spec.name(), "its disk " + disk);
  }
}
