package dev.stapes.lxc.driver;

import dev.stapes.spi.InstanceDriverProvider;
import dev.stapes.testkit.RequiresRoot;
import dev.stapes.testkit.RequiresTool;
import dev.stapes.testkit.contract.InstanceDriverContract;
import java.util.List;

@RequiresRoot
@RequiresTool("lxc-start")
@RequiresTool("busybox")
class LxcContractIT extends InstanceDriverContract {
  @Override
  protected InstanceDriverProvider provider() {
    return new LxcDriverProvider();
  }

  /** A first process gets no signal that it has no trap for yet. */
  @Override
  protected List<String> end() {
    return List.of("sh", "-c", "while kill -TERM 1; do sleep 0.05; done");
  }
}
