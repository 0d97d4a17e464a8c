package dev.stapes.storage.lvm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.ExecProcess;
import dev.stapes.model.ExecResult;
import dev.stapes.model.ExecSpec;
import dev.stapes.testkit.HostLeftovers;
import dev.stapes.testkit.LabClassPath;
import dev.stapes.testkit.LabTests;
import dev.stapes.testkit.LabVm;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresLab;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Two lab VMs with one disk, each with a real LVM, lvmlockd and sanlock. {@code
 * -Dstapes.lvm.cluster=share} runs what takes three minutes, {@code takeover} what takes two: one
 * of them is killed, and its lease has to expire; {@code contract} the contract of drivers, of one
 * machine.
 */
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("mkfs.btrfs")
@RequiresKernel("btrfs")
@RequiresLab
@Timeout(value = 1400, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LvmClusterLabIT {
  private static final String CHOICE = "stapes.lvm.cluster";
  private static final String GROUP = "stapeslab";

  /** Of which LVM takes 256 MiB for the leases. */
  private static final long DISK = 1L << 30;

  /** A second of I/O's limit for sanlock, whose leases end after eight of them and a minute. */
  private static final String DAEMONS =
      "modprobe -a loop dm-snapshot; mkdir -p /run/sanlock /run/lvm; sanlock daemon -w 0 -U root"
          + " -G root -h 0 -e node%1$s >/dev/null 2>&1; lvmlockd --gl-type sanlock --host-id %1$s"
          + " --sanlock-timeout 1 >/dev/null 2>&1; for i in {1..100}; do lvmlockctl --info"
          + " >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1";

  /** That nothing is reported. */
  private static final String LVS =
      "test -z \"$(lvs --config global/use_lvmlockd=1 --noheadings -o lv_name ";

  /** That the removal of one and the growth of another one are two changes of the group. */
  private static final String CHANGES =
      "v() { vgs --config global/use_lvmlockd=1 --noheadings -o vg_seqno $g; };"
          + " l='--config global/use_lvmlockd=1 --yes';"
          + " for i in x y; do lvcreate $l --ignoreactivationskip --setactivationskip y"
          + " --type linear -W n -Z n -L 8m -n $i $g; done; a=$(v); lvremove $l $g/y;"
          + " lvextend $l -L 16m $g/x; b=$(v); lvremove $l $g/x; test $((b - a)) = 2";

  private static final String LEFT =
      "lvchange --config global/use_lvmlockd=1 --activate %s --ignoreactivationskip"
          + " --select 'lv_tags=\"stapes.volume=custom/left\"' "
          + GROUP;

  private static final Path ROOT =
      Path.of(System.getProperty("stapes.build", "target"))
          .toAbsolutePath()
          .resolve("lab-lvmcluster-" + ProcessHandle.current().pid());

  private final List<String> told = Collections.synchronizedList(new ArrayList<>());

  /** A lab VM with a JVM that does what it is told to. */
  private static final class Node implements AutoCloseable {
    private final int number;
    private final List<String> told;
    private final LabVm lab;
    private final LabClassPath classes;
    private final ExecProcess process;
    private final BufferedReader answers;
    private boolean closed;

    Node(int number, List<String> told) throws IOException {
      this.number = number;
      this.told = told;
      lab = LabVm.bootSharing(ROOT.resolve("node" + number), ROOT.resolve("disk"));
      try {
        lab.script(String.format(Locale.ROOT, DAEMONS, number));
        classes = LabClassPath.share(lab);
        List<String> options = List.of("-XX:TieredStopAtLevel=1", "-Xmx256m");
        List<String> command = classes.command(options, ClusterNode.class.getName(), List.of());
        process = lab.instance().execStreaming(ExecSpec.of(command.toArray(new String[0])));
        answers = new BufferedReader(new InputStreamReader(process.stdout(), UTF_8));
        assertEquals("ready", answers.readLine());
      } catch (IOException | RuntimeException | Error e) {
        lab.close();
        throw e;
      }
    }

    /** The answer to a line, without its milliseconds. */
    synchronized String tell(String line) throws IOException {
      process.stdin().write((line + "\n").getBytes(UTF_8));
      String answer = String.valueOf(answers.readLine());
      told.add(number + ": " + line + ": " + answer);
      return answer.substring(answer.indexOf(' ') + 1);
    }

    void does(String line) throws IOException {
      assertEquals("ok", tell(line), told::toString);
    }

    void refuses(String line, String kind, String why) throws IOException {
      String answer = tell(line);
      assertTrue(answer.startsWith(kind + " ") && answer.contains(why), told::toString);
    }

    void script(String script) {
      long start = System.nanoTime();
      String out = lab.script(script);
      told.add(number + ": " + script + ": " + (System.nanoTime() - start) / 1_000_000 + " " + out);
    }

    @Override
    public synchronized void close() throws IOException {
      if (!closed) {
        closed = true;
        try (lab;
            classes) {
          process.close();
        }
      }
    }
  }

  @AfterEach
  void nothing_is_left() throws IOException {
    Files.writeString(ROOT.resolveSibling("lab-lvmcluster.log"), String.join("\n", told), UTF_8);
    Files.deleteIfExists(ROOT.resolve("disk"));
    Files.deleteIfExists(ROOT);
    assertEquals(Set.of(), HostLeftovers.of(ROOT), "left on the machine");
    assertFalse(Files.exists(ROOT));
  }

  private static void disk() throws IOException {
    Files.createDirectories(ROOT);
    try (RandomAccessFile disk = new RandomAccessFile(ROOT.resolve("disk").toFile(), "rw")) {
      disk.setLength(DISK);
    }
  }

  /** What is done with two. */
  private interface Work {
    void with(Node one, Node two) throws IOException;
  }

  private void run(Work work) throws IOException, InterruptedException, ExecutionException {
    disk();
    ExecutorService booting = Executors.newFixedThreadPool(1);
    Future<Node> second = booting.submit(() -> new Node(2, told));
    try {
      try (Node one = new Node(1, told)) {
        Node two = second.get();
        one.does("make " + LabVm.SHARED_DISK + " " + GROUP);
        two.refuses("make " + GROUP, "UNAVAILABLE", "vgchange --lockstart " + GROUP);
        two.script("vgchange --config global/use_lvmlockd=1 --lockstart " + GROUP);
        two.does("make " + GROUP);
        work.with(one, two);
      }
    } finally {
      booting.shutdown();
      second.get().close();
    }
  }

  @Test
  @EnabledIfSystemProperty(
      named = CHOICE,
      matches = "share|all",
      disabledReason = "takes three minutes: -Dstapes.lvm.cluster=share runs it")
  void each_machine_has_its_volumes_and_gives_them_away() throws Exception {
    run(
        (one, two) -> {
          one.does("create a");
          one.does("write a first");
          assertEquals("[]", two.tell("list"));
          assertEquals("[custom/a]", two.tell("others"));
          two.does("create a");
          two.does("write a other");
          assertEquals("first", one.tell("read a"));
          two.does("discard a");
          one.does("attach a");
          two.refuses("take a a", "BUSY", "another machine");
          one.does("detach a");
          two.does("take a b");
          one.refuses("read a", "NOT_FOUND", "custom/a");
          assertEquals("first", two.tell("read b"));
          two.does("write b second");
          two.does("limit b 60");
          two.does("copy b c");
          two.does("limit c 30");
          assertEquals("second", two.tell("read c"));
          place(one, two);
          blocks(one, two);
          again(one, two);
          one.does("reopen");
          assertEquals("[]", one.tell("list"));
          assertEquals("[custom/b, custom/c, custom/disk, custom/place]", two.tell("list"));
          two.does("destroy");
          one.refuses("destroy", "BUSY", "not stopped on other hosts");
          two.script("vgchange --config global/use_lvmlockd=1 --lockstop " + GROUP);
          one.does("destroy");
          one.script("test -z \"$(blkid " + LabVm.SHARED_DISK + ")\"");
          one.script("test -z \"$(dmsetup ls | grep -v lvmlock | grep stapeslab)\"");
        });
  }

  private static void place(Node one, Node two) throws IOException {
    one.does("create d");
    one.does("write d theirs");
    two.does("create place");
    two.does("write place ours");
    two.does("attach place");
    two.refuses("take d place", "BUSY", "somebody uses it");
    two.does("detach place");
    two.does("take d place");
    assertEquals("theirs", two.tell("read place"));
    one.does("reopen");
    assertEquals("[]", one.tell("list"));
  }

  private static void blocks(Node one, Node two) throws IOException {
    one.does("block disk");
    one.does("plug disk");
    one.does("put disk bytes");
    two.refuses("take disk disk", "BUSY", "another machine");
    one.does("grow disk 16");
    one.does("detach disk");
    two.does("take disk disk");
    assertEquals("16MiB", two.tell("size disk"));
    two.does("plug disk");
    assertEquals("bytes", two.tell("get disk 5"));
    two.does("detach disk");
  }

  /** A takeover that was killed left its volume active, with what a copy had left on it. */
  private static void again(Node one, Node two) throws IOException {
    one.script("g=" + GROUP + "; " + CHANGES);
    one.does("block left");
    one.does("leave left");
    one.script(String.format(Locale.ROOT, LEFT, "n"));
    two.script(String.format(Locale.ROOT, LEFT, "ey"));
    two.does("take left left");
    two.does("grow left 16");
    two.does("discard left");
  }

  @Test
  @EnabledIfSystemProperty(
      named = CHOICE,
      matches = "takeover|all",
      disabledReason = "takes three minutes: -Dstapes.lvm.cluster=takeover runs it")
  void what_a_machine_that_died_had_is_free_after_its_lease() throws Exception {
    run(
        (one, two) -> {
          one.does("create a");
          one.does("write a kept");
          one.does("attach a");
          one.does("block disk");
          one.does("plug disk");
          one.does("put disk bytes");
          one.does("detach disk");
          one.does("leave disk");
          two.does("create place");
          two.refuses("take a place", "BUSY", "another machine");
          one.close(); // ends its QEMU
          String answer = two.tell("take a place");
          assertTrue(answer.startsWith("BUSY "), told::toString);
          while (answer.startsWith("BUSY ")) {
            answer = two.tell("take a place");
          }
          assertEquals("ok", answer, told::toString);
          assertEquals("kept", two.tell("read place"));
          left(two);
          two.does("write place more");
          two.does("reopen");
          assertEquals("[custom/disk, custom/place]", two.tell("list"));
          two.does("discard place");
          two.does("discard disk");
          assertEquals("[]", two.tell("others"));
        });
  }

  /** Of a copy; a volume with its snapshot would not grow. */
  private static void left(Node two) throws IOException {
    two.does("take disk disk");
    two.script(LVS + "-S lv_tags=stapes.moment " + GROUP + ")\"");
    two.does("grow disk 16");
    assertEquals("16MiB", two.tell("size disk"));
    two.does("plug disk");
    assertEquals("bytes", two.tell("get disk 5"));
    two.does("detach disk");
  }

  @Test
  @EnabledIfSystemProperty(
      named = CHOICE,
      matches = "contract",
      disabledReason = "takes long: -Dstapes.lvm.cluster=contract runs it")
  void the_driver_does_what_its_contract_says() throws IOException {
    disk();
    try (LabVm lab = LabVm.bootSharing(ROOT.resolve("node1"), ROOT.resolve("disk"))) {
      lab.script(String.format(Locale.ROOT, DAEMONS, 1));
      lab.script(
          "truncate -s 6G /tmp/large; vgcreate --config global/use_lvmlockd=1 --shared "
              + GROUP
              + " $(losetup -f --show /tmp/large)");
      ExecResult result =
          LabTests.run(
              lab,
              List.of("sanlock", "lvm"),
              LabTests.chosen(LvmClusterLabIT.class, "stapes.lvm.tests", "LvmClusterContractIT"));
      Files.writeString(
          ROOT.resolveSibling("lab-lvmcluster-tests.log"), result.stdout() + result.stderr());
      assertEquals(0, result.exitCode(), result.stdout() + result.stderr());
    }
  }
}
