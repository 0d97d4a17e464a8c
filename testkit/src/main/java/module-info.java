/** What tests with Stapes need: extension, conditions, contracts, fakes, faults. */
module dev.stapes.testkit {
  requires transitive dev.stapes.core;
  requires transitive org.junit.jupiter.api;
  requires transitive net.jqwik.api;
  requires org.slf4j;
  requires static org.junit.platform.launcher;

  uses dev.stapes.spi.HostProvider;

  exports dev.stapes.testkit;
  exports dev.stapes.testkit.contract;

  // The test engines make the conditions and call the contracts' tests, none of which is public.
  opens dev.stapes.testkit;
  opens dev.stapes.testkit.contract;
}
