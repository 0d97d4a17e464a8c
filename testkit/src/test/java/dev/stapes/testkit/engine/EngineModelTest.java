package dev.stapes.testkit.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class EngineModelTest {
  @Property(tries = 40, edgeCases = EdgeCasesMode.NONE)
  void any_sequence_of_operations_does_what_a_map_by_name_says(
      @ForAll("sequences") List<EngineStep> steps) {
    run(steps, EngineWorld.Setup.usual());
  }

  @Property(tries = 5, edgeCases = EdgeCasesMode.NONE)
  void the_same_with_records_in_a_file(@ForAll("sequences") List<EngineStep> steps) {
    run(steps, EngineWorld.Setup.usual().onSqlite());
  }

  private static void run(List<EngineStep> steps, EngineWorld.Setup setup) {
    try (EngineWorld world = EngineWorld.create(setup)) {
      EngineModel model = new EngineModel(world);
      steps.forEach(model::run);
      world.stapes().close();
      List<String> lines = world.picture().lines();
      assertEquals(model.running(), count(lines, "runs "), lines::toString);
      assertEquals(
          model.volumes(), count(lines, "INSTANCE ") + count(lines, "SNAPSHOT "), lines::toString);
      assertEquals(0, count(lines, "intents/"), lines::toString);
    }
  }

  private static long count(List<String> lines, String start) {
    return lines.stream().filter(line -> line.startsWith(start)).count();
  }

  /** Sequences of up to 40 operations on three names. */
  @Provide
  Arbitrary<List<EngineStep>> sequences() {
    return EngineStep.any().list().ofMinSize(10).ofMaxSize(40);
  }
}
