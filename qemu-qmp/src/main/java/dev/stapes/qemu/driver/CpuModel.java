package dev.stapes.qemu.driver;

/** Which CPU a guest sees. */
final class CpuModel {
  private CpuModel() {}

  /**
   * As an option of QEMU. Threads of a core are seen as such with Intel's CPUs; with AMD's they are
   * where they have topoext, which has to be asked for, and is not emulated.
   *
   * @param kvm whether it is not emulated
   */
  static String of(VmPlan plan, CpuTopology topology, boolean kvm) {
    if (plan.cpuModel().isPresent()) {
      return plan.cpuModel().get();
    }
    if (topology.threads() == 1) {
      return kvm ? "host" : "max";
    }
    return kvm ? "host,topoext=on" : "max,vendor=GenuineIntel";
  }
}
