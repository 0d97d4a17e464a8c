package dev.stapes.testkit;

import dev.stapes.Delete;
import dev.stapes.ImageSources;
import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.Device;
import dev.stapes.model.ExecResult;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.Lifetime;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A virtual machine whose kernel has what this machine's may lack: OpenZFS, device-mapper with thin
 * pools, LVM, Btrfs and XFS, with their tools and Java 17. Stapes itself boots it, in 5 s or so
 * where it is emulated: tests of a class share one.
 *
 * <p>The test needs the artifact {@code qemu-qmp} on its class path. What is written in it is in
 * its memory, and is gone with it.
 */
public final class LabVm implements AutoCloseable {
  /** The device in each VM of a disk that several have. */
  public static final String SHARED_DISK = "/dev/disk/by-id/virtio-shared";

  private static final String IMAGE = "lab";
  private static final int CPUS = 2;
  private static final Size MEMORY = Size.ofMebibytes(1536);

  private final Path directory;
  private final Stapes stapes;
  private final Instance instance;

  private LabVm(Path directory, Stapes stapes, Instance instance) {
    this.directory = directory;
    this.stapes = stapes;
    this.instance = instance;
  }

  /**
   * Boots one.
   *
   * @param directory does not exist; of this machine's disk
   * @throws java.util.NoSuchElementException where the lab VM was not built: {@link RequiresLab}
   */
  public static LabVm boot(Path directory) {
    return boot(directory, MEMORY);
  }

  /**
   * Boots one with more memory than the usual one and a half GiB.
   *
   * @param directory does not exist; of this machine's disk
   * @throws java.util.NoSuchElementException where the lab VM was not built: {@link RequiresLab}
   */
  public static LabVm boot(Path directory, Size memory) {
    return boot(directory, memory, "");
  }

  /**
   * Boots one with a disk that others have at the same time, as {@link #SHARED_DISK}.
   *
   * @param directory does not exist; of this machine's disk
   * @param disk a file of this machine, with neither quotes nor blanks in its path; QEMU, which is
   *     not root, gets the right to write to it
   * @throws java.util.NoSuchElementException where the lab VM was not built: {@link RequiresLab}
   * @throws IOException where there is no such file
   */
  public static LabVm bootSharing(Path directory, Path disk) throws IOException {
    Files.setPosixFilePermissions(disk, PosixFilePermissions.fromString("rw-rw-rw-"));
    String file = disk.toString().replace(",", ",,");
    return boot(
        directory,
        MEMORY,
        "-blockdev driver=file,node-name=labshared,locking=off,filename="
            + file
            // behind all others: the root disk is the first one
            + " -device pcie-root-port,id=labport,chassis=200,addr=0x1e"
            + " -device virtio-blk-pci,bus=labport,drive=labshared,serial=shared,share-rw=on");
  }

  private static LabVm boot(Path directory, Size memory, String arguments) {
    LabImage lab = LabImage.find().orElseThrow();
    PoolSpec pool = PoolSpec.of("default", "btrfs");
    Stapes stapes = Stapes.builder(directory).defaultPool(pool).open();
    try {
      stapes.images().importFrom(ImageSources.split(lab.metadata(), lab.disk()), IMAGE);
      InstanceSpec.Builder spec =
          InstanceSpec.virtualMachine("lab", IMAGE)
              .lifetime(Lifetime.THROWAWAY) // and so ends with its JVM
              .limits(limits -> limits.cpus(CPUS).memory(memory))
              .config("qemu.kernel", lab.kernel().toString())
              .config("qemu.initrd", lab.initrd().toString())
              .config("qemu.kernel_arguments", lab.kernelArguments());
      if (!arguments.isEmpty()) {
        spec.config("raw.qemu", arguments);
      }
      return new LabVm(directory, stapes, stapes.instances().launch(spec.build()));
    } catch (RuntimeException e) {
      stapes.close();
      try {
        remove(directory);
      } catch (IOException next) {
        e.addSuppressed(next);
      }
      throw e;
    }
  }

  /** The machine itself, for its files, streams and the rest. */
  public Instance instance() {
    return instance;
  }

  /** Runs a program in it to its end, whatever its exit code is. */
  public ExecResult run(String... command) {
    return instance.exec(command);
  }

  /**
   * Runs a script of bash in it, up to the first command that fails.
   *
   * @return what it wrote
   * @throws RuntimeException where its exit code is not 0, quoting what it complained
   */
  public String script(String script) {
    return run("bash", "-euo", "pipefail", "-c", script).orThrow().stdout();
  }

  /** Loads modules of its kernel, such as {@code zfs}: seconds, the first time. */
  public void load(String... modules) {
    script("modprobe -a " + String.join(" ", modules));
  }

  /**
   * A new disk, empty.
   *
   * @param mebibytes its size; in memory, of which it takes what is written
   * @return its device in the machine
   */
  public String scratchDisk(int mebibytes) {
    load("loop");
    String file = "$(mktemp /tmp/disk.XXXXXX)";
    return script(
            "file=" + file + "; truncate -s " + mebibytes + "M $file; losetup -f --show $file")
        .strip();
  }

  /**
   * Copies a file or a directory of this machine into it, such as classes for its Java.
   *
   * @param to a path in it whose directory is there
   */
  public void push(Path from, String to) throws IOException {
    instance.files().push(from, to);
  }

  /**
   * Shares a directory of this machine with it, by virtio-fs. Nothing in the VM can write to it.
   *
   * @param name of the device, which it has none of yet
   * @param to an absolute path in it
   */
  public void share(String name, Path from, String to) {
    load("virtiofs");
    instance.update(
        change ->
            change.device(name, Device.disk(to, disk -> disk.source(from.toString()).readOnly())));
    script(
        "for i in {1..300}; do grep -q ' "
            + to
            + " ' /proc/mounts && exit 0; sleep 0.1; done; echo not mounted >&2; exit 1");
  }

  /** Ends it and removes all that it was made of. */
  @Override
  public void close() throws IOException {
    try (stapes) {
      instance.delete(Delete.FORCE);
    }
    remove(directory);
  }

  private static void remove(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
