package dev.stapes.storage.zfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Command;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.StoragePool.Attachment;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.EventStream;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The device of a pool goes away while it is written to, and comes back. */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresKernel("loop")
@RequiresTool("zpool")
@RequiresTool("dmsetup")
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ZfsLostDeviceIT {
  private static final VolumeId A = new VolumeId(VolumeId.Kind.INSTANCE, "a");
  private static final VolumeId B = new VolumeId(VolumeId.Kind.INSTANCE, "b");
  private static final VolumeId OLD = new VolumeId(VolumeId.Kind.SNAPSHOT, "old");
  private static final VolumeId GOT = new VolumeId(VolumeId.Kind.SNAPSHOT, "got");
  private static final PoolSpec FILE = PoolSpec.of("other", "zfs").size(Size.ofMebibytes(128));

  /** Any call ends before: it looks each 5 seconds whether the zpool has stopped. */
  private static final long BOUND_SECONDS = 90;

  private static final int MEBIBYTES = 8;

  @TempDir Path directory;

  private final String fickle = "stapes-fickle-" + UUID.randomUUID();
  private final ZfsProvider provider = new ZfsProvider();
  private final ExecutorService behind = Executors.newCachedThreadPool();
  private final PoolSpec spec =
      PoolSpec.of("lost", "zfs").source("/dev/mapper/" + fickle).with("zfs.pool_name", "zlost");
  private Host host;
  private Path own;
  private LoopDevice disk;
  private StoragePool other;
  private StoragePool pool;

  @BeforeEach
  void create() throws IOException {
    host = TestZpool.openHost();
    Path root = directory.toRealPath();
    Path image = Files.createFile(root.resolve("image"));
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(256 << 20);
    }
    disk = LoopDevice.of(Syscalls.system(), image, false);
    run("dmsetup", "create", fickle, "--table", table(true));
    own = Files.createDirectory(root.resolve("own"));
    other = provider.create(host, FILE, Files.createDirectory(root.resolve("other")));
    pool = provider.create(host, spec, own);
    pool.create(A);
    write(pool, A, "kept", "kept".getBytes(UTF_8));
    pool.copy(A, OLD, true);
    run("zpool", "sync", "zlost");
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    behind.shutdownNow();
    swap(true);
    if (!HostLeftovers.filesBelow(own).isEmpty()) { // the test has failed
      run("zpool", "clear", "zlost");
      provider.sweep(host, spec, own, Unfinished.REMOVAL);
    }
    other.destroy();
    run("dmsetup", "remove", "--retry", fickle);
    disk.close();
    host.close();
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
    assertEquals(Set.of(), HostLeftovers.of(directory));
  }

  private String run(String... command) {
    return host.programs().run(Command.of(command)).stdout();
  }

  private String table(boolean there) {
    String sectors = "0 " + disk.size() / 512;
    return sectors + (there ? " linear " + disk.path() + " 0" : " error");
  }

  /** Takes the device away from all that is above it, or brings it back. */
  private void swap(boolean there) {
    run("dmsetup", "suspend", "--nolockfs", "--noflush", fickle);
    run("dmsetup", "load", fickle, "--table", table(there));
    run("dmsetup", "resume", fickle);
  }

  private static void write(StoragePool pool, VolumeId id, String name, byte[] bytes) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        OutputStream out = tree.write(name, 0644)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(StoragePool pool, VolumeId id) {
    try (Tree tree = pool.tree(id, Tree.Resolution.BENEATH);
        InputStream in = tree.read("kept")) {
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** It ends, and says that the pool cannot be reached. */
  private void refused(Runnable work) throws Exception {
    unavailable(behind.submit(work));
  }

  private static void unavailable(Future<?> begun) {
    ExecutionException error =
        assertThrows(ExecutionException.class, () -> begun.get(BOUND_SECONDS, TimeUnit.SECONDS));
    StapesException cause = assertInstanceOf(StapesException.class, error.getCause());
    assertEquals(Kind.UNAVAILABLE, cause.kind(), cause.toString());
  }

  /** Whatever it says, it ends. */
  private void ends(Runnable work) throws Exception {
    Future<?> begun = behind.submit(work);
    try {
      begun.get(BOUND_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      assertInstanceOf(StapesException.class, e.getCause());
    }
  }

  private void goesOn(StoragePool healthy) throws Exception {
    Future<?> done =
        behind.submit(
            () -> {
              healthy.create(A);
              write(healthy, A, "kept", "kept".getBytes(UTF_8));
              healthy.copy(A, OLD, true);
              assertEquals("kept", read(healthy, OLD));
              healthy.discard(OLD);
              healthy.discard(A);
              healthy.reclaim();
            });
    done.get(BOUND_SECONDS, TimeUnit.SECONDS);
  }

  @Test
  void all_calls_end_others_go_on_and_so_does_the_pool_when_the_device_is_back() throws Exception {
    swap(false);
    refused(() -> pool.create(B));
    refused(() -> pool.copy(A, B, false));
    refused(() -> pool.copy(A, GOT, true));
    refused(() -> pool.discard(A));
    ends(pool::info);
    ends(pool::reclaim);
    ends(() -> pool.quotas().orElseThrow().usage(A));
    goesOn(other);
    swap(true);
    run("zpool", "clear", "zlost");
    goesOnAfterwards();
    pool.close();
    pool = provider.open(host, spec, own);
    assertEquals("kept", read(pool, OLD));
    pool.destroy();
  }

  /** What was begun is done by the kernel, or was not. */
  private void goesOnAfterwards() {
    assertEquals("kept", read(pool, OLD));
    for (VolumeId id : Set.of(B, GOT)) {
      pool.discard(id);
    }
    pool.create(B);
    write(pool, B, "kept", "kept".getBytes(UTF_8));
    assertEquals("kept", read(pool, B));
    pool.reclaim();
  }

  @Test
  void a_stream_that_is_received_meanwhile_ends_with_an_error() throws Exception {
    InputStream in = losing(somethingOfAnother());
    unavailable(behind.submit(() -> pool.sendReceive().orElseThrow().receive(GOT, in)));
    swap(true);
    run("zpool", "clear", "zlost");
    goesOnAfterwards();
    pool.destroy();
  }

  /** What was written of it before may be nothing. */
  @Test
  void what_came_of_a_stream_goes_on_when_the_device_is_back() throws Exception {
    byte[] whole = somethingOfAnother();
    InputStream in = losing(whole);
    unavailable(behind.submit(() -> pool.resumable().orElseThrow().receive(GOT, in)));
    swap(true);
    run("zpool", "clear", "zlost");
    pool.close();
    pool = provider.open(host, spec, own);
    assertEquals(Set.of(A, OLD), pool.list());
    StoragePool.Resumable streams = pool.resumable().orElseThrow();
    Optional<StoragePool.Kept> kept = streams.find(GOT);
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    if (kept.isPresent()) {
      other.resumable().orElseThrow().send(OLD, kept.get().token(), rest);
    } else {
      rest.writeBytes(whole);
    }
    assertEquals(
        new StoragePool.Received.Whole(),
        streams.receive(GOT, new ByteArrayInputStream(rest.toByteArray())));
    pool.destroy();
  }

  /** Some MiB that do not compress. */
  private byte[] somethingOfAnother() {
    byte[] bytes = new byte[MEBIBYTES << 20];
    new Random(1).nextBytes(bytes);
    other.create(A);
    write(other, A, "big", bytes);
    other.copy(A, OLD, true);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    other.sendReceive().orElseThrow().send(OLD, Optional.empty(), out);
    return out.toByteArray();
  }

  /** Takes the device away where it is read. */
  private InputStream losing(byte[] whole) {
    InputStream first = new ByteArrayInputStream(whole, 0, 3 << 20);
    InputStream cutting = new EventStream(() -> swap(false));
    InputStream rest = new ByteArrayInputStream(whole, 3 << 20, whole.length - (3 << 20));
    return new SequenceInputStream(first, new SequenceInputStream(cutting, rest));
  }

  /** It may stop while somebody mounts, who is not waited for then. */
  @Test
  void what_is_mounted_meanwhile_keeps_nobody_else_waiting() throws Exception {
    pool.close();
    pool = provider.open(host, spec, own); // nothing of the volume is in memory
    swap(false);
    ends(() -> pool.attach(A, Optional.empty(), false).close());
    goesOn(other);
    ends(pool::close);
    swap(true);
    run("zpool", "clear", "zlost");
    pool = provider.open(host, spec, own);
    assertEquals("kept", read(pool, OLD));
    pool.destroy();
  }

  @Test
  void a_pool_that_is_given_up_can_be_closed_and_is_removed_when_its_device_is_back()
      throws Exception {
    swap(false);
    refused(() -> pool.create(B));
    refused(pool::destroy);
    ends(pool::close);
    refused(() -> provider.sweep(host, spec, own, Unfinished.REMOVAL));
    goesOn(other);
    swap(true);
    run("zpool", "clear", "zlost");
    provider.sweep(host, spec, own, Unfinished.REMOVAL);
    provider.create(host, spec, own).destroy();
  }

  /** What was written has to go to the disk first: nobody waits for that. */
  @Test
  void what_was_written_to_is_let_go_meanwhile() throws Exception {
    Attachment held = pool.attach(A, Optional.empty(), false);
    Files.write(host.mounts().local(held.path()).resolve("more"), new byte[1 << 20]);
    swap(false);
    ends(held::close);
    goesOn(other);
    ends(pool::close);
    swap(true);
    run("zpool", "clear", "zlost");
    pool = provider.open(host, spec, own);
    assertEquals("kept", read(pool, OLD));
    pool.destroy();
  }

  /** The same for files that were written through a tree. */
  @Test
  void a_tree_that_was_written_to_is_let_go_meanwhile() throws Exception {
    Tree tree = pool.tree(A, Tree.Resolution.BENEATH);
    OutputStream out = tree.write("more", 0644);
    out.write(new byte[1 << 20]);
    swap(false);
    refused(() -> pool.create(B)); // then it has stopped
    ends(tree::close);
    ends(
        () -> {
          try {
            out.close();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    refused(() -> pool.tree(A, Tree.Resolution.BENEATH));
    goesOn(other);
    swap(true);
    run("zpool", "clear", "zlost");
    goesOnAfterwards();
    pool.destroy();
  }
}
