package dev.stapes.qemu.driver;

import dev.stapes.linux.Fd;
import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.qmp.QmpClient;
import dev.stapes.qmp.QmpClosedException;
import dev.stapes.qmp.QmpCommand;
import dev.stapes.qmp.QmpCommandException;
import dev.stapes.qmp.QmpDialect;
import dev.stapes.qmp.QmpException;
import dev.stapes.qmp.QmpTimeoutException;
import dev.stapes.qmp.qemu.Closefd;
import dev.stapes.qmp.qemu.QemuEvent;

/** The monitor of a virtual machine, with the errors of a driver. */
final class Monitor implements AutoCloseable {
  /** With typed events. */
  static final QmpDialect DIALECT = QmpDialect.monitor().events(QemuEvent::from);

  private final String subject;
  private final QmpClient client;

  Monitor(String subject, QmpClient client) {
    this.subject = subject;
    this.client = client;
  }

  /** What can be done beyond commands. */
  QmpClient client() {
    return client;
  }

  /** Gives a command and waits for its answer. */
  <R> R execute(QmpCommand<R> command) {
    try {
      return client.execute(command);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw failed(subject, command.commandName(), e);
    }
  }

  /** As {@link #execute(QmpCommand)}, passing a descriptor along, which stays the caller's. */
  <R> R execute(QmpCommand<R> command, Fd fd) {
    try {
      return client.execute(command, fd);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw failed(subject, command.commandName(), e);
    }
  }

  /** Takes away what may not be there: it is no error where the emulator refuses that. */
  void discard(QmpCommand<?> command) {
    try {
      execute(command);
    } catch (StapesException e) {
      if (!(e.getCause() instanceof QmpCommandException)) {
        throw e;
      }
    }
  }

  /** Gives it a descriptor, for who names it; it stays the caller's. */
  void give(String name, Fd fd) {
    try {
      client.getFd(name, fd);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StapesException(Kind.INTERRUPTED, subject, "interrupted", e);
    } catch (QmpException e) {
      throw failed(subject, "getfd", e);
    }
  }

  /** Has it close a descriptor that it was given and did not use; else does nothing. */
  void closeFd(String name) {
    discard(Closefd.of(name));
  }

  static StapesException failed(String subject, String what, QmpException e) {
    if (e instanceof QmpClosedException) {
      return new StapesException(Kind.UNAVAILABLE, subject, what + ": its emulator is gone", e);
    }
    if (e instanceof QmpTimeoutException) {
      return new StapesException(Kind.TIMED_OUT, subject, what + ": no answer of QEMU", e);
    }
    return new StapesException(Kind.INTERNAL, subject, what + ": " + e.getMessage(), e);
  }

  @Override
  public void close() {
    client.close();
  }
}
