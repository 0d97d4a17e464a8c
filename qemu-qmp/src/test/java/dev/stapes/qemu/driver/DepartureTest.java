package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.RunState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a move is given up, with an emulator that says what the test wants. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DepartureTest {
  private static final String JOB =
      "[{\"id\": \"departure\", \"type\": \"mirror\", \"status\": \"ready\","
          + " \"current-progress\": 1, \"total-progress\": 1}]";

  @TempDir Path directory;

  private VmFiles files() {
    return VmFiles.of(Specs.scope(directory, "tag"), Specs.ID);
  }

  private RunState abandon(ScriptedQemu qemu) {
    Departure.Abandoned abandoned = abandoned(qemu);
    assertEquals(Optional.empty(), abandoned.failure());
    return abandoned.state();
  }

  private Departure.Abandoned abandoned(ScriptedQemu qemu) {
    qemu.answer("qom-list", "[]");
    return new Departure("instance vm", qemu.monitor(), files(), Syscalls.system()).abandon();
  }

  private static String status(String state) {
    return "{\"running\": false, \"singlestep\": false, \"status\": \"" + state + "\"}";
  }

  private static String jobEvent(String name, String more) {
    return "{\"event\": \""
        + name
        + "\", \"data\": {\"type\": \"mirror\", \"device\": \"departure\", \"len\": 1,"
        + " \"offset\": 1, \"speed\": 0"
        + more
        + "}, \"timestamp\": {\"seconds\": 1, \"microseconds\": 1}}";
  }

  @Test
  void where_nothing_is_under_way_nothing_is_ended() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-migrate", "{}").answer("query-jobs", "[]").refuse("blockdev-del");
      qemu.refuse("closefd");
      qemu.answer("query-status", status("running"));
      assertEquals(RunState.RUNNING, abandon(qemu));
      assertEquals(
          List.of(
              "query-migrate",
              "query-jobs",
              "blockdev-del",
              "migrate-set-capabilities",
              "closefd",
              "closefd",
              "query-status",
              "migrate-set-parameters",
              "qom-list"),
          qemu.heard());
    }
  }

  @Test
  void what_is_under_way_is_ended_memory_first() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-migrate", "{\"status\": \"pre-switchover\"}").answer("query-jobs", JOB);
      qemu.answer("query-status", status("running"));
      qemu.tell(
          "migrate_cancel",
          "{\"event\": \"MIGRATION\", \"data\": {\"status\": \"cancelled\"},"
              + " \"timestamp\": {\"seconds\": 1, \"microseconds\": 1}}");
      qemu.tell("block-job-cancel", jobEvent("BLOCK_JOB_CANCELLED", ""));
      assertEquals(RunState.RUNNING, abandon(qemu));
      assertEquals(
          List.of(
              "query-migrate",
              "migrate_cancel",
              "query-jobs",
              "block-job-cancel",
              "blockdev-del",
              "migrate-set-capabilities",
              "closefd",
              "closefd",
              "query-status",
              "migrate-set-parameters",
              "qom-list"),
          qemu.heard());
    }
  }

  @Test
  void what_cannot_be_taken_back_is_told_and_does_not_hide_that_it_stands_still() throws Exception {
    for (String step : List.of("query-migrate", "query-jobs", "migrate-set-capabilities")) {
      try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
        qemu.answer("query-migrate", "{}").answer("query-jobs", "[]").refuse(step);
        qemu.answer("query-status", status("postmigrate"));
        Departure.Abandoned abandoned = abandoned(qemu);
        assertEquals(RunState.POSTMIGRATE, abandoned.state());
        String failure = abandoned.failure().orElseThrow().toString();
        assertTrue(failure.contains(step), failure);
        assertTrue(qemu.heard().contains("blockdev-del") || step.equals("query-jobs"), step);
      }
    }
  }

  @Test
  void a_key_that_is_left_is_for_the_next_move_to_remove() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-migrate", "{}").answer("query-jobs", "[]");
      qemu.refuse("migrate-set-parameters").answer("query-status", status("paused"));
      Path key = Files.createDirectories(files().directory()).resolve("keys.psk");
      Files.createDirectories(key.resolve("by a captured emulator"));
      assertEquals(RunState.PAUSED, abandon(qemu));
    }
  }

  @Test
  void one_that_is_about_to_come_to_rest_is_waited_for() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.answer("query-migrate", "{\"status\": \"failed\"}").answer("query-jobs", "[]");
      qemu.answer("query-status", status("finish-migrate"))
          .answer("query-status", status("finish-migrate"))
          .answer("query-status", status("postmigrate"));
      assertEquals(RunState.POSTMIGRATE, abandon(qemu));
    }
  }

  @Test
  void a_disk_is_whole_only_where_its_mirror_says_that_it_is() throws Exception {
    for (String end :
        List.of(
            jobEvent("BLOCK_JOB_CANCELLED", ""),
            jobEvent("BLOCK_JOB_COMPLETED", ", \"error\": \"No space left on device\""))) {
      try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
        qemu.tell("block-job-cancel", end);
        DiskMirror mirror = new DiskMirror("instance vm", qemu.monitor());
        StapesException e = assertThrows(StapesException.class, mirror::finish);
        assertEquals(Kind.UNAVAILABLE, e.kind());
        assertTrue(e.toString().contains("its disk does not arrive"), e::toString);
      }
    }
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.tell("block-job-cancel", jobEvent("BLOCK_JOB_COMPLETED", ""));
      new DiskMirror("instance vm", qemu.monitor()).finish();
      assertEquals(List.of("block-job-cancel", "blockdev-del"), qemu.heard());
    }
  }

  @Test
  void a_mirror_that_has_ended_by_itself_is_no_whole_disk() throws Exception {
    try (ScriptedQemu qemu = new ScriptedQemu(directory)) {
      qemu.refuse("block-job-cancel").answer("query-jobs", "[]");
      DiskMirror mirror = new DiskMirror("instance vm", qemu.monitor());
      StapesException e = assertThrows(StapesException.class, mirror::finish);
      assertEquals(Kind.UNAVAILABLE, e.kind());
      assertTrue(e.toString().contains("its mirror has ended"), e::toString);
    }
  }
}
