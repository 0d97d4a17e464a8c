package dev.stapes.examples.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Instance;
import dev.stapes.model.ExecSpec;
import dev.stapes.model.Limits;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits whose effect cannot be forced in a test: what the kernel was told. */
@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
class LimitValuesIT {
  private static final String HARD = "memory.limit_in_bytes";
  private static final String SOFT = "memory.soft_limit_in_bytes";
  private static final String SWAP_TOO = "memory.memsw.limit_in_bytes";
  private static final String SWAPPINESS = "memory.swappiness";
  private static final String UNLIMITED = "9223372036854771712";

  @RegisterExtension static final Workbench BENCH = new Workbench("btrfs");

  private static Instance launch(Consumer<Limits.Builder> limits) {
    return BENCH.stapes().instances().launch(BENCH.spec().limits(limits).build());
  }

  private static String memory(Instance web, String file) throws IOException {
    return HostView.cgroup(web, "memory", file);
  }

  private static String mebibytes(int count) {
    return Long.toString(Size.ofMebibytes(count).bytes());
  }

  @Test
  void a_resource_limit_has_a_soft_and_a_hard_value_for_every_user() {
    Instance web =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .config("limits.kernel.nofile", "200:300")
                    .config("limits.kernel.core", "0")
                    .config("limits.kernel.nproc", "77:88")
                    .build());
    String show = "ulimit -Sn; ulimit -Hn; ulimit -Hc; ulimit -Su; ulimit -Hu";
    String wanted = "200\n300\n0\n77\n88\n";
    assertEquals(wanted, web.exec("sh", "-c", show).orThrow().stdout());
    assertEquals(
        wanted, web.exec(ExecSpec.builder("sh", "-c", show).user(1000).build()).orThrow().stdout());
    String open = "n=3; while eval \"exec $n</dev/null\"; do n=$((n+1)); done";
    assertTrue(
        web.exec("sh", "-c", "ulimit -n 20; " + open).stderr().contains("Too many open files"));
    assertTrue(web.exec("sh", "-c", "ulimit -Hn 301").exitCode() != 0, "root inside is not root");
    web.delete(Delete.FORCE);
  }

  @Test
  void a_resource_limit_of_no_such_resource_or_value_is_refused_by_its_text() {
    StapesException value =
        assertThrows(
            StapesException.class,
            () ->
                BENCH
                    .stapes()
                    .instances()
                    .create(BENCH.spec().config("limits.kernel.nofile", "many").build()));
    assertEquals(Kind.INVALID, value.kind());
    assertTrue(value.toString().contains("many"), value.toString());
    StapesException resource =
        assertThrows(
            StapesException.class,
            () ->
                BENCH
                    .stapes()
                    .instances()
                    .launch(BENCH.spec().config("limits.kernel.nofiles", "10").build()));
    assertEquals(Kind.INVALID, resource.kind(), resource.toString());
    assertTrue(resource.toString().contains("nofiles"), resource.toString());
    StapesException reversed =
        assertThrows(
            StapesException.class,
            () ->
                BENCH
                    .stapes()
                    .instances()
                    .create(BENCH.spec().config("limits.kernel.nofile", "300:200").build()));
    assertEquals(Kind.INVALID, reversed.kind());
    assertTrue(reversed.toString().contains("300:200"), reversed.toString());
    assertTrue(BENCH.stapes().instances().list().isEmpty());
  }

  @Test
  @RequiresKernel("cgroup-v1")
  void a_soft_limit_of_memory_yields_and_a_hard_one_does_not() throws IOException {
    Instance web = launch(l -> l.memory(Size.ofMebibytes(64)).memorySoft());
    assertEquals(mebibytes(64), memory(web, SOFT));
    assertEquals(UNLIMITED, memory(web, HARD));
    web.update(update -> update.config("limits.memory.enforce", "hard"));
    assertEquals(mebibytes(64), memory(web, HARD));
    assertEquals(UNLIMITED, memory(web, SOFT));
    web.update(update -> update.config("limits.memory.enforce", "soft"));
    assertEquals(mebibytes(64), memory(web, SOFT));
    assertEquals(UNLIMITED, memory(web, HARD));
    web.update(update -> update.config("limits.memory", ""));
    assertEquals(List.of(UNLIMITED, UNLIMITED), List.of(memory(web, SOFT), memory(web, HARD)));
    web.delete(Delete.FORCE);
  }

  @Test
  @RequiresKernel("cgroup-v1-swap")
  void swap_comes_on_top_of_memory_and_goes_with_it() throws IOException {
    Instance web = launch(l -> l.memory(Size.ofMebibytes(64)).swap(Size.ofMebibytes(32)));
    assertEquals(mebibytes(96), memory(web, SWAP_TOO));
    assertEquals(mebibytes(64), memory(web, HARD));
    web.update(update -> update.limits(l -> l.memory(Size.ofMebibytes(256))));
    assertEquals(mebibytes(288), memory(web, SWAP_TOO));
    assertEquals(mebibytes(256), memory(web, HARD));
    web.update(update -> update.limits(l -> l.memory(Size.ofMebibytes(32)).swap(false)));
    assertEquals(mebibytes(32), memory(web, SWAP_TOO));
    assertEquals("0", memory(web, SWAPPINESS));
    web.update(update -> update.config("limits.memory", "").config("limits.memory.swap", ""));
    assertEquals(UNLIMITED, memory(web, SWAP_TOO));
    assertEquals(
        Files.readString(HostView.cgroup(web, "memory").resolveSibling(SWAPPINESS)).strip(),
        memory(web, SWAPPINESS));
    web.delete(Delete.FORCE);
  }

  @Test
  @RequiresKernel("cgroup-v1")
  void what_is_swapped_out_first_is_the_one_of_low_priority() throws IOException {
    Instance web =
        BENCH
            .stapes()
            .instances()
            .launch(BENCH.spec().config("limits.memory.swap.priority", "10").build());
    int late = Integer.parseInt(memory(web, SWAPPINESS));
    web.update(update -> update.config("limits.memory.swap.priority", "0"));
    int early = Integer.parseInt(memory(web, SWAPPINESS));
    assertTrue(late < early, late + " < " + early);
    web.delete(Delete.FORCE);
  }

  @Test
  @RequiresKernel("cgroup-v1")
  void a_share_of_memory_is_one_of_the_machine_s() throws IOException {
    Instance web = launch(l -> l.memoryShare(25));
    String total = Files.readAllLines(Path.of("/proc/meminfo")).get(0);
    long all = Long.parseLong(total.replaceAll("\\D", "")) * 1024;
    long limit = Long.parseLong(memory(web, HARD));
    assertTrue(Math.abs(limit - all / 4) < 1 << 20, limit + " of " + all);
    web.delete(Delete.FORCE);
  }
}
