package dev.stapes.qemu.driver;

import dev.stapes.model.Device;
import dev.stapes.spi.Machine;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * From what the firmware boots first, as numbers of QEMU's {@code bootindex}: the lowest comes
 * first, and each is there once.
 *
 * @param root of the root disk
 * @param others of devices by name; one that is missing is not booted from; copied
 */
record BootOrder(int root, SortedMap<String, Integer> others) {
  /** Where nothing but the root disk is booted from. */
  static final BootOrder NONE = new BootOrder(1, new TreeMap<>());

  private static final int FIRST = 1;

  /** Before devices whose priority nobody has set. */
  private static final int ROOT_PRIORITY = 1;

  private static final String ROOT = "";

  /** Copies. */
  BootOrder {
    others = Collections.unmodifiableSortedMap(new TreeMap<>(others));
  }

  private record Candidate(String device, int priority) {}

  /** By priority; of the same priority the root disk comes first, then who is first by name. */
  static BootOrder of(Machine.Spec spec) {
    List<Candidate> all = new ArrayList<>();
    all.add(new Candidate(ROOT, spec.root().bootPriority().orElse(ROOT_PRIORITY)));
    spec.devices()
        .forEach(
            (name, device) -> {
              if (device instanceof Device.Disk disk) {
                all.add(new Candidate(name, disk.bootPriority().orElse(0)));
              } else if (device instanceof Device.Nic nic) {
                nic.bootPriority().ifPresent(priority -> all.add(new Candidate(name, priority)));
              }
            });
    all.sort(Comparator.comparingInt(Candidate::priority).reversed()); // which is stable
    int root = FIRST;
    SortedMap<String, Integer> others = new TreeMap<>();
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).device().equals(ROOT)) {
        root = FIRST + i;
      } else {
        others.put(all.get(i).device(), FIRST + i);
      }
    }
    return new BootOrder(root, others);
  }

  /** That of a device. */
  OptionalInt of(String device) {
    Integer index = others.get(device);
    return index == null ? OptionalInt.empty() : OptionalInt.of(index);
  }
}
