package dev.stapes.qemu.driver;

import static dev.stapes.model.StapesException.Kind.DENIED;
import static dev.stapes.model.StapesException.Kind.EXHAUSTED;
import static dev.stapes.model.StapesException.Kind.INTERNAL;
import static dev.stapes.model.StapesException.Kind.NOT_FOUND;
import static dev.stapes.model.StapesException.Kind.TIMED_OUT;
import static dev.stapes.model.StapesException.Kind.UNAVAILABLE;
import static dev.stapes.model.StapesException.Kind.UNSUPPORTED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a guest may answer in place of an answer. */
class GuestShellTest {
  private final ExecutorService behind = Executors.newCachedThreadPool();

  @AfterEach
  void close() {
    behind.shutdown();
  }

  /** A shell that answers each request with the same. */
  private static LocalExec answering(String reply) {
    String script = "printf '\\0ok\\n'; while read -r line; do printf \"$1\"; done";
    return new LocalExec(List.of("/bin/sh", "-c", script, "stapes", reply));
  }

  private GuestTree tree(LocalExec exec) {
    return new GuestTree(GuestShell.of("guest", exec, behind), "");
  }

  private static StapesException.Kind kind(Runnable body) {
    return assertThrows(StapesException.class, body::run).kind();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\0what\\n",
        "\\0fail\\n",
        "81a4 0 0 5 0 0 0 1 1\\0ok\\n",
        "81a4 0 0 -5 0 0 0 1 1 x\\0ok\\n",
        "81a4 0 0 99999999999999999999 0 0 0 1 1 x\\0ok\\n",
        "81a4 0 0 1 0 0 0 1 99999999999999999999 x\\0ok\\n",
        "f000 0 0 1 0 0 0 1 1 x\\0ok\\n",
        "\\0ok\\n"
      })
  void an_answer_that_is_none_ends_the_shell(String reply) {
    LocalExec exec = answering(reply);
    try (Tree tree = tree(exec)) {
      assertEquals(UNAVAILABLE, kind(() -> tree.stat("file")));
      assertFalse(exec.isAlive());
      assertEquals(UNAVAILABLE, kind(() -> tree.stat("file")));
    }
  }

  @Test
  void a_status_without_an_end_is_not_read_for_ever() {
    LocalExec exec =
        new LocalExec(List.of("/bin/sh", "-c", "printf '\\0'; exec tr '\\0' x </dev/zero"));
    assertEquals(UNAVAILABLE, kind(() -> GuestShell.of("guest", exec, behind)));
    assertFalse(exec.isAlive());
  }

  @Test
  void a_shell_that_ends_is_unavailable() {
    LocalExec exec = new LocalExec(List.of("/bin/sh", "-c", "exit 3"));
    assertEquals(UNAVAILABLE, kind(() -> GuestShell.of("guest", exec, behind)));
  }

  @Test
  void a_guest_without_what_it_takes_is_unsupported() {
    LocalExec exec =
        new LocalExec(List.of("/bin/sh", "-c", "printf '\\0fail unsupported no stat\\n'; cat"));
    assertEquals(UNSUPPORTED, kind(() -> GuestShell.of("guest", exec, behind)));
    assertFalse(exec.isAlive());
  }

  @Test
  void no_answer_in_time_ends_the_shell() {
    LocalExec exec = new LocalExec(List.of("/bin/sh", "-c", "exec cat"));
    Duration limit = Duration.ofMillis(200);
    assertEquals(TIMED_OUT, kind(() -> GuestShell.of("guest", exec, behind, limit)));
    assertFalse(exec.isAlive());
  }

  @ParameterizedTest
  @ValueSource(strings = {"9", "-1", "99999", "x", ""})
  void what_was_read_is_not_more_than_was_asked_for(String position) throws IOException {
    String script =
        "printf '\\0ok\\n'; read -r l; printf '3\\0ok\\n'; read -r l; "
            + "head -c 4096 /dev/zero; printf -- \"$1\\0ok\\n\"; cat";
    LocalExec exec = new LocalExec(List.of("/bin/sh", "-c", script, "stapes", position));
    try (Tree tree = tree(exec)) {
      InputStream in = tree.read("file");
      if (position.equals("9")) {
        assertArrayEquals(new byte[9], in.readNBytes(9));
      } else {
        assertThrows(IOException.class, in::read);
        assertFalse(exec.isAlive());
      }
    }
  }

  @Test
  void the_last_user_ends_it() throws InterruptedException {
    LocalExec exec = answering("/tmp\\0ok\\n");
    Tree tree = tree(exec);
    Tree below = tree.subtree("tmp");
    tree.close();
    tree.close();
    assertTrue(exec.isAlive());
    assertThrows(StapesException.class, () -> tree.list("/"));
    assertEquals(List.of("tmp"), below.list("/"));
    below.close();
    assertTrue(exec.await(Duration.ofSeconds(30)).isPresent());
  }

  @Test
  void what_programs_say_tells_what_kind_of_error_it_is() {
    assertEquals(EXHAUSTED, GuestErrors.kind("dd: error writing: No space left on device"));
    assertEquals(DENIED, GuestErrors.kind("mkdir: can't create 'x': Read-only file system"));
    assertEquals(NOT_FOUND, GuestErrors.kind("sh: can't open x: No such file or directory"));
    assertEquals(INTERNAL, GuestErrors.kind("boo"));
  }

  @Test
  void attributes_are_read() throws IOException {
    String text = "# file: /x\\012y\nuser.one=0x0001ff\nuser.empty\nuser.a\\075b=0x\n\n";
    Map<String, byte[]> all = GuestXattrs.parse(text.getBytes(StandardCharsets.UTF_8));
    assertEquals(Set.of("user.one", "user.empty", "user.a=b"), all.keySet());
    assertArrayEquals(new byte[] {0, 1, -1}, all.get("user.one"));
    for (String bad : List.of("user.x=0xf", "user.x=1", "user.\\9=0x00", "user.x=0xzz")) {
      byte[] line = bad.getBytes(StandardCharsets.UTF_8);
      assertThrows(IOException.class, () -> GuestXattrs.parse(line), bad);
    }
  }
}
