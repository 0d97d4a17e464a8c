package dev.stapes.storage.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ZfsFailureTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "CONFLICT | cannot create 'tank/a': dataset already exists",
        "CONFLICT | cannot create snapshot 'tank/a@b': dataset already exists",
        "CONFLICT | /dev/vdb contains a filesystem of type 'ext4'",
        "CONFLICT | /tmp/disk is part of active pool 'tank'",
        "NOT_FOUND | cannot open 'tank/a': dataset does not exist",
        "NOT_FOUND | cannot open 'tank': no such pool",
        "NOT_FOUND | cannot import 'tank': no such pool available",
        "NOT_FOUND | could not find any snapshots to destroy; check snapshot names.",
        "BUSY | cannot destroy 'tank/a': dataset is busy",
        "BUSY | cannot export 'tank': pool is busy",
        "BUSY | cannot destroy 'tank/a': filesystem has children",
        "BUSY | cannot destroy 'tank/a': filesystem has dependent clones",
        "EXHAUSTED | cannot create 'tank/a': out of space",
        "EXHAUSTED | cannot set property for 'tank/a': size is greater than available space",
        "DENIED | cannot create 'tank/a': permission denied",
        "INVALID | cannot create 'tank/a': name is too long",
        "UNAVAILABLE | cannot open 'tank': pool I/O is currently suspended",
        "UNSUPPORTED | warning: cannot send 'tank/a@b': not an earlier snapshot from the same fs",
        "NOT_FOUND | warning: cannot send 'tank/a@b': incremental source (a@c) does not exist",
        "INVALID | cannot receive new filesystem stream: incomplete stream",
        "INVALID | cannot receive new filesystem stream: checksum mismatch",
        "INVALID | cannot receive new filesystem stream: invalid backup stream",
        "INVALID | cannot receive: failed to read from stream",
        "INVALID | cannot receive: invalid stream (bad magic number)",
        "CONFLICT | cannot restore to tank/a@b: destination already exists",
        "EXHAUSTED | cannot receive: destination tank/a space quota exceeded.: out of space",
        "INTERNAL | internal error: Value too large for defined data type"
      })
  void what_zfs_complains_has_a_kind(Kind kind, String complaint) {
    assertEquals(kind, ZfsFailure.kind("program zfs: exit code 1: " + complaint));
  }

  @Test
  void what_a_dataset_is_called_is_no_complaint() {
    assertEquals(
        Kind.INTERNAL, ZfsFailure.kind("cannot rename 'tank/read-only@out of space': what now"));
    assertEquals(
        Kind.BUSY, ZfsFailure.kind("cannot destroy snapshot tank/read-only@x: dataset is busy"));
    assertEquals(
        Kind.CONFLICT, ZfsFailure.kind("/dev/vdb contains a filesystem of type 'is busy'"));
  }

  @Test
  void a_complaint_of_two_lines_has_a_kind_too() {
    assertEquals(
        Kind.INVALID,
        ZfsFailure.kind(
            "cannot receive incremental stream: most recent snapshot of tank/a does not\n"
                + "match incremental source"));
    assertEquals(
        Kind.CONFLICT,
        ZfsFailure.kind(
            "cannot receive new filesystem stream: destination 'tank/a' exists\n"
                + "must specify -F to overwrite it"));
  }

  @Test
  void an_error_keeps_its_text_and_its_cause() {
    StapesException error =
        new StapesException(Kind.INTERNAL, "program zfs", "exit code 1: dataset is busy");
    StapesException told = ZfsFailure.of(error, "pool p");
    assertEquals(Kind.BUSY, told.kind());
    assertEquals("pool p", told.subject());
    assertSame(error, told.getCause());
    assertTrue(String.valueOf(told.getMessage()).contains("dataset is busy"), told.getMessage());
  }

  @Test
  void an_error_that_says_what_it_is_stays() {
    StapesException error = new StapesException(Kind.TIMED_OUT, "program zfs", "is busy");
    assertSame(error, ZfsFailure.of(error, "pool p"));
  }
}
