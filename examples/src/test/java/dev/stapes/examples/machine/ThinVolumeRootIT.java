package dev.stapes.examples.machine;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import org.junit.jupiter.api.extension.RegisterExtension;

/** On LVM. */
@RequiresRoot
@RequiresKernel("thin-pool")
@RequiresKernel("loop")
@RequiresTool("lvm")
@RequiresTool("thin_check")
@RequiresTool("qemu-system-x86_64")
@RequiresGuest
class ThinVolumeRootIT extends RealRootDevice {
  @RegisterExtension
  static final VmBench BENCH =
      VmBench.on(PoolSpec.of("default", "lvm").size(Size.ofMebibytes(2048)));

  @Override
  VmBench bench() {
    return BENCH;
  }

  @Override
  String device() {
    return "dm-";
  }
}
