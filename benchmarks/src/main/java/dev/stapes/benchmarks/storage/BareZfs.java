package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Datasets by {@code zfs}, one command for each thing wherever one will do. */
final class BareZfs implements Volumes {
  private static final Tool ZFS = new Tool("zfs");
  private static final Tool ZPOOL = new Tool("zpool");

  private final String name;
  private final String zpool;
  private final Path directory;

  private BareZfs(String name, String zpool, Path directory) {
    this.name = name;
    this.zpool = zpool;
    this.directory = directory;
  }

  /** See {@link Baseline#make}: a pool in a file, whose datasets are like those of the driver. */
  static BareZfs make(String name, Path directory, long bytes)
      throws IOException, InterruptedException {
    Path file = directory.resolve("zpool.img");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(bytes);
    }
    Files.createDirectory(directory.resolve("mounted"));
    String zpool = "bare-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
    List<String> arguments = new ArrayList<>(List.of("create", "-m", "legacy"));
    for (String option : List.of("cachefile=none", "ashift=12", "autotrim=on")) {
      arguments.addAll(List.of("-o", option));
    }
    for (String property : List.of("atime=off", "xattr=sa", "acltype=posixacl")) {
      arguments.addAll(List.of("-O", property));
    }
    arguments.addAll(List.of(zpool, file.toString()));
    ZPOOL.run(arguments.toArray(String[]::new));
    return new BareZfs(name, zpool, directory);
  }

  private String dataset(String volume) {
    return zpool + "/" + volume;
  }

  private String snapshotOf(String volume, String snapshot) {
    return dataset(volume) + "@" + snapshot;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return "the commands of OpenZFS, each a process, on a file like the pool's";
  }

  @Override
  public boolean inProcess() {
    return false;
  }

  @Override
  public void create(String volume) throws IOException, InterruptedException {
    ZFS.run("create", dataset(volume));
  }

  @Override
  public void snapshot(String volume, String snapshot) throws IOException, InterruptedException {
    ZFS.run("snapshot", snapshotOf(volume, snapshot));
  }

  @Override
  public void cloneOf(String volume, String snapshot, String target)
      throws IOException, InterruptedException {
    ZFS.run("clone", snapshotOf(volume, snapshot), dataset(target));
  }

  /** There are no newer ones, which this would destroy. */
  @Override
  public void restore(String volume, String snapshot) throws IOException, InterruptedException {
    ZFS.run("rollback", snapshotOf(volume, snapshot));
  }

  @Override
  public void delete(String volume) throws IOException, InterruptedException {
    ZFS.run("destroy", dataset(volume));
  }

  @Override
  public void deleteSnapshot(String volume, String snapshot)
      throws IOException, InterruptedException {
    ZFS.run("destroy", snapshotOf(volume, snapshot));
  }

  @Override
  public void reclaim() throws IOException, InterruptedException {
    ZPOOL.run("wait", "-t", "free", zpool);
  }

  @Override
  public Opened open(String volume) throws IOException, InterruptedException {
    return BareTools.mount(directory.resolve("mounted"), "-t", "zfs", dataset(volume));
  }

  @Override
  public void unpack(Path archive, String volume) throws IOException, InterruptedException {
    try (Opened files = open(volume)) {
      BareTools.unpack(archive, files.path());
    }
  }

  @Override
  public Optional<Streams> streams() {
    return Optional.of(new BareStreams());
  }

  /** Destroys the pool. */
  @Override
  public void close() throws IOException, InterruptedException {
    ZPOOL.run("destroy", "-f", zpool);
  }

  private final class BareStreams implements Streams {
    private final BareTools tools = new BareTools("zfs", directory.resolve("log"));

    @Override
    public void send(String volume, String snapshot, Optional<String> base, OutputStream out)
        throws IOException, InterruptedException {
      List<String> arguments = new ArrayList<>(List.of("send"));
      base.ifPresent(each -> arguments.addAll(List.of("-i", "@" + each)));
      arguments.add(snapshotOf(volume, snapshot));
      tools.read(out, arguments);
    }

    @Override
    public void receive(String target, InputStream in) throws IOException, InterruptedException {
      tools.write(in, List.of("receive", "-u", dataset(target) + "@received"));
    }

    @Override
    public void deleteReceived(String target) throws IOException, InterruptedException {
      ZFS.run("destroy", "-r", dataset(target));
    }
  }
}
