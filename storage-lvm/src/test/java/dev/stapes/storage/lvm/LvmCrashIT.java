package dev.stapes.storage.lvm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.block.LoopDevice;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Host;
import dev.stapes.spi.HostProvider;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.spi.StoragePool;
import dev.stapes.spi.Tree;
import dev.stapes.spi.VolumeId;
import dev.stapes.testkit.DoomedJvm;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is there after a JVM was killed, power was cut, or a device went away. */
class LvmCrashIT extends RealLvmTests {
  LvmCrashIT(@TempDir Path directory) throws IOException {
    super(directory);
  }

  /** The child: makes a pool and volumes in it, and says what it has done. */
  static final class Doomed {
    private Doomed() {}

    public static void main(String[] arguments) {
      PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
      Path own = Path.of(arguments[0]);
      PoolSpec spec = specOf(arguments[1]);
      Host host = ServiceLoader.load(HostProvider.class).findFirst().orElseThrow().open();
      out.println("begins");
      StoragePool pool = new LvmProvider().create(host, spec, own);
      out.println("created");
      for (int i = 0; i < 1000; i++) {
        VolumeId id = new VolumeId(VolumeId.Kind.INSTANCE, "v-" + i);
        pool.create(id);
        write(pool, id, "file", "of " + i);
        pool.copy(id, new VolumeId(VolumeId.Kind.SNAPSHOT, "s-" + i), true);
        out.println(i);
        if (i % 2 == 1) {
          pool.discard(id);
        }
        if (i == 3) {
          pool.destroy();
          out.println("destroyed");
          return;
        }
      }
    }
  }

  /** A loop file where nothing else is said. */
  private static PoolSpec specOf(String source) {
    PoolSpec spec = source.isEmpty() ? spec(300) : PoolSpec.of("test", "lvm").source(source);
    return spec.with("volume.size", "32MiB");
  }

  /** Runs it until it has said a line, and kills it. */
  private void runAndKill(String source, String last) throws Exception {
    try (DoomedJvm doomed = DoomedJvm.start(Doomed.class, own.toString(), source)) {
      doomed.awaitLine(last);
      doomed.kill();
    }
  }

  /** A device of device-mapper that is this test's alone. */
  private final String fickle = "stapes-fickle-" + UUID.randomUUID();

  @Test
  void after_a_kill_volumes_are_whole_and_devices_go_with_the_next_close() throws Exception {
    runAndKill("", "2");
    StoragePool pool = provider.open(host, specOf(""), own);
    try {
      for (VolumeId id : pool.list()) {
        if (id.name().compareTo("v-2") <= 0 && id.kind() == VolumeId.Kind.INSTANCE) {
          assertEquals("of " + id.name().substring(2), read(pool, id, "file"));
        }
        pool.tree(id, Tree.Resolution.BENEATH).close();
      }
      VolumeId third = new VolumeId(VolumeId.Kind.SNAPSHOT, "s-2");
      assertEquals("of 2", read(pool, third, "file"));
      pool.reclaim();
      pool.close();
      assertEquals("", activeDevices());
      pool = provider.open(host, specOf(""), own);
      assertEquals("of 2", read(pool, third, "file"));
    } finally {
      pool.destroy();
    }
  }

  private String activeDevices() {
    return run("dmsetup", "ls").lines().filter(line -> line.startsWith("stapes_")).toList().stream()
        .reduce("", String::concat);
  }

  /** Begun, nearly done, and while it is destroyed. */
  @Test
  void what_a_killed_creation_or_removal_left_is_swept() throws Exception {
    for (String last : List.of("begins", "created", "3")) {
      runAndKill("", last);
      Unfinished what = last.equals("3") ? Unfinished.REMOVAL : Unfinished.CREATION;
      provider.sweep(host, specOf(""), own, what);
      provider.sweep(host, specOf(""), own, what); // nothing is left to do
      nothing_of_the_pool_is_there(last);
    }
  }

  private void nothing_of_the_pool_is_there(String when) throws IOException {
    assertEquals("", activeDevices(), when);
    assertEquals(Set.of(), names(own), when);
  }

  private static Set<String> names(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.map(file -> String.valueOf(file.getFileName())).collect(Collectors.toSet());
    }
  }

  @Test
  void a_device_is_blank_again_after_a_sweep() throws Exception {
    try (LoopDevice disk = disk(300)) {
      String source = disk.path().toString();
      for (String last : List.of("begins", "created", "3")) {
        runAndKill(source, last);
        provider.sweep(host, specOf(source), own, Unfinished.REMOVAL);
        nothing_of_the_pool_is_there(last);
        try (InputStream in = Files.newInputStream(disk.path())) {
          for (byte each : in.readNBytes(1 << 20)) {
            assertEquals(0, each, last);
          }
        }
      }
      provider.create(host, specOf(source), own).destroy();
    }
  }

  @Test
  void what_somebody_else_put_onto_the_device_is_not_swept() throws Exception {
    try (LoopDevice disk = disk(300)) {
      String source = disk.path().toString();
      Files.write(disk.path(), "somebody's".getBytes(UTF_8));
      refused(Kind.CONFLICT, () -> provider.create(host, specOf(source), own));
      provider.sweep(host, specOf(source), own, Unfinished.CREATION);
      try (InputStream in = Files.newInputStream(disk.path())) {
        assertEquals("somebody's", new String(in.readNBytes(10), UTF_8));
      }
    }
  }

  @Test
  void a_copy_of_the_directory_does_not_work_on_the_original() throws Exception {
    Path copy = Files.createDirectory(directory.resolve("copy"));
    StoragePool pool = provider.create(host, specOf(""), own);
    try {
      pool.create(A);
      write(pool, A, "file", "original");
      run("cp", "-a", "--sparse=always", own + "/.", copy.toString());
      StapesException error =
          refused(Kind.UNAVAILABLE, () -> provider.open(host, specOf(""), copy));
      assertTrue(String.valueOf(error.getMessage()).contains("copy"), error.toString());
      refused(Kind.UNAVAILABLE, () -> provider.sweep(host, specOf(""), copy, Unfinished.REMOVAL));
      assertEquals("original", read(pool, A, "file"));
      pool.close();
      run("cp", "-a", "--sparse=always", own + "/disk.img", copy.toString());
      StoragePool other = provider.open(host, specOf(""), copy);
      write(other, A, "file", "copy");
      refused(Kind.UNAVAILABLE, () -> provider.open(host, specOf(""), own));
      other.destroy();
      pool = provider.open(host, specOf(""), own);
      assertEquals("original", read(pool, A, "file"));
    } finally {
      pool.destroy();
    }
  }

  @Test
  void a_copy_of_the_directory_of_a_pool_on_a_device_is_refused() throws Exception {
    try (LoopDevice disk = disk(300)) {
      PoolSpec spec = specOf(disk.path().toString());
      Path copy = directory.resolve("copy");
      StoragePool pool = provider.create(host, spec, own);
      try {
        pool.create(A);
        pool.close();
        run("cp", "-a", own.toString(), copy.toString());
        refused(Kind.UNAVAILABLE, () -> provider.open(host, spec, copy));
        refused(Kind.UNAVAILABLE, () -> provider.sweep(host, spec, copy, Unfinished.REMOVAL));
        pool = provider.open(host, spec, own);
        assertEquals(Set.of(A), pool.list());
      } finally {
        pool.destroy();
      }
    }
  }

  /**
   * While a device is suspended nothing reaches what is below it: a copy of that is what a power
   * cut leaves.
   */
  @Test
  void after_a_power_cut_what_was_synced_is_there_and_every_volume_can_be_used() throws Exception {
    try (LoopDevice disk = disk(300)) {
      String table = "0 " + disk.size() / 512 + " linear " + disk.path() + " 0";
      run("dmsetup", "create", fickle, "--table", table);
      try {
        StoragePool pool = provider.create(host, specOf("/dev/mapper/" + fickle), own);
        try {
          for (int round = 0; round < 3; round++) {
            cut(pool, directory.resolve("cut-" + round), round);
          }
        } finally {
          pool.destroy();
        }
      } finally {
        run("dmsetup", "remove", "--force", fickle);
      }
    }
  }

  private void cut(StoragePool pool, Path after, int round) throws Exception {
    VolumeId id = new VolumeId(VolumeId.Kind.INSTANCE, "v-" + round);
    pool.create(id);
    write(pool, id, "synced", "synced " + round);
    run("sync");
    Files.createDirectory(after);
    ExecutorService behind = Executors.newSingleThreadExecutor();
    AtomicBoolean stop = new AtomicBoolean();
    CountDownLatch busy = new CountDownLatch(round);
    try {
      Future<Integer> writer = behind.submit(() -> writing(pool, id, round, stop, busy));
      busy.await();
      run("dmsetup", "suspend", "--nolockfs", fickle);
      try {
        run("cp", "--sparse=always", directory + "/disk", after + "/disk");
      } finally {
        run("dmsetup", "resume", fickle);
        stop.set(true);
      }
      assertTrue(writer.get() > 0);
    } finally {
      behind.shutdownNow();
    }
    Files.copy(own.resolve("thin-pool"), after.resolve("thin-pool"));
    try (LoopDevice copy = LoopDevice.of(Syscalls.system(), after.resolve("disk"), false)) {
      look(after, copy.path().toString(), round);
    }
  }

  private static int writing(
      StoragePool pool, VolumeId id, int round, AtomicBoolean stop, CountDownLatch busy) {
    int made = 0;
    for (; !stop.get() || made == 0; made++) {
      write(pool, id, "file-" + made, "something ".repeat(20_000));
      pool.copy(id, new VolumeId(VolumeId.Kind.SNAPSHOT, "s-" + round + "." + made), true);
      busy.countDown();
    }
    return made;
  }

  /** The names of the copy's group and devices are those of the original, which is in use. */
  private void look(Path after, String device, int round) {
    lvm("vgimportclone", "--devices", device, "--basevgname", "stapes_cut" + round, device);
    StoragePool found = openCopy(device, after);
    try {
      for (VolumeId each : found.list()) {
        found.tree(each, Tree.Resolution.BENEATH).close();
      }
      for (int i = 0; i <= round; i++) {
        VolumeId old = new VolumeId(VolumeId.Kind.INSTANCE, "v-" + i);
        assertEquals("synced " + i, read(found, old, "synced"));
      }
      found.create(A);
      found.copy(A, B, false);
      write(found, B, "new", "new");
      found.discard(A);
      found.reclaim();
    } finally {
      found.destroy();
    }
  }

  /** As who has lost the original, which says of itself that it is there. */
  private StoragePool openCopy(String device, Path after) {
    Path mark = own.resolve("thin-pool");
    Path aside = directory.resolve("aside");
    try {
      Files.move(mark, aside);
      try {
        return provider.open(host, specOf(device), after);
      } finally {
        Files.move(aside, mark);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void when_the_device_goes_away_all_fails_at_once_and_what_was_synced_comes_back_with_it()
      throws Exception {
    try (LoopDevice disk = disk(300)) {
      long sectors = disk.size() / 512;
      String table = "0 " + sectors + " linear " + disk.path() + " 0";
      run("dmsetup", "create", fickle, "--table", table);
      try {
        PoolSpec spec = specOf("/dev/mapper/" + fickle).with("volume.size", "64MiB");
        StoragePool pool = provider.create(host, spec, own);
        pool.create(A);
        write(pool, A, "kept", "kept");
        run("sync");
        String group = groupOf(Files.readString(own.resolve("thin-pool")).split("[ \n]")[2]);
        swap("0 " + sectors + " error");
        assertTrue(fails(() -> pool.create(B)));
        assertTrue(fails(() -> pool.copy(A, B, false)));
        swap(table);
        attempt(pool::close);
        removeDevices(group);
        StoragePool again = provider.open(host, spec, own);
        assertEquals("kept", read(again, A, "kept"));
        again.create(C);
        again.destroy();
      } finally {
        run("dmsetup", "remove", "--force", fickle);
      }
    }
  }

  /** The volume group that has the thin pool with a mark. */
  private String groupOf(String mark) {
    return lvm("lvs", "--noheadings", "-o", "vg_name", "@" + VolumeTags.pool(mark)).strip();
  }

  /** Those of one group: others may be somebody's. */
  private void removeDevices(String group) {
    assertTrue(group.matches("stapes_[0-9a-f]{32}"), group);
    run(
        "bash",
        "-c",
        "dmsetup ls | grep -o '^"
            + group
            + "-[^ \t]*' | sort -r"
            + " | while read -r name; do dmsetup remove --force \"$name\" || true; done");
  }

  private void swap(String table) {
    run("dmsetup", "suspend", "--nolockfs", "--noflush", fickle);
    run("dmsetup", "load", fickle, "--table", table);
    run("dmsetup", "resume", fickle);
  }

  private static boolean fails(Runnable work) {
    try {
      work.run();
      return false;
    } catch (StapesException e) {
      return true;
    }
  }

  private static void attempt(Runnable work) {
    try {
      work.run();
    } catch (StapesException e) {
      // what cannot be written is lost, as the test wants it
    }
  }

  @Test
  void the_limits_of_a_volume_hold_after_it_was_made_smaller() {
    StoragePool pool = provider.create(host, specOf("").with("volume.size", "128MiB"), own);
    try {
      pool.create(A);
      write(pool, A, "kept", "kept");
      pool.copy(A, SNAPSHOT, true);
      pool.quotas().orElseThrow().limit(A, Optional.of(Size.ofMebibytes(24)));
      assertEquals("kept", read(pool, A, "kept"));
      pool.close();
      pool = provider.open(host, specOf("").with("volume.size", "128MiB"), own);
      assertEquals(Set.of(A, SNAPSHOT), pool.list());
      assertEquals("kept", read(pool, A, "kept"));
      pool.reclaim();
      assertEquals("kept", read(pool, A, "kept"));
    } finally {
      pool.destroy();
    }
  }
}
