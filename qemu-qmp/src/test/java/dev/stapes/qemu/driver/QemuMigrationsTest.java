package dev.stapes.qemu.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.qemu.RunState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Whether a machine goes on whose move was given up. */
class QemuMigrationsTest {
  private final StapesException left =
      new StapesException(Kind.INTERNAL, "instance vm", "closefd: not so");
  private final StapesException stuck =
      new StapesException(Kind.TIMED_OUT, "instance vm", "cont: no answer of QEMU");

  private final List<String> done = new ArrayList<>();

  private void goOn(RunState state, Optional<StapesException> failure, Runnable cont) {
    QemuMigrations.goOn("instance vm", new Departure.Abandoned(state, failure), cont);
  }

  private void goOn(RunState state) {
    goOn(state, Optional.empty(), () -> done.add(state.text()));
  }

  private StapesException failure(RunState state, Runnable cont) {
    return assertThrows(StapesException.class, () -> goOn(state, Optional.of(left), cont));
  }

  @Test
  void one_that_stands_still_goes_on_and_one_that_goes_does_so() {
    goOn(RunState.POSTMIGRATE);
    goOn(RunState.PAUSED);
    goOn(RunState.RUNNING);
    goOn(RunState.IO_ERROR); // which it had before
    assertEquals(List.of("postmigrate", "paused"), done);
  }

  @Test
  void it_goes_on_though_something_of_its_move_is_left_which_is_told_after() {
    assertSame(left, failure(RunState.PAUSED, () -> done.add("cont")));
    assertEquals(List.of("cont"), done);
    assertSame(left, failure(RunState.RUNNING, () -> done.add("cont")));
    assertEquals(List.of("cont"), done);
  }

  @Test
  void both_are_told_where_it_does_not_go_on_either() {
    StapesException e =
        failure(
            RunState.POSTMIGRATE,
            () -> {
              throw stuck;
            });
    assertSame(stuck, e);
    assertEquals(List.of(left), List.of(e.getSuppressed()));
  }

  @Test
  void one_whose_migration_does_not_end_stands_still_and_nobody_says_that_it_goes() {
    StapesException e = failure(RunState.FINISH_MIGRATE, () -> done.add("cont"));
    assertEquals(Kind.TIMED_OUT, e.kind());
    assertEquals(List.of(left), List.of(e.getSuppressed()));
    assertEquals(List.of(), done);
  }
}
