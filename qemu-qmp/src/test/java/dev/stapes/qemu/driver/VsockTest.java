package dev.stapes.qemu.driver;

import static dev.stapes.qemu.driver.Specs.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.Config;
import dev.stapes.model.Device;
import dev.stapes.model.Size;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With a file in place of the kernel's device, which not every host has. */
class VsockTest {
  private static final Syscalls SYS = Syscalls.system();
  private final VsockIds ids = new VsockIds("1a2b3c4d");

  @TempDir Path directory;

  private static List<String> arguments(VmPlan plan, boolean vsock) {
    VmRoom room = Specs.room(plan, 1, Size.ofMebibytes(64));
    return QemuArguments.of(
        plan,
        new QemuArguments.Start(
            "name",
            Path.of("/dev/fdset/3"),
            QemuArguments.UefiFiles.NONE,
            false,
            new VmRoom(room.cpus(), room.growth(), room.slots(), vsock),
            Device.IoLimits.NONE,
            Path.of("/dev/fdset/5"),
            Optional.of(Path.of("/dev/fdset/6")),
            false));
  }

  private static Config config(String id) {
    return Config.of(Map.of(VsockIds.KEY, id));
  }

  @Test
  void a_host_without_the_device_has_none_and_one_that_was_saved_with_it_says_so()
      throws IOException {
    Path missing = directory.resolve("vhost-vsock");
    Vsock absent = new Vsock(SYS, missing);
    assertFalse(absent.isUsable());
    assertFalse(new Vsock(SYS, directory).isUsable(), "which is nothing to be opened");
    refused(Kind.UNAVAILABLE, "load the module vhost_vsock", () -> absent.require("instance vm"));
    Files.createFile(missing);
    assertTrue(absent.isUsable());
    absent.require("instance vm");
  }

  @Test
  void a_machine_has_one_by_its_number_and_before_its_seed() {
    VmPlan plan = Specs.plan(VsockIds.KEY, "2000000");
    List<String> devices = CommandLine.values(arguments(plan, true), "-device");
    assertEquals(
        "{\"driver\":\"vhost-vsock-pci\",\"id\":\"vsock\",\"guest-cid\":2000000,"
            + "\"vhostfd\":\"7\"}",
        devices.get(devices.size() - 2));
    VmPlan small =
        Specs.plan(VsockIds.KEY, "2000000", "qemu.machine", "microvm", "qemu.kernel", "/k");
    assertTrue(arguments(small, true).toString().contains("vhost-vsock-device"));
    List<String> without = arguments(plan, false);
    assertFalse(without.toString().contains("vsock"));
    assertEquals(without, arguments(Specs.plan(), true), "which was made before there were any");
    assertEquals(without, arguments(Specs.plan(), false));
  }

  @Test
  void one_that_goes_on_may_have_another_number_but_not_none() {
    List<String> saved = CommandLine.kept(arguments(Specs.plan(VsockIds.KEY, "2000000"), true));
    List<String> other = CommandLine.kept(arguments(Specs.plan(VsockIds.KEY, "3000000"), true));
    assertEquals(saved, other);
    assertFalse(saved.toString().contains("2000000"));
    assertTrue(VmRoom.of(saved).vsock());
    List<String> without = arguments(Specs.plan(VsockIds.KEY, "2000000"), false);
    assertFalse(VmRoom.of(without).vsock());
    assertNotEquals(saved, CommandLine.kept(without));
  }

  @Test
  void each_instance_has_one_of_its_own_and_keeps_it() {
    List<Config> all = new ArrayList<>();
    Set<OptionalLong> seen = new HashSet<>();
    for (int i = 0; i < 50; i++) {
      Config config = Config.of(ids.allocate(Config.empty(), all));
      assertEquals(Map.of(), ids.allocate(config, all));
      assertTrue(VsockIds.of(config).isPresent());
      assertTrue(seen.add(VsockIds.of(config)));
      all.add(config);
    }
    Config copy = Config.of(ids.allocate(all.get(7), all));
    assertTrue(seen.add(VsockIds.of(copy)));
  }

  @Test
  void one_that_another_guest_of_the_host_has_is_given_up() {
    Config config = Config.of(ids.allocate(Config.empty(), List.of()));
    long held = VsockIds.of(config).orElseThrow();
    VmPlan plan = Specs.plan(VsockIds.KEY, Long.toString(held));
    Exception cause = new IOException("x");
    String complaint =
        "qemu: -device {\"driver\":\"vhost-vsock-pci\"}: vhost-vsock: unable to set guest cid:"
            + " Address already in use";
    StapesException e = VsockIds.taken("instance vm", plan, complaint, cause).orElseThrow();
    assertEquals(Kind.BUSY, e.kind());
    assertTrue(e.toString().contains(Long.toString(held)), e.toString());
    assertTrue(VsockIds.taken("instance vm", plan, "no such file", cause).isEmpty());
    assertTrue(VsockIds.taken("instance vm", Specs.plan(), complaint, cause).isEmpty());
    ids.avoid(config);
    Config other = Config.of(ids.allocate(config, List.of()));
    assertEquals(OptionalLong.of(held + 1), VsockIds.of(other));
    assertEquals(Map.of(), ids.allocate(other, List.of()));
  }

  @Test
  void one_of_another_root_directory_is_not_kept() {
    Config foreign = Config.of(new VsockIds("99887766").allocate(Config.empty(), List.of()));
    assertNotEquals(Map.of(), ids.allocate(foreign, List.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "1", "2", "3", "999999", "4294967295", "-1", "x", "99999999999"})
  void numbers_that_are_or_may_be_somebody_elses_are_none(String text) {
    assertEquals(OptionalLong.empty(), VsockIds.of(config(text)));
    String given = ids.allocate(config(text), List.of()).getOrDefault(VsockIds.KEY, "");
    assertTrue(VsockIds.of(config(given)).isPresent(), given);
  }
}
