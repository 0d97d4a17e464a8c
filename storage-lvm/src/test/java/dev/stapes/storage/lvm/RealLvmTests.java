package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Pools of a real LVM, of which nothing is left behind. */
@RequiresRoot
@RequiresKernel("thin-pool")
@RequiresKernel("loop")
@RequiresTool("lvm")
@RequiresTool("thin_check")
@Timeout(300)
abstract class RealLvmTests {
  static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  static final VolumeId C = new VolumeId(VolumeId.Kind.INSTANCE, "c");
  static final VolumeId SNAPSHOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.clean");
  static final VolumeId LATER = new VolumeId(VolumeId.Kind.SNAPSHOT, "a.later");

  final LvmProvider provider = new LvmProvider();
  final Host host = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();

  /** Of the test. */
  final Path directory;

  /** The pool's, in it. */
  final Path own;

  RealLvmTests(Path directory) throws IOException {
    this.directory = directory.toRealPath();
    this.own = Files.createDirectory(this.directory.resolve("pool"));
  }

  @AfterEach
  void nothing_is_left() {
    host.close();
    assertEquals(Set.of(), HostLeftovers.of(directory));
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  static PoolSpec spec(int mebibytes) {
    return PoolSpec.of("test", "lvm").size(Size.ofMebibytes(mebibytes));
  }

  static void write(StoragePool pool, VolumeId id, String name, String text) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        OutputStream out = tree.write(name, 0644)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String read(StoragePool pool, VolumeId id, String name) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        InputStream in = tree.read(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static StapesException refused(Kind kind, Executable work) {
    StapesException error = assertThrows(StapesException.class, work);
    assertEquals(kind, error.kind(), error.toString());
    return error;
  }

  /** A block device with nothing on it. */
  LoopDevice disk(int mebibytes) throws IOException {
    return disk("disk", mebibytes);
  }

  LoopDevice disk(String name, int mebibytes) throws IOException {
    Path file = directory.resolve(name);
    resize(file, mebibytes);
    return LoopDevice.of(Syscalls.system(), file, false);
  }

  static void resize(Path file, int mebibytes) throws IOException {
    try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
      disk.setLength((long) mebibytes << 20);
    }
  }

  String run(String... command) {
    return host.programs().run(Command.of(command)).stdout();
  }

  String lvm(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "lvm";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return run(all);
  }
}
