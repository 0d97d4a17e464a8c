package dev.stapes.examples.machine;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.ConfigKey;
import dev.stapes.model.IdMapping;
import dev.stapes.model.PoolInfo;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The pools of another driver, with block volumes beside: loop devices over files. */
record LoopVolumes(StorageDriverProvider other) implements StorageDriverProvider {
  /** What a device has is a multiple of this: not each size that is asked for. */
  private static final long EXTENT = 192 << 10;

  @Override
  public String name() {
    return "loops";
  }

  @Override
  public List<ConfigKey<?>> poolKeys() {
    return other.poolKeys();
  }

  @Override
  public Availability probe(Host host) {
    return other.probe(host);
  }

  @Override
  public StoragePool create(Host host, PoolSpec spec, Path directory) {
    StoragePool pool = other.create(host, spec, directory);
    try {
      return new Pool(pool, Files.createDirectory(directory.resolve("loops")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public StoragePool open(Host host, PoolSpec spec, Path directory) {
    return new Pool(other.open(host, spec, directory), directory.resolve("loops"));
  }

  @Override
  public void sweep(Host host, PoolSpec spec, Path directory, Unfinished what) {
    other.sweep(host, spec, directory, what);
  }

  private record Pool(StoragePool pool, Path files, Map<LoopDevice, Path> attached)
      implements StoragePool, StoragePool.BlockVolumes {
    Pool(StoragePool pool, Path files) {
      this(pool, files, new ConcurrentHashMap<>());
    }

    private Path file(VolumeId id) {
      return files.resolve(id.kind().directory() + "-" + id.name());
    }

    private boolean isDevice(VolumeId id) {
      return Files.exists(file(id));
    }

    private void requireFree(VolumeId id) {
      if (exists(id)) {
        throw new StapesException(Kind.CONFLICT, "volume " + id, "exists");
      }
    }

    @Override
    public void create(VolumeId id, Size size) {
      requireFree(id);
      resize(id, size);
    }

    private void resize(VolumeId id, Size size) {
      try (RandomAccessFile file = new RandomAccessFile(file(id).toFile(), "rw")) {
        file.setLength((size.bytes() + EXTENT - 1) / EXTENT * EXTENT);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      attached.forEach(
          (device, path) -> {
            if (path.equals(file(id))) {
              device.refreshSize();
            }
          });
    }

    @Override
    public Optional<Size> size(VolumeId id) {
      if (!exists(id)) {
        throw StapesException.notFound("volume " + id);
      }
      try {
        return isDevice(id) ? Optional.of(Size.ofBytes(Files.size(file(id)))) : Optional.empty();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void grow(VolumeId id, Size size) {
      if (size(id).orElseThrow().compareTo(size) > 0) {
        throw StapesException.invalid("volume " + id, "has more than " + size);
      }
      resize(id, size);
    }

    @Override
    public Attachment attach(VolumeId id, boolean readOnly) {
      LoopDevice device =
          readOnly
              ? LoopDevice.readOnly(Syscalls.system(), file(id))
              : LoopDevice.of(Syscalls.system(), file(id), false);
      attached.put(device, file(id));
      return Attachment.of(device.path(), Optional.empty(), () -> detach(device));
    }

    private void detach(LoopDevice device) {
      if (attached.remove(device) != null) {
        device.close();
      }
    }

    @Override
    public Optional<BlockVolumes> blockVolumes() {
      return Optional.of(this);
    }

    @Override
    public void copy(VolumeId source, VolumeId target, boolean readOnly) {
      if (!isDevice(source)) {
        pool.copy(source, target, readOnly);
        return;
      }
      requireFree(target);
      try {
        // What a guest wrote is in the file already: a loop device writes through its page cache.
        Process copy =
            new ProcessBuilder(
                    "cp", "--sparse=always", file(source).toString(), file(target).toString())
                .inheritIO()
                .start();
        if (copy.waitFor() != 0) {
          throw new StapesException(Kind.INTERNAL, "volume " + source, "cannot be copied");
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new StapesException(Kind.INTERRUPTED, "volume " + source, "copy interrupted", e);
      }
    }

    @Override
    public void discard(VolumeId id) {
      try {
        if (!Files.deleteIfExists(file(id))) {
          pool.discard(id);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public boolean exists(VolumeId id) {
      return isDevice(id) || pool.exists(id);
    }

    @Override
    public Set<VolumeId> list(VolumeId.Kind kind) {
      Set<VolumeId> all = new HashSet<>(pool.list(kind));
      String prefix = kind.directory() + "-";
      try (Stream<Path> found = Files.list(files)) {
        found
            .map(file -> file.getFileName().toString())
            .filter(name -> name.startsWith(prefix))
            .forEach(name -> all.add(new VolumeId(kind, name.substring(prefix.length()))));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return all;
    }

    @Override
    public PoolInfo info() {
      return pool.info();
    }

    @Override
    public void create(VolumeId id) {
      pool.create(id);
    }

    @Override
    public void reclaim() {
      pool.reclaim();
    }

    @Override
    public Tree tree(VolumeId id, Tree.Resolution resolution) {
      return pool.tree(id, resolution);
    }

    @Override
    public Attachment attach(VolumeId id, Optional<IdMapping> mapping, boolean readOnly) {
      return pool.attach(id, mapping, readOnly);
    }

    @Override
    public Optional<Quotas> quotas() {
      return Optional.empty();
    }

    @Override
    public Optional<SendReceive> sendReceive() {
      return Optional.empty();
    }

    @Override
    public Optional<Growable> growable() {
      return Optional.empty();
    }

    @Override
    public Optional<Scratch> scratch() {
      return pool.scratch();
    }

    @Override
    public void destroy() {
      pool.destroy();
    }

    @Override
    public void close() {
      List.copyOf(attached.keySet()).forEach(LoopDevice::close);
      attached.clear();
      pool.close();
    }
  }
}
