package dev.stapes.lxc.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.linux.Fd;
import dev.stapes.linux.Pipe;
import dev.stapes.linux.ffi.Syscalls;
import dev.stapes.model.InstanceState;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatusTest {
  private final Syscalls sys = Syscalls.system();

  @Test
  void lines_may_come_in_pieces() {
    ProgramStatus status = new ProgramStatus();
    try (Pipe pipe = Pipe.open(sys)) {
      say(pipe, "p 1");
      status.read(pipe.read());
      assertEquals(OptionalLong.empty(), status.group());
      say(pipe, "7\nx 3\n");
      status.read(pipe.read());
      assertTrue(status.isStarted());
      assertEquals(OptionalLong.of(17), status.group());
      assertEquals(OptionalInt.of(3), status.code());
    }
  }

  @Test
  void the_end_of_the_file_is_the_end_of_the_program() {
    assertEquals(OptionalInt.of(137), after("p 5\n").code());
  }

  @Test
  void a_signal_that_killed_all_who_could_tell_is_the_exit_code() {
    ProgramStatus status = new ProgramStatus();
    status.signalled(15);
    try (Fd end = ended("p 5\n")) {
      status.read(end);
      status.read(end);
    }
    assertEquals(OptionalInt.of(143), status.code());
  }

  @ParameterizedTest
  @CsvSource({"'p x\nx 1x\n',137", "'x 999\n',231", "'x -1\n',137", "'f\n',137"})
  void lies_end_the_program_and_nothing_else(String said, int code) {
    assertEquals(OptionalInt.of(code), after(said).code());
  }

  @Test
  void endless_talk_is_cut_off() {
    ProgramStatus status = new ProgramStatus();
    try (Pipe pipe = Pipe.open(sys)) {
      say(pipe, "a".repeat(1000));
      for (int i = 0; i < 3; i++) {
        status.read(pipe.read());
      }
      assertEquals(OptionalInt.of(137), status.code());
    }
  }

  @Test
  void init_is_asked_by_the_signal_that_it_waits_for() {
    String systemd = "SigBlk:\t0000001000000000\nSigCgt:\t0000000000000000\n";
    String sysv = "SigBlk:\t0000000000000000\nSigCgt:\t0000000020000000\n";
    String busybox = "SigBlk:\t0000000000000a02\nSigCgt:\t0000000000000000\n";
    assertEquals(OptionalInt.of(37), InitSignals.shutdown(systemd));
    assertEquals(OptionalInt.of(30), InitSignals.shutdown(sysv));
    assertEquals(OptionalInt.of(12), InitSignals.shutdown(busybox));
    assertEquals(OptionalInt.empty(), InitSignals.shutdown(""));
  }

  @Test
  void counters_are_read_by_interface() {
    String text =
        """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
            lo:       1       2    0    0    0     0          0         0        3       4    0
          eth0: 5 6 0 0 0 0 0 0 7 8 0 0 0 0 0 0
        """;
    assertEquals(
        java.util.Map.of(
            "lo", new InstanceState.NetworkCounters(1, 2, 3, 4),
            "eth0", new InstanceState.NetworkCounters(5, 6, 7, 8)),
        NetworkCounters.parse(text));
  }

  private ProgramStatus after(String said) {
    ProgramStatus status = new ProgramStatus();
    try (Fd end = ended(said)) {
      status.read(end);
      status.read(end);
    }
    return status;
  }

  private Fd ended(String said) {
    Pipe pipe = Pipe.open(sys);
    say(pipe, said);
    pipe.write().close();
    return pipe.read();
  }

  private static void say(Pipe pipe, String text) {
    pipe.write()
        .write(
            ByteBuffer.allocateDirect(text.length())
                .put(text.getBytes(StandardCharsets.US_ASCII))
                .flip());
  }
}
