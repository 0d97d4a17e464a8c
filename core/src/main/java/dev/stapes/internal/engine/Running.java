package dev.stapes.internal.engine;

import dev.stapes.model.InstanceId;
import dev.stapes.spi.Machine;
import dev.stapes.spi.StoragePool;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** A machine together with the volumes that are attached for it. */
final class Running {
  private static final String KEPT = "kept/";

  private final Machine machine;
  private final Machine.Spec spec;
  private final SortedMap<String, StoragePool.Attachment> attachments;
  private final AtomicBoolean endExpected;

  Running(
      Machine machine, Machine.Spec spec, SortedMap<String, StoragePool.Attachment> attachments) {
    this(machine, spec, attachments, new AtomicBoolean());
  }

  private Running(
      Machine machine,
      Machine.Spec spec,
      SortedMap<String, StoragePool.Attachment> attachments,
      AtomicBoolean endExpected) {
    this.machine = machine;
    this.spec = spec;
    this.attachments = Collections.unmodifiableSortedMap(new TreeMap<>(attachments));
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

  /** The volumes that it has, by device name. */
  SortedMap<String, StoragePool.Attachment> attachments() {
    return attachments;
  }

  /** Whether it has a volume. */
  boolean holds(StoragePool.Attachment attachment) {
    return attachments.values().stream().anyMatch(each -> each == attachment);
  }

  /** The same machine after its config or its devices were changed. */
  Running updated(Machine.Spec newSpec, Disks.Plugged plugged) {
    TreeMap<String, StoragePool.Attachment> all = new TreeMap<>(attachments);
    all.keySet().removeAll(plugged.devices());
    all.putAll(plugged.attachments());
    return new Running(machine, newSpec, all, endExpected);
  }

  /** The same machine, which keeps volumes also that none of its devices has. */
  Running keeping(SortedMap<String, StoragePool.Attachment> more) {
    TreeMap<String, StoragePool.Attachment> all = new TreeMap<>(attachments);
    more.forEach(
        (device, attachment) -> {
          String name = KEPT + device; // no device is called so
          while (all.containsKey(name)) {
            name = KEPT + name;
          }
          all.put(name, attachment);
        });
    return new Running(machine, spec, all, endExpected);
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
    List<AutoCloseable> all = new ArrayList<>(attachments.values());
    all.add(0, machine);
    Resources.closeAll(all);
  }
}
