package dev.stapes.examples.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.examples.architecture.SourceRules.Kind;
import dev.stapes.examples.architecture.SourceRules.Report;
import dev.stapes.examples.architecture.SourceRules.TopLevelType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every source file of the project against {@link SourceRules}, and how much of each module is
 * public.
 */
@Tag("once")
class SourceStyleTest {
  /**
   * What core shows beside its API: public types among those of {@code dev.stapes.internal..},
   * which are public only for the packages beside them. Few public types are what separates a
   * library that can change from one that cannot. The packages of the API itself are all public by
   * nature; {@link ModulePathTest} pins which these are.
   */
  private static final int PUBLIC_PERCENT_OF_INTERNALS = 35;

  private static final int PUBLIC_TYPES_OF_A_DRIVER = 3;

  private static final Project PROJECT = Project.here();

  @Test
  void sources_keep_the_rules() {
    List<String> findings = new ArrayList<>();
    int files = 0;
    for (String module : PROJECT.modules()) {
      for (Path source : PROJECT.mainSources(module)) {
        findings.addAll(
            inspect(source, module.equals("testkit") ? Kind.TESTKIT : Kind.MAIN).findings());
        files++;
      }
      for (Path source : PROJECT.testSources(module)) {
        findings.addAll(inspect(source, Kind.TEST).findings());
        files++;
      }
    }
    assertTrue(files > 1, "no sources found");
    assertEquals(List.of(), findings, () -> String.join("\n", findings));
  }

  @Test
  void most_of_the_internals_of_core_are_not_public() {
    Path internals = PROJECT.root().resolve("core/src/main/java/dev/stapes/internal");
    List<TopLevelType> types =
        types(
            PROJECT.mainSources("core").stream()
                .filter(source -> source.startsWith(internals))
                .toList());
    long shown = types.stream().filter(TopLevelType::isPublic).count();
    assertFalse(types.isEmpty(), "no types found");
    assertTrue(
        100 * shown <= (long) PUBLIC_PERCENT_OF_INTERNALS * types.size(),
        () ->
            shown
                + " of "
                + types.size()
                + " types are public, at most "
                + PUBLIC_PERCENT_OF_INTERNALS
                + " %");
  }

  @Test
  void a_storage_or_network_driver_shows_at_most_3_types() {
    Map<String, List<String>> tooMany = new TreeMap<>();
    for (String module : PROJECT.modules()) {
      if (module.startsWith("storage-") || module.startsWith("network-")) {
        List<String> shown =
            types(PROJECT.mainSources(module)).stream()
                .filter(TopLevelType::isPublic)
                .map(TopLevelType::name)
                .toList();
        if (shown.size() > PUBLIC_TYPES_OF_A_DRIVER) {
          tooMany.put(module, shown);
        }
      }
    }
    assertEquals(Map.of(), tooMany);
  }

  private static List<TopLevelType> types(List<Path> sources) {
    return sources.stream().flatMap(source -> inspect(source, Kind.MAIN).types().stream()).toList();
  }

  private static Report inspect(Path source, Kind kind) {
    return SourceRules.inspect(
        PROJECT.root().relativize(source).toString(), Project.read(source), kind);
  }
}
