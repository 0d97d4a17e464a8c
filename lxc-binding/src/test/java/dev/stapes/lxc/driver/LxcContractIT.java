package dev.stapes.lxc.driver;

import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.InstanceDriverContract;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
class LxcContractIT extends InstanceDriverContract {
  @Override
  protected InstanceDriverProvider provider() {
    return new LxcDriverProvider();
  }
}
