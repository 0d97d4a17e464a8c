package dev.stapes.linux.cgroup;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The memory part of {@link LimitTranslation}: the one in which the order of the writes matters.
 */
final class MemoryTranslation {
  private static final String V1_HARD = "memory.limit_in_bytes";
  private static final String V1_SOFT = "memory.soft_limit_in_bytes";
  private static final String V1_BOTH = "memory.memsw.limit_in_bytes";
  private static final String V1_SWAPPINESS = "memory.swappiness";
  private static final String V2_SWAP = "memory.swap.max";

  private final GroupView view;
  private final CgroupLimits limits;
  private final LimitTranslation out;

  private MemoryTranslation(GroupView view, CgroupLimits limits, LimitTranslation out) {
    this.view = view;
    this.limits = limits;
    this.out = out;
  }

  static void translate(GroupView view, CgroupLimits limits, LimitTranslation out) {
    MemoryTranslation memory = new MemoryTranslation(view, limits, out);
    Optional<Hierarchy> place = view.place(Limit.MEMORY_HARD).hierarchy();
    if (place.isPresent()) {
      if (place.get().isV2()) {
        memory.translateV2(place.get());
      } else {
        memory.translateV1(place.get());
      }
      return;
    }
    for (Limit limit : limits.named()) {
      if (limit.controller() == Controller.MEMORY) {
        out.needed(limit);
      }
    }
  }

  private boolean clears(Limit limit) {
    return view.running() && limits.clears(limit);
  }

  /** Returns the bytes of swap on top of the memory. */
  private static long extra(@Nullable Swap swap) {
    return swap instanceof Swap.Extra extra ? extra.bytes() : 0;
  }

  private void translateV2(Hierarchy hierarchy) {
    Swap swap = limits.swap();
    Long hard = limits.memoryHard();
    if (hard != null || clears(Limit.MEMORY_HARD)) {
      out.put(Limit.MEMORY_HARD, hierarchy, "memory.max", hard == null ? "max" : hard.toString());
    }
    Long soft = limits.memorySoft();
    if (soft != null || clears(Limit.MEMORY_SOFT)) {
      out.put(Limit.MEMORY_SOFT, hierarchy, "memory.high", soft == null ? "max" : soft.toString());
    }
    if (hard != null || swap instanceof Swap.Never) {
      String value = Long.toString(extra(swap));
      if (swap == null) {
        out.putIfThere(Limit.SWAP, hierarchy, V2_SWAP, value);
      } else {
        out.put(Limit.SWAP, hierarchy, V2_SWAP, value);
      }
    } else if (clears(Limit.MEMORY_HARD)
        || clears(Limit.SWAP)
        || (swap != null && view.running())) {
      out.putIfThere(Limit.SWAP, hierarchy, V2_SWAP, "max");
    }
    if (limits.swappiness() != null) {
      out.refuse(Limit.SWAPPINESS, "cgroup v2 has no " + V1_SWAPPINESS);
    }
  }

  private void translateV1(Hierarchy hierarchy) {
    hardV1(hierarchy);
    Long soft = limits.memorySoft();
    if (soft != null || clears(Limit.MEMORY_SOFT)) {
      out.put(Limit.MEMORY_SOFT, hierarchy, V1_SOFT, soft == null ? "-1" : soft.toString());
    }
    swappinessV1(hierarchy);
  }

  private void hardV1(Hierarchy hierarchy) {
    Long hard = limits.memoryHard();
    boolean accounted = view.has(hierarchy, V1_BOTH);
    if (hard == null && !clears(Limit.MEMORY_HARD)) {
      return;
    }
    String limit = hard == null ? "-1" : hard.toString();
    if (!accounted) {
      out.put(Limit.MEMORY_HARD, hierarchy, V1_HARD, limit);
      if (limits.swap() != null && hard != null) {
        out.refuse(Limit.SWAP, "the kernel does not account for swap: no " + V1_BOTH);
      }
      return;
    }
    long both = hard == null ? Long.MAX_VALUE : saturatedSum(hard, extra(limits.swap()));
    String sum = hard == null ? "-1" : Long.toString(both);
    // The kernel keeps memory <= memory + swap at every moment: on the way up the sum goes first,
    // on the way down last.
    long now = view.read(hierarchy, V1_HARD).map(Long::parseLong).orElse(Long.MAX_VALUE);
    if (both >= now && view.running()) {
      out.put(Limit.SWAP, hierarchy, V1_BOTH, sum);
      out.put(Limit.MEMORY_HARD, hierarchy, V1_HARD, limit);
    } else {
      out.put(Limit.MEMORY_HARD, hierarchy, V1_HARD, limit);
      out.put(Limit.SWAP, hierarchy, V1_BOTH, sum);
    }
  }

  private static long saturatedSum(long a, long b) {
    return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
  }

  private void swappinessV1(Hierarchy hierarchy) {
    Integer wanted = limits.swappiness();
    if (limits.swap() instanceof Swap.Never) {
      out.putIfThere(Limit.SWAPPINESS, hierarchy, V1_SWAPPINESS, "0");
    } else if (wanted != null) {
      out.put(Limit.SWAPPINESS, hierarchy, V1_SWAPPINESS, wanted.toString());
    } else if (view.running()
        && (limits.swap() != null || clears(Limit.SWAPPINESS) || clears(Limit.SWAP))) {
      String usual = view.readParent(hierarchy, V1_SWAPPINESS).orElse("60");
      out.putIfThere(Limit.SWAPPINESS, hierarchy, V1_SWAPPINESS, usual);
    }
  }
}
