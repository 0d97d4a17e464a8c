package dev.stapes.qemu.driver;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Transport;
import java.util.OptionalLong;

/** The ways on which the state of a machine leaves it, or comes. */
record MachineWays(
    QemuMachine machine, String subject, Monitor monitor, VmFiles files, Syscalls sys) {
  /** To a file, or from one. */
  Migration migration() {
    return new Migration(subject, monitor);
  }

  /** To another QEMU. */
  Departure departure() {
    return new Departure(subject, monitor, files, sys);
  }

  /** From another QEMU, with its disk. */
  Arriving arriving(Transport transport, OptionalLong diskSize) {
    return new Arriving(machine, subject, monitor, files, sys, transport, diskSize);
  }
}
