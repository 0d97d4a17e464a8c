package dev.stapes.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

class RequirementsTest {
  private static final String TOOL = "no-such-tool-of-stapes";
  private static final String BEFORE = System.getProperty("stapes.required", "");

  @AfterEach
  void required_as_before() {
    System.setProperty("stapes.required", BEFORE);
  }

  @Test
  void a_missing_tool_skips_the_method_and_says_which() {
    assertEquals(
        List.of("program no-such-tool-of-stapes not found on PATH or in an sbin directory"),
        skips("junit-jupiter", OnMethod.class));
    assertEquals(1, run("junit-jupiter", OnMethod.class).testEvents().succeeded().count());
  }

  @Test
  void a_missing_kernel_feature_skips_the_class() {
    assertEquals(
        List.of("the kernel has no file system nosuchfs and no module for it"),
        skips("junit-jupiter", OnClass.class));
  }

  @Test
  void a_requirement_of_a_class_holds_for_its_subclasses() {
    assertEquals(1, skips("junit-jupiter", Inherits.class).size());
  }

  @Test
  void a_requirement_of_an_inherited_method_holds() {
    assertEquals(1, skips("junit-jupiter", InheritsMethod.class).size());
  }

  @Test
  void one_of_two_missing_tools_is_enough() {
    assertEquals(
        List.of("program no-such-tool-of-stapes not found on PATH or in an sbin directory"),
        skips("junit-jupiter", Two.class));
  }

  @Test
  void a_listed_requirement_fails_instead_of_being_skipped_with_the_same_reason() {
    System.setProperty("stapes.required", "root, " + TOOL);
    List<String> failures = failures("junit-jupiter", OnMethod.class);
    assertEquals(1, failures.size());
    assertTrue(failures.get(0).contains(TOOL + " not found on PATH"), failures.get(0));
    assertTrue(failures.get(0).contains("stapes.required lists"), failures.get(0));
  }

  @Test
  void a_listed_requirement_of_a_class_fails_too() {
    System.setProperty("stapes.required", "nosuchfs");
    assertEquals(1, failures("junit-jupiter", Inherits.class).size());
  }

  @Test
  void a_listed_name_covers_the_names_that_begin_with_it_and_a_dash() {
    System.setProperty("stapes.required", "no");
    assertEquals(1, failures("junit-jupiter", OnMethod.class).size());
    System.setProperty("stapes.required", "no-such-tool-of-stape");
    assertEquals(0, failures("junit-jupiter", OnMethod.class).size());
  }

  @Test
  void properties_of_jqwik_are_skipped_alike() {
    assertEquals(1, skips("jqwik", OnClass.class).size());
    assertEquals(1, skips("jqwik", OnMethod.class).size());
    assertEquals(1, skips("jqwik", Inherits.class).size());
  }

  @Test
  void properties_of_jqwik_fail_alike() {
    System.setProperty("stapes.required", "nosuchfs," + TOOL);
    assertEquals(1, failures("jqwik", OnMethod.class).size());
    assertTrue(failures("jqwik", OnClass.class).size() >= 1);
  }

  @Test
  void what_every_linux_has_is_found() {
    assertEquals(List.of(), skips("junit-jupiter", Present.class));
    assertEquals(1, run("junit-jupiter", Present.class).testEvents().succeeded().count());
  }

  @Test
  void a_clock_is_steady_where_the_counter_is_constant_and_the_kernel_knows_one_frequency() {
    List<String> steady = List.of("cpu MHz\t\t: 2000.000", "flags\t\t: fpu constant_tsc");
    assertEquals(Optional.empty(), KernelFeatures.steadyClock(steady, false));
    assertTrue(KernelFeatures.steadyClock(steady, true).isPresent());
    for (String flags : List.of("fpu", "fpu constant_tsc_not", "constant_tsc aperfmperf")) {
      List<String> cpus = List.of("flags\t\t: " + flags);
      String why = KernelFeatures.steadyClock(cpus, false).orElseThrow();
      assertTrue(why.contains("how fast the time stamp counter goes"), why);
    }
    assertTrue(KernelFeatures.steadyClock(List.of(), false).isPresent());
  }

  private static EngineExecutionResults run(String engine, Class<?> test) {
    return EngineTestKit.engine(engine).selectors(selectClass(test)).execute();
  }

  private static List<String> skips(String engine, Class<?> test) {
    return run(engine, test)
        .allEvents()
        .skipped()
        .map(event -> event.getRequiredPayload(String.class))
        .toList();
  }

  private static List<String> failures(String engine, Class<?> test) {
    return run(engine, test).allEvents().failed().map(RequirementsTest::message).toList();
  }

  private static String message(Event event) {
    return event
        .getRequiredPayload(TestExecutionResult.class)
        .getThrowable()
        .map(error -> error + " caused by " + error.getCause())
        .orElse("");
  }

  static class OnMethod {
    @Test
    @RequiresTool(TOOL)
    void needs() {}

    @Test
    void needs_nothing() {}

    @Property(tries = 1)
    @RequiresTool(TOOL)
    void property_needs() {}
  }

  @RequiresKernel("nosuchfs")
  static class OnClass {
    @Test
    void test() {}

    @Property(tries = 1)
    void property() {}
  }

  static class Inherits extends OnClass {}

  static class InheritsMethod extends OnMethod {}

  static class Two {
    @Test
    @RequiresTool("sh")
    @RequiresTool(TOOL)
    void needs_two() {}
  }

  static class Present {
    @Test
    @RequiresTool("sh")
    @RequiresKernel("proc")
    @RequiresKernel("tmpfs")
    void needs_what_there_is() {}
  }
}
