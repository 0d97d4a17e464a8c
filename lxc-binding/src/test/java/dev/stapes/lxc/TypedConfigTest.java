package dev.stapes.lxc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.StapesException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TypedConfigTest {
  @Test
  void the_standard_policy_denies_what_reaches_the_hosts_kernel() {
    assertEquals(
        """
        2
        denylist
        reject_force_umount
        [all]
        delete_module errno 38
        finit_module errno 38
        init_module errno 38
        kexec_file_load errno 38
        kexec_load errno 38
        open_by_handle_at errno 38
        """,
        SeccompPolicy.standard().text());
  }

  @Test
  void calls_are_denied_in_addition_or_alone_or_all_but_some_are() {
    assertEquals(
        "2\ndenylist\n[all]\nmount errno 38\n", SeccompPolicy.deny(false, List.of("mount")).text());
    assertEquals(
        "2\nallowlist\n[all]\nexit\nread\n", SeccompPolicy.allow(List.of("read", "exit")).text());
    assertEquals(
        "2\nallowlist\n[all]\nread\n", SeccompPolicy.raw("2\nallowlist\n[all]\nread").text());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "mount errno 1", "mount\nkexec_load", "[all]"})
  void what_is_no_system_call_is_refused(String call) {
    assertThrows(StapesException.class, () -> SeccompPolicy.deny(true, List.of(call)));
    assertThrows(StapesException.class, () -> SeccompPolicy.allow(List.of(call)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/etc", "a/../b", "..", "a//b", "./a", "a/"})
  void a_mount_stays_below_the_root(String target) {
    assertThrows(StapesException.class, () -> MountEntry.bind("/x", target));
  }

  @Test
  void blanks_and_newlines_of_a_mount_are_escaped_and_options_are_words() {
    assertEquals(
        "/a\\040b\\011c\\012d\\134e mnt none bind,ro 0 0",
        MountEntry.bind("/a b\tc\nd\\e", "mnt", "ro").toValue());
    assertThrows(StapesException.class, () -> MountEntry.bind("/a", "b", "ro,rw"));
    assertThrows(StapesException.class, () -> MountEntry.bind("/a", "b", "ro rw"));
    assertThrows(StapesException.class, () -> MountEntry.bind("#a", "b"));
  }

  @Test
  void a_namespace_is_kept_or_shared_but_not_both() {
    assertThrows(
        StapesException.class,
        () ->
            new Namespaces(
                Set.of(Namespaces.Kind.NET), Map.of(Namespaces.Kind.NET, Path.of("/ns"))));
    assertThrows(StapesException.class, () -> Namespaces.own().keep(Namespaces.Kind.PID));
  }

  @Test
  void raw_lines_become_items_and_comments_do_not() {
    assertEquals(
        List.of(new LxcConfig.Item("lxc.apparmor.profile", "unconfined")),
        RawLxc.parse("# free\n\n  lxc.apparmor.profile=unconfined  \n"));
    assertEquals(
        List.of(new LxcConfig.Item("lxc.console.size", "4096")),
        RawLxc.parse("lxc.console.size = 4096"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lxc.idmap = u 0 0 1",
        "lxc.rootfs.path = /",
        "lxc.hook.pre-start = /bin/sh",
        "lxc.include = /etc/lxc",
        "lxc.console.logfile = /etc/passwd",
        "lxc.console.size.more = 4096",
        "lxc.init.uid = 5",
        "lxc.uts.name=x",
        "nonsense",
        "lxc.cap.drop =",
        "LXC.CAP.DROP = all"
      })
  void raw_lines_that_the_driver_owns_or_that_are_no_items_are_refused(String line) {
    StapesException thrown = assertThrows(StapesException.class, () -> RawLxc.parse(line));
    assertEquals(StapesException.Kind.INVALID, thrown.kind());
    assertEquals("raw.lxc", thrown.subject());
  }
}
