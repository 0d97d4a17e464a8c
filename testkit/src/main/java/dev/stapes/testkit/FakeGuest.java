package dev.stapes.testkit;

import dev.stapes.model.ExecSpec.TerminalSize;
import dev.stapes.model.InstanceId;
import dev.stapes.spi.Machine;
import dev.stapes.spi.Tree;
import java.io.OutputStream;
import java.util.Optional;

/** What a program of a fake instance sees around it. */
public interface FakeGuest {
  /** The instance that it runs in. */
  InstanceId instance();

  /** Its pid, as other programs of the instance know it; 1 is the first process. */
  long pid();

  /** Its working directory, absolute. */
  String directory();

  /** The uid that it runs with. */
  long user();

  /** The gid that it runs with. */
  long group();

  /** The size that its terminal has now; empty without one. */
  Optional<TerminalSize> terminal();

  /** The last signal that interrupted it, 0 for none; asking forgets it. */
  int takeSignal();

  /** The files of the instance. The caller closes the answer. */
  Tree files();

  /** Writes to the console of the instance. */
  OutputStream console();

  /** Sends a signal to a program of the instance; false where there is none of this pid. */
  boolean signal(long pid, int number);

  /** Ends the whole instance. */
  void end(Machine.Exit how);
}
