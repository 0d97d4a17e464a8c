package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import java.util.List;

/** A machine together with the volumes that are attached for it. */
final class Running {
  private final Machine machine;
  private final Machine.Spec spec;
  private final List<StoragePool.Attachment> attachments;
  private volatile boolean endExpected;

  Running(Machine machine, Machine.Spec spec, List<StoragePool.Attachment> attachments) {
    this.machine = machine;
    this.spec = spec;
    this.attachments = List.copyOf(attachments);
  }

  InstanceId id() {
    return machine.id();
  }

  Machine machine() {
    return machine;
  }

  /** What it was started with. */
  Machine.Spec spec() {
    return spec;
  }

  /** The same machine after its config was changed. */
  Running updated(Machine.Spec newSpec) {
    Running updated = new Running(machine, newSpec, attachments);
    updated.endExpected = endExpected;
    return updated;
  }

  /** From now on its end is what somebody asked for. */
  void expectEnd() {
    endExpected = true;
  }

  /** It did not end when it was asked to: what it does now is its own affair again. */
  void expectNoEnd() {
    endExpected = false;
  }

  /** Whether the other one is this machine, maybe before or after a change of its config. */
  boolean isSameMachine(Running other) {
    return machine == other.machine;
  }

  boolean hasEnded() {
    return machine.exit().toCompletableFuture().isDone();
  }

  boolean isEndExpected() {
    return endExpected;
  }

  /** Lets go of the machine and of its volumes. */
  void release() {
    machine.close();
    attachments.forEach(StoragePool.Attachment::close);
  }
}
