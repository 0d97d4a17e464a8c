/** What tests with Stapes need: extension, conditions, contracts, fakes, faults. */
module dev.stapes.testkit {
  requires transitive dev.stapes.core;
  requires transitive org.junit.jupiter.api;
  requires transitive net.jqwik.api;
  requires org.slf4j;

  exports dev.stapes.testkit;

  // The test engines make the conditions and call the contracts' tests, none of which is public.
  opens dev.stapes.testkit;
}
