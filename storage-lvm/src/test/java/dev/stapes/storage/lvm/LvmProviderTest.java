package dev.stapes.storage.lvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Availability;
import dev.stapes.spi.Host;
import dev.stapes.spi.StorageDriverProvider.Unfinished;
import dev.stapes.testkit.FakeHost;
import dev.stapes.testkit.FakeProgram;
import dev.stapes.testkit.Faults;
import dev.stapes.testkit.HostLeftovers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What a machine must have, and what a pool cannot be made of. */
class LvmProviderTest {
  private static final FakeProgram LVM =
      FakeProgram.printing("  LVM version:     2.03.16(2) (2022-05-18)\n");

  private final Path root;
  private final LvmProvider provider;

  LvmProviderTest(@TempDir Path root) {
    this.root = root;
    this.provider = new LvmProvider(Syscalls::system, root, sys -> LvmWorld.CONTENTS);
  }

  private void kernelHas(String line) throws IOException {
    Path modules = Files.createDirectories(root.resolve("lib/modules/6.1.0-fake"));
    Files.writeString(modules.resolve("modules.dep"), line);
  }

  private void unavailable(String reason, String remedy, FakeHost host) {
    Availability.Unavailable no =
        assertInstanceOf(Availability.Unavailable.class, provider.probe(host));
    assertTrue(no.reason().contains(reason), no.toString());
    assertTrue(no.remedy().contains(remedy), no.toString());
  }

  @Test
  void it_works_with_the_tools_and_a_module_of_the_kernel() throws IOException {
    kernelHas("kernel/drivers/md/dm-thin-pool.ko.xz: kernel/drivers/md/dm-bufio.ko.xz\n");
    assertEquals(Availability.available(), provider.probe(LvmWorld.machine(LVM)));
  }

  @Test
  void what_is_missing_is_said_with_the_package_that_has_it() {
    unavailable("lvm not found", "lvm2", FakeHost.create());
    unavailable(
        "thin_check not found",
        "thin-provisioning-tools",
        FakeHost.builder().program("lvm", LVM).build());
    unavailable(
        "mkfs.ext4 not found",
        "e2fsprogs",
        FakeHost.builder().program("lvm", LVM).program("thin_check", call -> 0).build());
    unavailable("no thin pools", "CONFIG_DM_THIN_PROVISIONING", LvmWorld.machine(LVM));
  }

  @Test
  void plain_volumes_need_what_they_are_copied_from() throws IOException {
    kernelHas("kernel/drivers/md/dm-thin-pool.ko: kernel/drivers/md/dm-bufio.ko\n");
    FakeHost host = LvmWorld.machine(new FakeLvm());
    Path own = directory("own");
    PoolSpec plain = LvmWorld.SPEC.with("lvm.use_thinpool", "false");
    refused(Kind.UNAVAILABLE, "CONFIG_DM_SNAPSHOT", host, plain, own);
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
    provider.create(host, LvmWorld.SPEC, own).destroy();
    kernelHas("kernel/drivers/md/dm-snapshot.ko.xz: kernel/drivers/md/dm-bufio.ko.xz\n");
    provider.create(host, plain, own).destroy();
  }

  @Test
  void volumes_that_are_too_small_for_their_file_system_are_refused(@TempDir Path own)
      throws IOException {
    for (String[] one : new String[][] {{"ext4", "1MiB"}, {"xfs", "299MiB"}, {"btrfs", "100MiB"}}) {
      PoolSpec spec =
          LvmWorld.SPEC.with("volume.block.filesystem", one[0]).with("volume.size", one[1]);
      FakeHost host =
          FakeHost.builder().program("lvm", LVM).program("mkfs." + one[0], call -> 0).build();
      StapesException error =
          assertThrows(StapesException.class, () -> provider.create(host, spec, own));
      assertEquals(Kind.INVALID, error.kind(), error.toString());
      assertTrue(String.valueOf(error.getMessage()).contains(one[0]), error.toString());
    }
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  @Test
  void an_old_lvm_and_one_that_does_not_run_are_not_available() throws IOException {
    kernelHas("kernel/drivers/md/dm-thin-pool.ko:\n");
    unavailable(
        "2.03.11",
        "2.03.12",
        LvmWorld.machine(FakeProgram.printing("  LVM version:     2.03.11(2) (2021-01-08)\n")));
    unavailable("unknown", "2.03.12", LvmWorld.machine(FakeProgram.printing("")));
    unavailable("broken", "lvm version", LvmWorld.machine(FakeProgram.failing(127, "broken")));
  }

  @Test
  void sources_and_sizes_that_make_no_sense_are_quoted_and_leave_nothing() throws IOException {
    FakeHost host = LvmWorld.machine(new FakeLvm());
    Path own = Files.createDirectory(root.resolve("own"));
    PoolSpec spec = PoolSpec.of("test", "lvm");
    refused(Kind.INVALID, "\"--yes\"", host, spec.source("--yes"), own);
    refused(Kind.INVALID, "\"a/b\"", host, spec.source("a/b"), own);
    refused(Kind.INVALID, "comma", host, spec.source("/dev/a,/dev/b"), own);
    refused(
        Kind.INVALID, "/dev/null", host, spec.source("/dev/null").size(Size.ofGibibytes(1)), own);
    refused(Kind.INVALID, own.toString(), host, spec.source(own.toString()), own);
    refused(Kind.NOT_FOUND, "vg9", host, spec.source("vg9"), own);
    refused(Kind.INVALID, "\"32MiB\"", host, spec.size(Size.ofMebibytes(32)), own);
    refused(Kind.INVALID, "ntfs", host, spec.with("volume.block.filesystem", "ntfs"), own);
    refused(Kind.INVALID, "colour", host, spec.with("colour", "red"), own);
    refused(
        Kind.EXHAUSTED, "free", host, spec.source(FakeLvm.GROUP).size(Size.ofGibibytes(2)), own);
    refused(
        Kind.UNAVAILABLE,
        "xfsprogs",
        host,
        spec.source(FakeLvm.GROUP).with("volume.block.filesystem", "xfs"),
        own);
    assertEquals(Set.of(), HostLeftovers.filesBelow(own));
  }

  private void refused(Kind kind, String quoted, FakeHost host, PoolSpec spec, Path own) {
    StapesException error =
        assertThrows(StapesException.class, () -> provider.create(host, spec, own));
    assertEquals(kind, error.kind(), error.toString());
    assertTrue(String.valueOf(error.getMessage()).contains(quoted), error.toString());
  }

  @Test
  void wherever_a_creation_dies_a_sweep_leaves_nothing() {
    for (int n = 1; n <= 8; n++) {
      Faults faults = new Faults();
      FakeLvm lvm = new FakeLvm();
      FakeHost machine = LvmWorld.machine(lvm);
      Path own = directory("dies-" + n);
      faults.dieAtNth(n);
      boolean died = false;
      try {
        provider.create(faults.wrap(Host.class, machine), LvmWorld.SPEC, own).close();
      } catch (StapesException e) {
        died = true;
      }
      faults.count();
      provider.sweep(machine, LvmWorld.SPEC, own, Unfinished.REMOVAL);
      assertEquals(0, lvm.count(), "effect " + n + ", died: " + died);
      assertEquals(Set.of(), HostLeftovers.filesBelow(own), "effect " + n);
    }
  }

  @Test
  void without_a_mark_a_sweep_does_nothing() {
    FakeHost machine = LvmWorld.machine(new FakeLvm());
    provider.sweep(machine, LvmWorld.SPEC, directory("empty"), Unfinished.CREATION);
    assertEquals(0, machine.commands().size());
  }

  @Test
  void a_copy_of_the_directory_is_refused_where_the_pool_lies_elsewhere() throws IOException {
    FakeHost machine = LvmWorld.machine(new FakeLvm());
    Path own = directory("own");
    Path copy = directory("copy");
    provider.create(machine, LvmWorld.SPEC, own).close();
    // A snapshot of a file system keeps the number of the inode, as this does.
    Files.createLink(copy.resolve("thin-pool"), own.resolve("thin-pool"));
    copyIsRefused(machine, copy, own);
    Path moved = own.resolveSibling("moved #1, \u00e9");
    Files.move(own, moved);
    provider.open(machine, LvmWorld.SPEC, moved).close();
    copyIsRefused(machine, copy, moved);
    Files.delete(moved.resolve("thin-pool")); // somebody knows that the original is not needed
    provider.open(machine, LvmWorld.SPEC, copy).destroy();
  }

  private void copyIsRefused(FakeHost machine, Path copy, Path original) {
    for (Executable attempt :
        List.<Executable>of(
            () -> provider.open(machine, LvmWorld.SPEC, copy),
            () -> provider.sweep(machine, LvmWorld.SPEC, copy, Unfinished.REMOVAL))) {
      StapesException error = assertThrows(StapesException.class, attempt);
      assertEquals(Kind.UNAVAILABLE, error.kind(), error.toString());
      String message = String.valueOf(error.getMessage());
      assertTrue(message.contains("is a copy"), error.toString());
      assertTrue(message.contains(original.toString()), error.toString());
      assertFalse(message.contains("thin pool"), error.toString());
    }
  }

  @Test
  void another_path_to_the_directory_is_no_copy_and_a_restored_one_is_the_pool()
      throws IOException {
    FakeHost machine = LvmWorld.machine(new FakeLvm());
    Path own = directory("own");
    provider.create(machine, LvmWorld.SPEC, own).close();
    Path other = Files.createSymbolicLink(root.resolve("other"), own);
    provider.open(machine, LvmWorld.SPEC, other).close();
    provider.open(machine, LvmWorld.SPEC, own).close();
    String mark = Files.readString(own.resolve("thin-pool"));
    Files.delete(own.resolve("thin-pool"));
    Files.writeString(own.resolve("thin-pool"), mark); // as from a backup, with another inode
    provider.open(machine, LvmWorld.SPEC, own).destroy();
  }

  private Path directory(String name) {
    try {
      return Files.createDirectory(root.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
