package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CgroupLayout;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.lxc.ffi.Liblxc;
import dev.stapes.spi.Host;
import dev.stapes.spi.InstanceDriverProvider.Scope;
import java.nio.file.Path;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What a driver and its machines work with.
 *
 * @param busybox the host's static one
 * @param start the program {@code lxc-start}
 * @param attach the program {@code lxc-attach}
 * @param behind does what nobody waits for
 */
record DriverContext(
    Host host,
    Scope scope,
    Syscalls sys,
    Liblxc library,
    CgroupLayout layout,
    CpuPool cpus,
    Path busybox,
    Path start,
    Path attach,
    ScheduledExecutorService behind) {}
