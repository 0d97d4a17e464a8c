package dev.stapes.benchmarks.storage;

import dev.stapes.benchmarks.LoopBtrfs;
import dev.stapes.benchmarks.Tool;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Subvolumes by {@code btrfs}, one command for each thing wherever one will do. */
final class BareBtrfs implements Volumes {
  private final String name;
  private final LoopBtrfs btrfs;
  private final Path log;

  private BareBtrfs(String name, LoopBtrfs btrfs, Path log) {
    this.name = name;
    this.btrfs = btrfs;
    this.log = log;
  }

  /** See {@link Baseline#make}. */
  static BareBtrfs make(String name, Path directory, long bytes)
      throws IOException, InterruptedException {
    LoopBtrfs btrfs = LoopBtrfs.makeLikePool(directory, bytes);
    try {
      Files.createDirectory(btrfs.path("received"));
      return new BareBtrfs(name, btrfs, directory.resolve("log"));
    } catch (IOException | RuntimeException e) {
      btrfs.close();
      throw e;
    }
  }

  private Path path(String volume) {
    return btrfs.path(volume);
  }

  private Path path(String volume, String snapshot) {
    return btrfs.path(volume + "." + snapshot);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return "the commands of btrfs-progs, each a process, on a loop file like the pool's";
  }

  @Override
  public boolean inProcess() {
    return false;
  }

  @Override
  public void create(String volume) throws IOException, InterruptedException {
    btrfs.create(path(volume));
  }

  @Override
  public void snapshot(String volume, String snapshot) throws IOException, InterruptedException {
    btrfs.snapshot(path(volume), path(volume, snapshot), true);
  }

  @Override
  public void cloneOf(String volume, String snapshot, String target)
      throws IOException, InterruptedException {
    btrfs.snapshot(path(volume, snapshot), path(target), false);
  }

  @Override
  public void restore(String volume, String snapshot) throws IOException, InterruptedException {
    btrfs.delete(path(volume));
    btrfs.snapshot(path(volume, snapshot), path(volume), false);
  }

  @Override
  public void delete(String volume) throws IOException, InterruptedException {
    btrfs.delete(path(volume));
  }

  @Override
  public void deleteSnapshot(String volume, String snapshot)
      throws IOException, InterruptedException {
    btrfs.delete(path(volume, snapshot));
  }

  @Override
  public void reclaim() throws IOException, InterruptedException {
    new Tool("btrfs").run("filesystem", "sync", btrfs.path(".").toString());
  }

  @Override
  public Opened open(String volume) {
    Path path = path(volume);
    return new Opened() {
      @Override
      public Path path() {
        return path;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void unpack(Path archive, String volume) throws IOException, InterruptedException {
    BareTools.unpack(archive, path(volume));
  }

  @Override
  public Optional<Streams> streams() {
    return Optional.of(new BareStreams());
  }

  /** Unmounts it, which is the end of its loop device, too. */
  @Override
  public void close() throws IOException, InterruptedException {
    btrfs.close();
  }

  private final class BareStreams implements Streams {
    private final BareTools tools = new BareTools("btrfs", log);

    @Override
    public void send(String volume, String snapshot, Optional<String> base, OutputStream out)
        throws IOException, InterruptedException {
      List<String> arguments = new ArrayList<>(List.of("send", "-q"));
      base.ifPresent(each -> arguments.addAll(List.of("-p", path(volume, each).toString())));
      arguments.add(path(volume, snapshot).toString());
      tools.read(out, arguments);
    }

    /** The name in the stream is that of the snapshot. */
    @Override
    public void receive(String target, InputStream in) throws IOException, InterruptedException {
      Path directory = Files.createDirectory(received(target));
      tools.write(in, List.of("receive", "-q", directory.toString()));
    }

    @Override
    public void deleteReceived(String target) throws IOException, InterruptedException {
      try (var all = Files.newDirectoryStream(received(target))) {
        for (Path each : all) {
          btrfs.delete(each);
        }
      }
      Files.delete(received(target));
    }

    private Path received(String target) {
      return btrfs.path("received").resolve(target);
    }
  }
}
