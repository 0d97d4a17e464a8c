package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** A machine together with the volumes that are attached for it. */
final class Running {
  private final Machine machine;
  private final Machine.Spec spec;
  private final List<StoragePool.Attachment> attachments;
  private final AtomicBoolean endExpected;

  Running(Machine machine, Machine.Spec spec, List<StoragePool.Attachment> attachments) {
    this(machine, spec, attachments, new AtomicBoolean());
  }

  private Running(
      Machine machine,
      Machine.Spec spec,
      List<StoragePool.Attachment> attachments,
      AtomicBoolean endExpected) {
    this.machine = machine;
    this.spec = spec;
    this.attachments = List.copyOf(attachments);
    this.endExpected = endExpected;
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
    return new Running(machine, newSpec, attachments, endExpected);
  }

  /** From now on its end is what somebody asked for. */
  void expectEnd() {
    endExpected.set(true);
  }

  /** It did not end when it was asked to: what it does now is its own affair again. */
  void expectNoEnd() {
    endExpected.set(false);
  }

  /** Whether the other one is this machine, maybe before or after a change of its config. */
  boolean isSameMachine(Running other) {
    return machine == other.machine;
  }

  boolean hasEnded() {
    return machine.exit().toCompletableFuture().isDone();
  }

  boolean isEndExpected() {
    return endExpected.get();
  }

  /** Lets go of the machine and of its volumes. */
  void release() {
    List<AutoCloseable> all = new ArrayList<>(attachments);
    all.add(0, machine);
    Resources.closeAll(all);
  }
}
