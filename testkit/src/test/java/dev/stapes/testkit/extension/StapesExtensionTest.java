package dev.stapes.testkit.extension;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.stapes.Instance;
import dev.stapes.Stapes;
import dev.stapes.model.InstanceStatus;
import dev.stapes.model.Lifetime;
import dev.stapes.testkit.Reset;
import dev.stapes.testkit.StapesTest;
import dev.stapes.testkit.Throwaway;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

class StapesExtensionTest {
  /** What the inner test classes saw. */
  private static final List<Object> SEEN = new CopyOnWriteArrayList<>();

  @BeforeEach
  void forget() {
    SEEN.clear();
    FakeOpener.OPENED.clear();
  }

  @Test
  void a_field_is_a_fresh_running_throwaway_instance_for_each_method() {
    succeeds(2, Fresh.class);
    assertNotEquals(SEEN.get(0), SEEN.get(1));
    assertNothingIsLeft();
  }

  @StapesTest(opener = FakeOpener.class)
  static class Fresh {
    @Throwaway(cpus = 1, memory = "64MiB", processes = 50, config = "user.note=a=b")
    private Instance box;

    @RepeatedTest(2)
    void is_fresh() {
      assertEquals(InstanceStatus.RUNNING, box.info().status());
      assertEquals(Lifetime.THROWAWAY, box.info().lifetime());
      assertEquals("a=b", box.info().config().text("user.note").orElse(""));
      assertEquals("1", box.info().config().text("limits.cpu").orElse(""));
      assertEquals("64MiB", box.info().config().text("limits.memory").orElse(""));
      assertEquals("50", box.info().config().text("limits.processes").orElse(""));
      assertEquals("hostname\n", box.exec("ls", "/etc").orThrow().stdout());
      box.exec("write", "/etc/mine").orThrow();
      SEEN.add(box.id());
    }
  }

  @Test
  void a_static_field_is_one_instance_for_the_class_and_keeps_what_happened() {
    succeeds(2, Shared.class);
    assertEquals(SEEN.get(0), SEEN.get(1));
    assertEquals(Set.of("hostname\n", "hostname\nmine\n"), Set.of(SEEN.get(2), SEEN.get(3)));
    assertNothingIsLeft();
  }

  @StapesTest(opener = FakeOpener.class)
  static class Shared {
    @Throwaway static Instance box;

    @RepeatedTest(2)
    void is_shared() {
      SEEN.add(SEEN.size() / 2, box.id());
      SEEN.add(box.exec("ls", "/etc").orThrow().stdout());
      box.exec("write", "/etc/mine").orThrow();
    }
  }

  @Test
  void a_static_field_that_is_restored_is_clean_for_each_method_also_in_parallel() {
    EngineExecutionResults results =
        EngineTestKit.engine("junit-jupiter")
            .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
            .selectors(selectClass(Restored.class))
            .execute();
    results.testEvents().assertStatistics(events -> events.succeeded(6));
    assertEquals(6, SEEN.size());
    assertEquals(1, Set.copyOf(SEEN).size());
    assertNothingIsLeft();
  }

  @StapesTest(opener = FakeOpener.class)
  @Execution(ExecutionMode.CONCURRENT)
  static class Restored {
    @Throwaway(reset = Reset.RESTORE)
    static Instance box;

    @RepeatedTest(5)
    void is_clean() {
      assertEquals("hostname\n", box.exec("ls", "/etc").orThrow().stdout());
      box.exec("write", "/etc/mine").orThrow();
      SEEN.add(box.id());
    }

    @Nested
    class Inside {
      @Test
      void is_clean_too() {
        assertEquals("hostname\n", box.exec("ls", "/etc").orThrow().stdout());
        box.exec("write", "/etc/mine").orThrow();
        SEEN.add(box.id());
      }
    }
  }

  @Test
  void parameters_are_injected_and_all_classes_share_one_stapes() {
    succeeds(3, Parameters.class, MoreParameters.class);
    assertEquals(1, Set.copyOf(SEEN).size());
    assertEquals(1, FakeOpener.OPENED.size());
    assertNothingIsLeft();
  }

  @StapesTest(opener = FakeOpener.class)
  static class Parameters {
    private final Stapes fromConstructor;

    Parameters(Stapes stapes) {
      fromConstructor = stapes;
    }

    @Test
    void two_instances(Stapes stapes, Instance one, @Throwaway(image = "other") Instance two) {
      assertSame(fromConstructor, stapes);
      assertNotSame(one, two);
      assertNotEquals(one.id(), two.id());
      assertEquals(one, stapes.instances().get(one.id()));
      SEEN.add(stapes);
    }

    @Test
    void an_instance_that_the_test_deletes_is_no_problem(Stapes stapes, Instance box) {
      box.delete(dev.stapes.Delete.FORCE);
      SEEN.add(stapes);
    }
  }

  @StapesTest(opener = FakeOpener.class)
  static class MoreParameters {
    @Test
    void the_same(Stapes stapes) {
      SEEN.add(stapes);
    }
  }

  @Test
  void a_failed_test_shows_its_instances() throws IOException {
    EngineExecutionResults results = run(Fails.class);
    assertEquals(1, results.testEvents().failed().count());
    List<String> published =
        results
            .testEvents()
            .reportingEntryPublished()
            .map(
                event ->
                    event
                        .getRequiredPayload(org.junit.platform.engine.reporting.ReportEntry.class)
                        .getKeyValuePairs()
                        .toString())
            .toList();
    assertEquals(1, published.size(), published.toString());
    String entry = published.get(0);
    assertTrue(entry.startsWith("{stapes.box="), entry);
    Path file = Path.of(entry.substring("{stapes.box=".length(), entry.length() - 1));
    String report = Files.readString(file);
    assertTrue(report.contains("fake instance booted"), report);
    assertTrue(report.contains("==== state"), report);
    assertTrue(report.contains("==== mounts"), report);
    Files.delete(file);
    assertNothingIsLeft();
  }

  @StapesTest(opener = FakeOpener.class)
  static class Fails {
    @Throwaway Instance box;

    @Test
    void fails() {
      assertEquals(1, box.exec("true").exitCode());
    }

    @Test
    void succeeds() {
      assertEquals(0, box.exec("true").exitCode());
    }
  }

  @Test
  void an_image_that_does_not_exist_fails_the_test_with_its_name() {
    String message = failure(NoImage.class);
    assertTrue(message.contains("no-such-image"), message);
    assertNothingIsLeft();
  }

  @StapesTest(opener = FakeOpener.class)
  static class NoImage {
    @Throwaway(image = "no-such-image")
    Instance box;

    @Test
    void never_runs() {}
  }

  @Test
  void a_field_of_another_type_is_refused_by_name() {
    String message = failure(WrongField.class);
    assertTrue(message.contains("WrongField.text"), message);
    assertNothingIsLeft();
  }

  @StapesTest(opener = FakeOpener.class)
  static class WrongField {
    @Throwaway static String text;

    @Test
    void never_runs() {}
  }

  @Test
  void bad_config_is_refused_and_quoted() {
    String message = failure(BadConfig.class);
    assertTrue(message.contains("\"no-equals-sign\""), message);
  }

  @StapesTest(opener = FakeOpener.class)
  static class BadConfig {
    @Throwaway(config = "no-equals-sign")
    Instance box;

    @Test
    void never_runs() {}
  }

  private static void succeeds(int tests, Class<?>... classes) {
    EngineExecutionResults results = run(classes);
    results.testEvents().assertStatistics(events -> events.started(tests).succeeded(tests));
  }

  private static EngineExecutionResults run(Class<?>... classes) {
    EngineTestKit.Builder kit = EngineTestKit.engine("junit-jupiter");
    Stream.of(classes).forEach(type -> kit.selectors(selectClass(type)));
    return kit.execute();
  }

  private static String failure(Class<?> type) {
    return run(type)
        .allEvents()
        .failed()
        .map(event -> event.getRequiredPayload(TestExecutionResult.class))
        .flatMap(result -> result.getThrowable().stream())
        .map(Throwable::toString)
        .findFirst()
        .orElse("nothing failed");
  }

  /** The session closed with the launcher: no instance, no root directory. */
  private static void assertNothingIsLeft() {
    assertEquals(Set.of(), FakeOpener.ROOM.running());
    FakeOpener.OPENED.forEach(root -> assertFalse(Files.exists(root), root::toString));
  }
}
