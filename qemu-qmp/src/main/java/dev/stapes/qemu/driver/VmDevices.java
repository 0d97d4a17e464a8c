package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.model.Lifetime;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The devices of a machine that come and go while it runs, and the disks that it starts with. */
final class VmDevices {
  /** With the slots that are left free the root bus has place for no more. */
  static final int MOST_DISKS = 12;

  private static final int TYPE_BITS = 0170000;
  private static final int BLOCK = 0060000;

  private final DriverContext context;
  private final String subject;
  private final VmDisks disks;
  private final VmHostDevices hosts;
  private final VmShares shares;
  private final GuestMounts mounts;
  private final BooleanSupplier hasAgent;
  private final AtomicInteger mounting = new AtomicInteger();

  /**
   * Of a machine.
   *
   * @param hasAgent whether the agent of the guest is there now
   */
  VmDevices(
      DriverContext context,
      String subject,
      HotPlug slots,
      VmShares shares,
      GuestMounts mounts,
      BooleanSupplier hasAgent) {
    this.context = context;
    this.subject = subject;
    this.disks = new VmDisks(context.sys(), subject, slots.monitor(), slots);
    this.hosts = VmHostDevices.of(context.sys(), subject, slots, context.root());
    this.shares = shares;
    this.mounts = mounts;
    this.hasAgent = hasAgent;
  }

  /** Whether a machine can have another device of that kind, or lose one, while it runs. */
  static boolean isPluggable(Device device) {
    return device instanceof Device.Disk || device instanceof Device.Nic;
  }

  /**
   * Checks those of a spec.
   *
   * @param board QEMU's machine type
   */
  static void validate(Machine.Spec spec, String board) {
    long count =
        spec.devices().values().stream().filter(each -> each instanceof Device.Disk).count();
    if (count > 0 && board.equals("microvm")) {
      throw new StapesException(
          Kind.UNSUPPORTED, "instance " + spec.name(), "a microvm has its root disk alone");
    }
    if (count > MOST_DISKS) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          "instance " + spec.name(),
          "a virtual machine can have " + MOST_DISKS + " disks beside its root disk: " + count);
    }
    requireOneTpm(spec, board);
    VmNics.requireNames(spec);
    requireSlots(spec, count);
    HostDevices.requireBoard(spec, board);
    DiskBus.validate(spec, board);
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Disk disk && disk.recursive() && disk.readOnly()) {
                throw new StapesException(
                    Kind.UNSUPPORTED,
                    "device " + name,
                    "a virtual machine cannot have a disk that is recursive and read-only");
              }
            });
  }

  /** No restart gives a machine more of them. */
  private static void requireSlots(Machine.Spec spec, long disks) {
    long nics = spec.devices().values().stream().filter(each -> each instanceof Device.Nic).count();
    long wanted = disks + nics + HostDevices.count(spec);
    if (wanted > QemuArguments.MOST_SLOTS) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          "instance " + spec.name(),
          "a virtual machine has "
              + QemuArguments.MOST_SLOTS
              + " slots for disks, interfaces and devices of the host: "
              + wanted
              + " are wanted");
    }
  }

  private static void requireOneTpm(Machine.Spec spec, String board) {
    long count =
        spec.devices().values().stream().filter(each -> each instanceof Device.Tpm).count();
    if (count > 1) {
      throw new StapesException(
          Kind.UNSUPPORTED,
          "instance " + spec.name(),
          "a virtual machine can have one TPM: " + count);
    }
    if (count > 0 && board.equals("microvm")) {
      throw new StapesException(
          Kind.UNSUPPORTED, "instance " + spec.name(), "a microvm has no TPM");
    }
  }

  /** Whether a machine that has not begun gets a device of that kind from the JVM. */
  static boolean isOfStart(Device device) {
    return device instanceof Device.Disk || HostDevices.isOne(device);
  }

  /** Adds all of a machine that has not begun. */
  void plugAll(Machine.Spec spec) {
    BootOrder boot = BootOrder.of(spec);
    spec.devices().keySet().forEach(name -> plug(name, spec, boot.of(name)));
    long user = new UserIds(context.scope().tag()).of(spec.config());
    spec.devices()
        .forEach(
            (name, device) -> {
              if (HostDevices.isOne(device)) {
                hosts.plug(name, device, user);
              }
            });
  }

  /** Mounts all directories in the guest, once it has booted; waits for nothing. */
  void mountAll(Supplier<Machine.Spec> spec) {
    // A guest may begin anew as often as it likes: one waits for it, and mounts what there is then.
    if (mounting.getAndIncrement() == 0) {
      behind(
          () -> {
            try {
              int asked;
              do {
                asked = mounting.get();
                mountNow(spec);
              } while (!mounting.compareAndSet(asked, 0));
            } catch (RuntimeException e) {
              mounting.set(0);
              throw e;
            }
          });
    }
  }

  private void mountNow(Supplier<Machine.Spec> spec) {
    spec.get()
        .devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Disk disk && shares.has(name)) {
                mounts.mount(name, disk, () -> shares.has(name));
              }
            });
  }

  private void behind(Runnable task) {
    try {
      context.behind().execute(task);
    } catch (RejectedExecutionException e) {
      // the driver is closed: whoever adopts the machine does it
    }
  }

  /** Makes the devices of one spec those of another one; where one fails, all are as before. */
  void change(Machine.Spec before, Machine.Spec after) {
    TreeSet<String> names = new TreeSet<>(before.devices().keySet());
    names.addAll(after.devices().keySet());
    Deque<Runnable> undo = new ArrayDeque<>();
    try {
      for (String name : names) {
        change(name, before, after, undo);
      }
    } catch (RuntimeException e) {
      for (Runnable step : undo) {
        try {
          Uninterrupted.run(step);
        } catch (RuntimeException next) {
          e.addSuppressed(next);
        }
      }
      throw e;
    }
  }

  private void change(String name, Machine.Spec before, Machine.Spec after, Deque<Runnable> undo) {
    Device was = before.devices().get(name);
    Device is = after.devices().get(name);
    if (was instanceof Device.Disk a && is instanceof Device.Disk b && isSame(a, b)) {
      if (!a.limits().equals(b.limits()) && !shares.has(name)) {
        undo.push(() -> disks.limit(name, a.limits()));
        disks.limit(name, b.limits());
      }
      return;
    }
    if (was != null && !was.equals(is)) {
      undo.push(
          () -> {
            plug(name, before);
            mount(name, was);
          });
      try {
        unplug(name, was);
      } catch (RuntimeException e) {
        undo.pop(); // it is still there
        mount(name, was);
        throw e;
      }
    }
    if (is != null && !is.equals(was)) {
      plug(name, after);
      undo.push(() -> unplug(name, is));
      mount(name, is);
    }
  }

  /** Makes the disks those of one spec, after a change to another one was cut short. */
  void settle(Machine.Spec attempted, Machine.Spec wanted) {
    TreeSet<String> names = new TreeSet<>(attempted.devices().keySet());
    names.addAll(wanted.devices().keySet());
    List<Runnable> steps = new ArrayList<>();
    for (String name : names) {
      Device was = attempted.devices().get(name);
      Device is = wanted.devices().get(name);
      boolean disk = was instanceof Device.Disk || is instanceof Device.Disk;
      if (disk && !Objects.equals(was, is)) {
        steps.add(() -> settle(name, was, wanted));
      }
    }
    Settlement.all(steps);
  }

  private void settle(String name, @Nullable Device was, Machine.Spec wanted) {
    Device is = wanted.devices().get(name);
    boolean there = disks.has(name) || shares.isPlugged(name);
    if (there && was instanceof Device.Disk tried) {
      if (is instanceof Device.Disk same && isSame(tried, same)) {
        if (!shares.has(name)) {
          disks.limit(name, same.limits());
        }
        return;
      }
      unplugEither(name, tried, is);
      there = false;
    }
    if (!there) { // but maybe half of one
      disks.unplug(name);
      shares.unplug(name);
      plug(name, wanted);
    }
    if (is != null) {
      mount(name, is);
    }
  }

  /** Which of the two is there nobody knows, nor where it is mounted. */
  private void unplugEither(String name, Device.Disk tried, @Nullable Device is) {
    try {
      unplug(name, tried);
    } catch (StapesException e) {
      if (is instanceof Device.Disk other && !other.path().equals(tried.path())) {
        unplug(name, other);
      } else {
        throw e;
      }
    }
  }

  private static boolean isSame(Device.Disk a, Device.Disk b) {
    return a.path().equals(b.path())
        && a.source().equals(b.source())
        && a.pool().equals(b.pool())
        && a.readOnly() == b.readOnly()
        && a.recursive() == b.recursive()
        && a.io().equals(b.io());
  }

  /** Adds one to a machine that runs: it has booted. */
  private void plug(String name, Machine.Spec spec) {
    plug(name, spec, OptionalInt.empty());
  }

  private void plug(String name, Machine.Spec spec, OptionalInt boot) {
    if (spec.devices().get(name) instanceof Device.Disk disk) {
      Machine.Disk attached =
          Optional.ofNullable(spec.disks().get(name))
              .orElseThrow(
                  () ->
                      new StapesException(
                          Kind.UNAVAILABLE, subject, "source of device " + name + " is missing"));
      plugDisk(name, attached, disk, spec.lifetime() == Lifetime.THROWAWAY, boot);
    }
  }

  private void plugDisk(
      String name, Machine.Disk attached, Device.Disk disk, boolean throwaway, OptionalInt boot) {
    Path source = attached.path();
    Path local = context.host().mounts().local(source);
    try {
      BasicFileAttributes found = Files.readAttributes(local, BasicFileAttributes.class);
      if (found.isDirectory()) {
        DiskBus.requireOfDirectory(name, disk.io());
        shares.plug(name, source, disk, throwaway);
      } else if (found.isRegularFile()) {
        disks.plug(name, new VmDisks.Source(local, false, attached.form()), disk, boot);
      } else if (isBlock(local)) {
        disks.plug(name, new VmDisks.Source(local, true, attached.form()), disk, boot);
      } else {
        throw StapesException.invalid(
            subject,
            "source of device "
                + name
                + " is no file, directory or block device: \""
                + source
                + "\"");
      }
    } catch (NoSuchFileException e) {
      throw new StapesException(
          Kind.NOT_FOUND,
          subject,
          "source of device " + name + " does not exist: \"" + source + "\"",
          e);
    } catch (IOException e) {
      throw IoFailure.of(subject, "source of device " + name, e);
    }
  }

  /**
   * Lets the guest see which of its disks have grown.
   *
   * @param pid of QEMU
   */
  void grow(long pid) {
    disks.grow(context.root().process(pid));
  }

  static boolean isBlock(Path path) throws IOException {
    return (((Number) Files.getAttribute(path, "unix:mode")).intValue() & TYPE_BITS) == BLOCK;
  }

  private void unplug(String name, Device device) {
    if (device instanceof Device.Disk disk) {
      if (shares.has(name)) {
        mounts.unmount(name, disk, hasAgent.getAsBoolean(), () -> shares.unplug(name));
      } else {
        disks.unplug(name);
      }
    }
  }

  private void mount(String name, Device device) {
    if (device instanceof Device.Disk disk && shares.has(name)) {
      behind(() -> mounts.mount(name, disk, () -> shares.has(name)));
    }
  }
}
