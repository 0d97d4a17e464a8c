package dev.stapes.examples.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.Delete;
import dev.stapes.Events;
import dev.stapes.Instance;
import dev.stapes.Stop;
import dev.stapes.model.Device;
import dev.stapes.model.Display;
import dev.stapes.model.Event;
import dev.stapes.model.InstanceSpec;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The screen of a virtual machine, its watchdog, and its TPM, which counts its resets. */
@Tag("once")
@RequiresRoot
@RequiresTool("qemu-system-x86_64")
@RequiresTool("swtpm")
@RequiresGuest
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ScreenAndTpmInGuestIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  /**
   * What its driver does: a clock of 1 MHz, hence two seconds in all, and no interrupt; then on.
   */
  private static final String START_WATCHDOG =
      """
      for device in /sys/bus/pci/devices/*; do
        if [ "$(cat $device/vendor)$(cat $device/device)" = 0x80860x25ab ]; then
          printf '\\007\\000' | dd of=$device/config bs=2 seek=48 conv=notrunc || exit 1
          start() { sleep 1; printf '\\002' | dd of=$device/config bs=1 seek=104 conv=notrunc; }
          start </dev/null >/dev/null 2>&1 &
          exit 0
        fi
      done
      exit 1
      """;

  /** Gives the TPM TPM2_ReadClock, and writes the code of its answer and its resetCount. */
  private static final String RESETS =
      """
      exec 3<>/dev/tpm0
      printf '\\200\\001\\000\\000\\000\\012\\000\\000\\001\\201' >&3
      set -- $(dd bs=64 count=1 <&3 2>/dev/null | hexdump -v -e '1/1 "%u "')
      number() { echo $(($1 * 16777216 + $2 * 65536 + $3 * 256 + $4)); }
      code=$(number $7 $8 $9 ${10})
      [ $code != 0 ] || resets=$(number ${27} ${28} ${29} ${30})
      echo $code $resets
      """;

  /**
   * What a client of SPICE says first: magic, version 2.2, 18 bytes; no connection yet, the main
   * channel, no capabilities, which would be behind.
   */
  private static final byte[] SPICE_LINK = {
    'R', 'E', 'D', 'Q', 2, 0, 0, 0, 2, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 18, 0, 0, 0
  };

  @RegisterExtension static final VmBench BENCH = new VmBench("dir");

  @Test
  void its_screen_is_seen_and_its_watchdog_stops_it(@TempDir Path directory) throws Exception {
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .config("qemu.display", "vnc")
                    .config("qemu.gpu", "virtio")
                    .config("qemu.watchdog", "pause")
                    .build());
    requirePicture(vm);
    requireVnc(vm, directory);
    BlockingQueue<Event> told = new LinkedBlockingQueue<>();
    try (Events.Subscription all = BENCH.stapes().events().subscribe(told::add)) {
      vm.exec("sh", "-c", START_WATCHDOG).orThrow();
      assertEquals("pause", Incidents.await(told, "instance-watchdog").details().get("action"));
      assertEquals("watchdog", Incidents.await(told, "instance-error").details().get("reason"));
      vm.await(InstanceStatus.ERROR, LONG);
      requirePicture(vm);
      vm.unfreeze();
      assertEquals("on\n", vm.exec("echo", "on").orThrow().stdout());
    }
    String name = vm.name();
    requirePicture(BENCH.reopen().instances().get(name));
    BENCH.stapes().instances().get(name).delete(Delete.FORCE);
  }

  @Test
  void spice_shows_the_same_screen_on_a_socket_of_its_own(@TempDir Path directory)
      throws Exception {
    Instance vm =
        BENCH.stapes().instances().launch(BENCH.spec().config("qemu.display", "spice").build());
    requirePicture(vm);
    Display display = vm.display();
    assertEquals(Display.Protocol.SPICE, display.protocol());
    Path link = Files.createSymbolicLink(directory.resolve("spice"), display.socket());
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(link))) {
      channel.write(ByteBuffer.wrap(SPICE_LINK));
      ByteBuffer answer = ByteBuffer.allocate(4);
      while (answer.hasRemaining()) {
        assertTrue(channel.read(answer) > 0);
      }
      assertEquals("REDQ", new String(answer.array(), StandardCharsets.US_ASCII));
    }
    vm.delete(Delete.FORCE);
  }

  @Test
  void its_tpm_outlives_the_jvm_goes_with_the_memory_and_is_copied_with_the_machine() {
    Instance vm =
        BENCH
            .stapes()
            .instances()
            .launch(
                BENCH
                    .spec()
                    .config(
                        "qemu.kernel", VmBench.guest().directory().resolve("vmlinuz").toString())
                    .config("migration.stateful", "true")
                    .device("tpm0", new Device.Tpm())
                    .build());
    StapesException e = assertThrows(StapesException.class, vm::screenshot);
    assertEquals(Kind.UNSUPPORTED, e.kind(), e.toString());
    int first = resets(vm);
    String name = vm.name();
    vm = BENCH.reopen().instances().get(name);
    assertEquals(first, resets(vm));
    vm.stop(Stop.STATEFUL);
    vm.start();
    assertEquals(first, resets(vm));
    vm.stop(Stop.FORCE);
    Instance copy = vm.copyTo(name + "-copy");
    copy.start();
    assertTrue(resets(copy) > first);
    copy.delete(Delete.FORCE);
    vm.delete(Delete.FORCE);
  }

  @Test
  void a_kernel_that_leaves_no_room_for_the_tables_of_a_tpm_is_refused() {
    InstanceSpec spec = BENCH.spec().device("tpm0", new Device.Tpm()).build();
    StapesException e =
        assertThrows(StapesException.class, () -> BENCH.stapes().instances().launch(spec));
    assertEquals(Kind.UNSUPPORTED, e.kind(), e.toString());
    assertTrue(e.toString().contains("qemu.kernel"), e.toString());
  }

  private static int resets(Instance vm) {
    String answer = vm.exec("sh", "-c", RESETS).orThrow().stdout().strip();
    assertTrue(answer.matches("0 \\d+"), answer);
    return Integer.parseInt(answer.substring(2));
  }

  private static void requirePicture(Instance vm) throws IOException {
    BufferedImage picture = ImageIO.read(new ByteArrayInputStream(vm.screenshot()));
    assertTrue(picture.getWidth() >= 320, picture.toString());
    assertTrue(picture.getHeight() >= 200, picture.toString());
  }

  /** The path of a socket may be too long to connect to; that of a link to it is not. */
  private static void requireVnc(Instance vm, Path directory) throws IOException {
    Display display = vm.display();
    assertEquals(Display.Protocol.VNC, display.protocol());
    Path link = Files.createSymbolicLink(directory.resolve("vnc"), display.socket());
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(link))) {
      ByteBuffer greeting = ByteBuffer.allocate(12);
      while (greeting.hasRemaining()) {
        assertTrue(channel.read(greeting) > 0);
      }
      assertEquals("RFB 003.008\n", new String(greeting.array(), StandardCharsets.US_ASCII));
    }
  }
}
