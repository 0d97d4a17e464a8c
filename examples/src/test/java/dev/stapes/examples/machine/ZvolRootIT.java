package dev.stapes.examples.machine;

import dev.stapes.model.PoolSpec;
import dev.stapes.model.Size;
import dev.stapes.testkit.RequiresGuest;
import dev.stapes.testkit.RequiresKernel;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import org.junit.jupiter.api.extension.RegisterExtension;

/** On OpenZFS. */
@RequiresRoot
@RequiresKernel("zfs")
@RequiresTool("zpool")
@RequiresTool("qemu-system-x86_64")
@RequiresGuest
class ZvolRootIT extends RealRootDevice {
  @RegisterExtension
  static final VmBench BENCH =
      VmBench.on(PoolSpec.of("default", "zfs").size(Size.ofMebibytes(2048)));

  @Override
  VmBench bench() {
    return BENCH;
  }

  @Override
  String device() {
    return "zd";
  }
}
