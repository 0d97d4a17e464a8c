package dev.stapes.storage.lvm;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.VolumeId;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A machine that shares a group: does to its pool what the lines of its standard input say, and
 * answers each with one line.
 */
final class ClusterNode {
  private static final PoolSpec SPEC =
      PoolSpec.of("test", "lvmcluster").with("volume.size", "48MiB");

  private final Host host = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
  private final LvmClusterProvider provider = new LvmClusterProvider();
  private final Path directory;
  private final Map<String, Attachment> attached = new HashMap<>();
  private PoolSpec spec = SPEC;
  private @Nullable StoragePool pool;

  private ClusterNode(Path directory) {
    this.directory = directory;
  }

  /** Ends with its standard input. */
  public static void main(String[] arguments) throws IOException {
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
    ClusterNode node = new ClusterNode(Files.createTempDirectory("node"));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    out.println("ready");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(node.answer(line.split(" ", -1)).replace('\n', ' '));
    }
  }

  private String answer(String[] words) {
    long start = System.nanoTime();
    String answer;
    try {
      answer = run(words);
    } catch (StapesException e) {
      answer = e.kind() + " " + e.getMessage();
    } catch (IOException | RuntimeException e) {
      answer = e.toString();
    }
    return (System.nanoTime() - start) / 1_000_000 + " " + answer;
  }

  private static VolumeId id(String name) {
    return new VolumeId(VolumeId.Kind.CUSTOM, name);
  }

  private String run(String[] words) throws IOException {
    switch (words[0]) {
      case "probe" -> {
        return provider.probe(host).toString();
      }
      case "make" -> {
        spec = SPEC.source(words[1]);
        if (words.length > 2) {
          spec = spec.with("lvm.vg_name", words[2]);
        }
        pool = provider.create(host, spec, directory);
      }
      case "reopen" -> {
        pool().close();
        pool = provider.open(host, spec, directory);
      }
      case "create" -> pool().create(id(words[1]));
      case "copy" -> pool().copy(id(words[1]), id(words[2]), false);
      case "discard" -> {
        pool().discard(id(words[1]));
        pool().reclaim();
      }
      case "list" -> {
        return new TreeSet<>(pool().list(VolumeId.Kind.CUSTOM)).toString();
      }
      case "others" -> {
        TreeSet<String> all = new TreeSet<>();
        others().forEach(other -> other.volumes().forEach(volume -> all.add(volume.toString())));
        return all.toString();
      }
      case "take" -> take(id(words[1]), id(words[2]));
      case "write" -> RealLvmTests.write(pool(), id(words[1]), "file", words[2]);
      case "read" -> {
        return RealLvmTests.read(pool(), id(words[1]), "file");
      }
      case "limit" ->
          pool()
              .quotas()
              .orElseThrow()
              .limit(id(words[1]), Optional.of(Size.ofMebibytes(Long.parseLong(words[2]))));
      case "attach" -> attached.put(words[1], pool().attach(id(words[1]), Optional.empty(), false));
      case "detach" -> Objects.requireNonNull(attached.remove(words[1])).close();
      case "destroy" -> pool().destroy();
      default -> {
        return block(words);
      }
    }
    return "ok";
  }

  private List<LvmClusterProvider.Other> others() {
    return provider.others(host, spec, directory);
  }

  /** From whoever has it. */
  private void take(VolumeId theirs, VolumeId ours) {
    String owner =
        others().stream()
            .filter(other -> other.volumes().contains(theirs))
            .findFirst()
            .orElseThrow(() -> StapesException.notFound("volume " + theirs))
            .owner();
    provider.takeOver(host, spec, directory, owner, theirs, ours);
  }

  private String block(String[] words) throws IOException {
    StoragePool.BlockVolumes blocks = pool().blockVolumes().orElseThrow();
    switch (words[0]) {
      case "block" -> blocks.create(id(words[1]), Size.ofMebibytes(8));
      case "grow" -> blocks.grow(id(words[1]), Size.ofMebibytes(Long.parseLong(words[2])));
      case "size" -> {
        return blocks.size(id(words[1])).orElseThrow().toString();
      }
      case "leave" -> leave(id(words[1]));
      case "plug" -> attached.put(words[1], blocks.attach(id(words[1]), false));
      case "put" -> {
        try (FileChannel device = FileChannel.open(device(words[1]), StandardOpenOption.WRITE)) {
          device.write(ByteBuffer.wrap(words[2].getBytes(UTF_8)), 4096);
          device.force(true);
        }
      }
      case "get" -> {
        ByteBuffer text = ByteBuffer.allocate(Integer.parseInt(words[2]));
        try (FileChannel device = FileChannel.open(device(words[1]), StandardOpenOption.READ)) {
          device.read(text, 4096);
        }
        return new String(text.array(), UTF_8);
      }
      default -> throw new IllegalArgumentException(words[0]);
    }
    return "ok";
  }

  /** What a copy leaves whose machine dies meanwhile: a snapshot of what is copied. */
  private void leave(VolumeId id) {
    Syscalls calls = Syscalls.system();
    PoolContext context =
        new PoolContext(host, calls, LvmProvider.ROOT, spec, directory, new BlockCopies(calls));
    PoolMark mark = new PoolMark(context);
    String group = spec.config().get(LvmKeys.GROUP).orElseThrow();
    PoolContent content =
        new SharedBacking(context, group, mark.owner(), Optional.empty()).require(mark.read());
    String volume =
        content.volumes().stream()
            .filter(one -> one.id().equals(id))
            .findFirst()
            .orElseThrow()
            .name();
    content.pool().activate(volume);
    new PlainVolumes(content.pool()).moment(volume, LvmNames.freshVolume(), 4 << 20);
  }

  private Path device(String name) {
    return host.mounts().local(Objects.requireNonNull(attached.get(name)).path());
  }

  private StoragePool pool() {
    return Objects.requireNonNull(pool);
  }
}
