package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Thin volumes with ext4 by the commands of LVM, as few of them as there can be. */
final class BareLvm implements Volumes {
  /** As large as the driver makes volumes where nothing is said. */
  private static final String VOLUME_SIZE = "10g";

  private static final long MEBIBYTE = 1L << 20;

  private final String name;
  private final String group;
  private final String loop;
  private final Tool lvm;
  private final Path directory;

  private BareLvm(String name, String group, String loop, Path directory) {
    this.name = name;
    this.group = group;
    this.loop = loop;
    this.lvm = new Tool("lvm").environment("LVM_SUPPRESS_FD_WARNINGS", "1");
    this.directory = directory;
  }

  /** See {@link Baseline#make}: a thin pool on a loop device, with a group of its own. */
  static BareLvm make(String name, Path directory, long bytes)
      throws IOException, InterruptedException {
    Path file = directory.resolve("lvm.img");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(bytes);
    }
    Files.createDirectory(directory.resolve("mounted"));
    Tool losetup = new Tool("losetup");
    String loop = losetup.run("--find", "--show", "--direct-io=on", file.toString()).strip();
    String group = "bare" + ProcessHandle.current().pid() + "n" + System.nanoTime();
    BareLvm made = new BareLvm(name, group, loop, directory);
    try {
      made.lvm("vgcreate", group, loop);
      long data = bytes / MEBIBYTE * 9 / 10;
      made.lvm(
          "lvcreate",
          "-q",
          "--type",
          "thin-pool",
          "-Zn",
          "-c",
          "64k",
          "-L",
          data + "m",
          "-n",
          "pool",
          group);
      return made;
    } catch (IOException | RuntimeException e) {
      losetup.run("--detach", loop);
      throw e;
    }
  }

  /** With what the driver says, too: no daemon that watches, no copies of what LVM knows. */
  private void lvm(String command, String... arguments) throws IOException, InterruptedException {
    String[] all = new String[arguments.length + 5];
    all[0] = command;
    all[1] = "--devices";
    all[2] = loop;
    all[3] = "--config";
    all[4] = "activation/monitoring=0 backup/backup=0 backup/archive=0";
    System.arraycopy(arguments, 0, all, 5, arguments.length);
    lvm.run(all);
  }

  private String volume(String volume) {
    return group + "/" + volume;
  }

  private static String snapshotOf(String volume, String snapshot) {
    return volume + "." + snapshot;
  }

  private String device(String volume) {
    return "/dev/" + volume(volume);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return "the commands of LVM, each a process, on a loop file like the pool's";
  }

  @Override
  public boolean inProcess() {
    return false;
  }

  @Override
  public void create(String volume) throws IOException, InterruptedException {
    lvm("lvcreate", "-q", "-V", VOLUME_SIZE, "-T", volume("pool"), "-n", volume);
    new Tool("mkfs.ext4")
        .run("-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=1", device(volume));
  }

  @Override
  public void snapshot(String volume, String snapshot) throws IOException, InterruptedException {
    lvm("lvcreate", "-q", "-s", "-n", snapshotOf(volume, snapshot), volume(volume));
  }

  @Override
  public void cloneOf(String volume, String snapshot, String target)
      throws IOException, InterruptedException {
    String source = volume(snapshotOf(volume, snapshot));
    lvm("lvcreate", "-q", "-s", "-kn", "-n", target, source);
  }

  @Override
  public void restore(String volume, String snapshot) throws IOException, InterruptedException {
    lvm("lvremove", "-q", "--yes", volume(volume));
    cloneOf(volume, snapshot, volume);
  }

  @Override
  public void delete(String volume) throws IOException, InterruptedException {
    lvm("lvremove", "-q", "--yes", volume(volume));
  }

  @Override
  public void deleteSnapshot(String volume, String snapshot)
      throws IOException, InterruptedException {
    delete(snapshotOf(volume, snapshot));
  }

  /** What was removed is free. */
  @Override
  public void reclaim() {}

  @Override
  public Opened open(String volume) throws IOException, InterruptedException {
    lvm("lvchange", "-q", "-ay", "-K", volume(volume));
    Path mounted = directory.resolve("mounted");
    return BareTools.mount(mounted, "-o", "discard,noinit_itable", device(volume));
  }

  @Override
  public void unpack(Path archive, String volume) throws IOException, InterruptedException {
    try (Opened files = open(volume)) {
      BareTools.unpack(archive, files.path());
    }
  }

  @Override
  public Optional<Streams> streams() {
    return Optional.empty();
  }

  /** Removes the group and lets go of the file. */
  @Override
  public void close() throws IOException, InterruptedException {
    lvm("vgremove", "-q", "--yes", "--force", group);
    new Tool("losetup").run("--detach", loop);
  }
}
