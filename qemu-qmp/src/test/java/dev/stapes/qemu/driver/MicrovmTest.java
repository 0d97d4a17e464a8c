package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a microvm is told of time, and what it cannot have. */
class MicrovmTest {
  private static final String CPU =
      "processor : 0\ncpu MHz\t\t: 2596.130\nflags\t\t: fpu tsc constant_tsc nopl\n";

  @TempDir Path directory;

  private OptionalLong clock(String cpuinfo) throws IOException {
    tree().file(directory.resolve("proc/cpuinfo"), cpuinfo);
    return new HostClock(tree().host()).kilohertz();
  }

  private HostTree tree() {
    return new HostTree(directory);
  }

  private VmPlan plan(String... config) {
    return VmPlan.of(Specs.of(config), Specs.HOST, tree().host());
  }

  private VmPlan microvm(String arguments) {
    return plan("qemu.machine", "microvm", "qemu.kernel", "/k", "qemu.kernel_arguments", arguments);
  }

  @Test
  void the_counter_goes_as_fast_as_a_cpu_whose_clock_does_not_change() throws IOException {
    assertEquals(OptionalLong.of(2596130), clock(CPU));
    assertEquals(OptionalLong.empty(), clock(CPU.replace("constant_tsc ", "")));
    assertEquals(OptionalLong.empty(), clock(CPU.replace("2596.130", "2596")));
    assertEquals(OptionalLong.empty(), clock(""));
  }

  @Test
  void where_the_clock_changes_nobody_knows() throws IOException {
    assertEquals(OptionalLong.empty(), clock(CPU.replace("fpu", "fpu aperfmperf")));
    Path scaling = directory.resolve("sys/devices/system/cpu/cpu0/cpufreq");
    tree().file(scaling.resolve("base_frequency"), "2100000"); // that of the counter is 2112000
    assertEquals(OptionalLong.of(2596130), clock(CPU));
    tree().file(scaling.resolve("scaling_driver"), "some");
    assertEquals(OptionalLong.empty(), clock(CPU));
  }

  @Test
  void a_clock_that_was_measured_once_more_is_the_same() {
    String told = "a tsc_early_khz=%s tsc=reliable";
    String one = String.format(Locale.ROOT, told, "2596130");
    for (String other : List.of("2596130", "2596128", "2596389")) {
      assertTrue(Microvm.isToldTheSame(one, String.format(Locale.ROOT, told, other)), other);
    }
    for (String other : List.of("2596390", "1", "999999999999999999", "x")) {
      assertFalse(Microvm.isToldTheSame(one, String.format(Locale.ROOT, told, other)), other);
    }
    assertFalse(Microvm.isToldTheSame(one, one.replace("a ", "b ")));
    assertFalse(Microvm.isToldTheSame(one, "a"));
    assertFalse(Microvm.isToldTheSame("xtsc_early_khz=10000", "xtsc_early_khz=10001"));
    assertTrue(Microvm.isToldTheSame("a", "a"));
  }

  @Test
  void an_emulated_kernel_is_told_how_fast_it_goes_unless_it_knows() throws IOException {
    clock(CPU);
    String told = "tsc_early_khz=2596130 tsc=reliable";
    assertEquals(told, Microvm.kernelArguments(microvm(""), "", false));
    assertEquals("a b " + told, Microvm.kernelArguments(microvm("a b"), "a b", false));
    assertEquals("a", Microvm.kernelArguments(microvm("a"), "a", true));
    String own = "a tsc_early_khz=1";
    assertEquals(own, Microvm.kernelArguments(microvm(own), own, false));
    assertEquals("a", Microvm.kernelArguments(plan("qemu.kernel", "/k"), "a", false));
  }

  @Test
  void one_that_would_hang_is_refused() {
    refused(
        Kind.UNAVAILABLE,
        "tsc_early_khz=",
        () -> Microvm.requireClock("instance vm", microvm("a"), false));
    Microvm.requireClock("instance vm", microvm("a"), true);
    Microvm.requireClock("instance vm", microvm("tsc_early_khz=1000"), false);
    Microvm.requireClock("instance vm", plan(), false);
  }

  @Test
  void what_needs_pci_is_refused() {
    for (List<String> more :
        List.of(
            List.of("qemu.display", "vnc"),
            List.of("qemu.display", "spice"),
            List.of("qemu.watchdog", "reset"))) {
      refused(
          Kind.UNSUPPORTED,
          "config key " + more.get(0),
          () -> plan("qemu.machine", "microvm", "qemu.kernel", "/k", more.get(0), more.get(1)));
    }
    refused(Kind.INVALID, "needs qemu.kernel", () -> plan("qemu.machine", "microvm"));
  }

  @Test
  void a_gpu_needs_a_display() {
    refused(Kind.INVALID, "needs a display", () -> plan("qemu.gpu", "virtio"));
    assertEquals("VGA", plan("qemu.display", "vnc").graphics().orElseThrow().device());
  }

  @Test
  void a_qemu_without_spice_is_told_apart() {
    VmGraphics spice = plan("qemu.display", "spice").graphics().orElseThrow();
    IOException cause = new IOException("closed");
    String complaint = "qemu: -spice unix=on: There is no option group 'spice'";
    for (String each :
        List.of(complaint, "qemu: spice support is disabled", "-spice: invalid option")) {
      StapesException e = spice.missing("instance vm", each, cause).orElseThrow();
      assertEquals(Kind.UNSUPPORTED, e.kind());
      assertEquals(cause, e.getCause());
    }
    for (String other :
        List.of(
            "no disk",
            "qemu: -spice unix=on,addr=spice: failed to initialize spice server",
            "Spice-WARNING **: x;qemu: /spice/disk: No such file or directory")) {
      assertEquals(Optional.empty(), spice.missing("instance vm", other, cause));
    }
    VmGraphics vnc = plan("qemu.display", "vnc").graphics().orElseThrow();
    assertEquals(Optional.empty(), vnc.missing("instance vm", complaint, cause));
  }
}
